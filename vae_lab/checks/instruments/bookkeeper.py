"""What the models have in common that write down how an answer uses them."""

from __future__ import annotations

from typing import Any

import torch

from vae_lab.checks.messages import NO_COPY


class Bookkeeper(torch.nn.Module):
    """A model of a check's own: it offers what a task speaks of, is not compiled, and cannot be copied.

    Example:
        >>> import copy
        >>> copy.copy(Bookkeeper())
        Traceback (most recent call last):
        ...
        TypeError: the model that a check passes cannot be copied or pickled; use it itself
    """

    OFFERS = frozenset({"latent_dim", "encode", "decode", "forward"})  # to an answer that is run elsewhere

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Stay as it is."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Refuse a copy, in one process as across the boundary: what is done to a copy would go unseen."""
        raise TypeError(NO_COPY)
