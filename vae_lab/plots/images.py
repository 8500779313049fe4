"""Images side by side, as a sheet."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from vae_lab.plots.style import INK_MAP, WIDTH


def image_sheet(images: Tensor, *, columns: int | None = None, ax: Axes | None = None) -> Axes:
    """Images side by side as ink on nothing, row by row.

    Args:
        images: [N, 1, H, W] or [N, H, W], uint8 in 0..255 or floats in [0, 1].
        columns: images in a row; the square root of N, rounded up, if None.
        ax: where to draw; a new figure if None.

    Example:
        >>> image_sheet(torch.zeros(6, 1, 28, 28), columns=3).images[0].get_array().shape
        (56, 84)
    """
    sheet = images.detach().reshape(len(images), *images.shape[-2:]).double().cpu()
    if images.dtype == torch.uint8:
        sheet = sheet / 255
    columns = columns or math.ceil(math.sqrt(len(sheet)))
    rows, (height, width) = math.ceil(len(sheet) / columns), sheet.shape[1:]
    full = torch.zeros(rows * columns, height, width, dtype=torch.double)
    full[: len(sheet)] = sheet
    mosaic = full.reshape(rows, columns, height, width).transpose(1, 2).reshape(rows * height, columns * width)
    if ax is None:
        ax = plt.figure(figsize=(WIDTH, WIDTH * rows * height / (columns * width)), layout="none").add_axes(
            (0, 0, 1, 1)
        )
    # 52 greys: more than an eye tells apart, half the bytes of 256; and the last bits of a float, which differ from
    # machine to machine, do not reach the picture
    greys = (mosaic * 51).round().mul(5).to(torch.uint8).numpy()
    ax.imshow(greys, cmap=INK_MAP, vmin=0, vmax=255, interpolation="none")
    ax.set_axis_off()
    return ax
