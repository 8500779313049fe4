"""What comes in as images, made into what a model computes with: one rule for every door.

- uint8 is a picture in 0..255 and is divided by 255; `Images`, as `load_images` gives them, stand for their images.
- Floats are taken as they are, in the model's own floating type. A model of coin flips needs them in [0, 1], and one
  whose `likelihood` is "gaussian" takes any real numbers. NaN and infinity are taken by none.
- Everything else is refused with the cure that fits.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NoReturn

import torch
from torch import Tensor

from vae_lab.arguments import extent, kind, known, place, require_same_place, require_tensor

Likelihood = Literal["bernoulli", "gaussian"]
MANY = 64  # so many logits do not all lie in [0, 1] by chance
GAUSSIAN = "A model of any real numbers says so: likelihood = 'gaussian'."


def likelihood(caller: str, model: object) -> Likelihood:
    """What a model's `decode` means: logits of coin flips, also where the model does not say, or a normal's mean."""
    said = getattr(model, "likelihood", "bernoulli")
    if said == "gaussian":
        return "gaussian"
    if said != "bernoulli":
        raise ValueError(f"{caller}: the model's likelihood is {said!r}; wanted 'bernoulli' or 'gaussian'.")
    return "bernoulli"


def images_for(caller: str, model: object, x: Any, name: str = "x") -> Tensor:
    """The images as this model is to see them: scaled, in its floating type, looked at.

    Args:
        caller: the function that says so if it refuses.
        model: its device, floating type, `data_shape` and `likelihood` are looked up, where it has them.
        x: uint8 or floating, [B, *data_shape] or flat; or `Images`.
        name: what the caller calls them.

    Raises:
        TypeError: for what is no tensor.
        ValueError: for another shape, dtype or device; for NaN and infinity, and pixels outside [0, 1] where the
            model's likelihood is Bernoulli's.

    Example:
        >>> from vae_lab.models import VAE
        >>> images_for("code", VAE(), torch.full((1, 784), 255, dtype=torch.uint8)).unique()
        tensor([1.])
    """
    if known() and isinstance(x, Tensor) and x.dtype.is_floating_point:  # within a step of training: its shape alone
        require_shape(caller, name, x, getattr(model, "data_shape", None))
        return x
    device, dtype = place(model)
    x = tensor_of(caller, name, x)
    require_shape(caller, name, x, getattr(model, "data_shape", None))
    if device is not None and x.device != device:
        raise ValueError(
            f"{caller}: {name} is on {x.device} but the model is on {device}; use {name}.to({str(device)!r})."
        )
    return scaled(caller, name, x, dtype, coins=likelihood(caller, model) == "bernoulli", hint=_hint(model))


def images_to_keep(caller: str, model: object, x: Any, *, draw: bool, name: str = "images") -> Tensor:
    """All images to train on, looked at once, wherever they lie: uint8 stays what it is, floats are the model's.

    Args:
        caller: the function that says so if it refuses.
        model: as for `images_for`.
        x: uint8 or floating, [N, *data_shape] or flat, N >= 1; or `Images`.
        draw: will pixels be drawn as coin flips? Then they are in [0, 1] whatever the model.
        name: what the caller calls them.

    Raises:
        TypeError: for what is no tensor.
        ValueError: as `images_for`, and for no images.

    Example:
        >>> from vae_lab.models import VAE
        >>> images_to_keep("fit", VAE(), torch.full((1, 784), 255, dtype=torch.uint8), draw=False).dtype
        torch.uint8
    """
    x = tensor_of(caller, name, x)
    if not x.ndim or not len(x):
        raise ValueError(f"{caller}: {name} has shape {tuple(x.shape)}; wanted [N, ...] with N >= 1.")
    require_shape(caller, name, x, getattr(model, "data_shape", None))
    coins = likelihood(caller, model) == "bernoulli"
    hint = " They are what binarize draws from." if draw and not coins else _hint(model)
    require_pixels(caller, name, x, coins=coins or draw, hint=hint)
    dtype = place(model)[1]
    return x if x.dtype in (torch.uint8, dtype) or dtype is None else x.to(dtype)


def _hint(model: object) -> str:
    """What a model of the reader's own can say, if it is for other numbers."""
    own = not hasattr(model, "likelihood") or type(model).__module__.partition(".")[0] != "vae_lab"
    return f" {GAUSSIAN}" if own else ""


def pixels_for(caller: str, name: str, prediction: Tensor, x: Tensor, *, coins: bool) -> Tensor:
    """The pixels that a prediction is held against: scaled, as wide as it, looked at.

    Args:
        caller: the function that says so if it refuses.
        name: what the caller calls the prediction.
        prediction: [B, ...].
        x: the same shape; uint8, or floats.
        coins: are the pixels coin flips, in [0, 1]?

    Raises:
        ValueError: for another shape or device, NaN, or coins outside [0, 1].
        TypeError: if one is no tensor.

    Example:
        >>> pixels_for("f", "logits", torch.zeros(1, 2), torch.tensor([[0, 255]], dtype=torch.uint8), coins=True)
        tensor([[0., 1.]])
    """
    require_tensor(caller, name, prediction)
    x = tensor_of(caller, "x", x)
    if prediction.shape != x.shape or x.ndim < 2:
        raise ValueError(
            f"{caller}: {name} has shape {tuple(prediction.shape)} but x has shape {tuple(x.shape)}; "
            "both must be [B, ...]."
        )
    require_same_place(caller, "x", x, name, prediction)
    return scaled(caller, "x", x, prediction.dtype if x.dtype == torch.uint8 else None, coins=coins)


def scaled(
    caller: str, name: str, x: Tensor, dtype: torch.dtype | None = None, *, coins: bool, hint: str = ""
) -> Tensor:
    """Pixels as floats, looked at; `coins` asks for [0, 1]."""
    require_pixels(caller, name, x, coins=coins, hint=hint)
    if x.dtype == torch.uint8:
        return x.to(dtype or torch.get_default_dtype()).div_(255)
    return x if dtype is None or x.dtype == dtype else x.to(dtype)


def tensor_of(caller: str, name: str, x: Any) -> Tensor:
    """A tensor of images, of uint8 or floats, from what came."""
    if isinstance(x, tuple) and hasattr(x, "images"):  # Images, as load_images gives them
        x = x.images
    if not isinstance(x, Tensor):
        _refuse(caller, name, x)
    if x.dtype != torch.uint8 and not x.dtype.is_floating_point:
        cure = f": {name}.float()" if x.dtype == torch.bool else ""
        raise ValueError(f"{caller}: {name} has dtype {x.dtype}; wanted uint8 in 0..255 or floats in [0, 1]{cure}.")
    require_tensor(caller, name, x, floating=False)
    return x


def _refuse(caller: str, name: str, x: Any) -> NoReturn:
    """Say how what came is made into a tensor of images."""
    if isinstance(x, torch.utils.data.DataLoader | torch.utils.data.Dataset):
        cure = "data_set.tensors[0]" if hasattr(x, "tensors") else "torch.stack([image for image, *_ in data_set])"
        raise TypeError(f"{caller}: {name} is {kind(x)}; wanted all images in one tensor: {cure}.")
    if isinstance(x, list | tuple):
        raise TypeError(f"{caller}: {name} is {kind(x)}; wanted a tensor of images: torch.stack or torch.tensor.")
    require_tensor(caller, name, x, floating=False)
    raise AssertionError("a tensor is not refused")


def require_shape(caller: str, name: str, x: Tensor, shape: tuple[int, ...] | None) -> None:
    """Refuse what is no batch of images of this shape: as they are, flat, or with axes of one more or less."""
    if shape is None:
        fits, wanted = x.ndim >= 2, "[B, ...]"
    else:
        one = tuple(x.shape[1:])
        if one == shape:
            return
        flat = math.prod(shape)
        fits = x.ndim >= 2 and (one in (tuple(shape), (flat,)) or _core(one) == _core(shape))
        fits = fits or (x.ndim >= 2 and len(shape) == 1 and math.prod(one) == flat)
        wanted = f"[B, {', '.join(map(str, shape))}]" + (f" or [B, {flat}]" if len(shape) > 1 else "")
    if not fits:
        raise ValueError(f"{caller}: {name} has shape {tuple(x.shape)}; wanted {wanted}.")


def _core(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def require_pixels(caller: str, name: str, x: Tensor, *, coins: bool, hint: str = "") -> None:
    """Refuse NaN, infinity, bits that are kept in bytes, and for coin flips everything outside [0, 1]."""
    found = extent(x)
    if found is None:
        return
    low, high = found
    if x.dtype == torch.uint8:
        if high == 1:
            raise ValueError(
                f"{caller}: {name} is uint8 and holds nothing but 0 and 1, where 255 is white; bits go in as "
                f"{name}.float()."
            )
    elif not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{caller}: {name} holds values that are not finite.")
    elif coins and not (low >= 0 and high <= 1):
        raise ValueError(
            f"{caller}: pixels range from {low:g} to {high:g} in {name}, but this likelihood needs [0, 1]: "
            f"{_cure(low, high)}.{hint}"
        )


def require_logits(caller: str, name: str, value: Tensor) -> None:
    """Refuse numbers that all lie in [0, 1] where logits are wanted: a sigmoid would be taken a second time.

    The logits of an untrained decoder, too, lie to both sides of 0. One number for all pixels says nothing.
    """
    found = extent(value) if value.numel() >= MANY else None
    if found is not None and 0 <= found[0] < found[1] <= 1:
        raise ValueError(
            f"{caller}: {name} returned numbers between {found[0]:.3g} and {found[1]:.3g}, which look like "
            "probabilities; wanted logits, before the sigmoid."
        )


def _cure(low: float, high: float) -> str:
    """How such pixels came about, most likely, and the way back to [0, 1]."""
    if low >= -1e-3 and high <= 1 + 1e-3:
        return "a matter of rounding, x.clamp(0, 1)"
    if low >= 0 and high <= 255:
        return "divide by 255, x / 255, or pass uint8 images as they come"
    if low >= -1 and high <= 1:
        return "after Normalize(0.5, 0.5) they come back by (x + 1) / 2"
    if abs(low + 0.4242) < 0.01 and high < 2.83:
        return "after Normalize(0.1307, 0.3081) they come back by x * 0.3081 + 0.1307"
    return "undo what scaled them, e.g. x * std + mean, or pass uint8 images as they come"
