"""Which tensors lie in the same memory, element by element."""

from __future__ import annotations

import torch
from torch import Tensor

_EXACT = 5_000_000  # elements; for more, only the ranges are compared


def storage_of(tensor: Tensor) -> int:
    """The address of the memory behind a tensor; 0 where there is none."""
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):  # a sparse tensor, or one without memory
        return 0


def overlap(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors of one storage share an element.

    >>> h = torch.zeros(4)
    >>> overlap(h, h[1:]), overlap(h[::2], h[1::2])
    (True, False)
    """
    if a is b:
        return True
    if a.storage_offset() >= _end(b) or b.storage_offset() >= _end(a):
        return False
    size = max(_end(a), _end(b))
    if size > _EXACT:
        return True
    mark = torch.zeros(size, dtype=torch.bool, device="cpu")
    mark.as_strided(b.shape, b.stride(), int(b.storage_offset())).fill_(True)
    return bool(mark.as_strided(a.shape, a.stride(), int(a.storage_offset())).any())


def _end(tensor: Tensor) -> int:
    if tensor.numel() == 0:
        return 0
    return (
        int(tensor.storage_offset()) + 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
    )
