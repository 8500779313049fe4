"""Images side by side, as a sheet, with names for its rows and columns in the picture itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from vae_lab.plots.style import INK, INK_MAP, WIDTH

LINE = 17 / 72  # inches that a line of words takes


def image_sheet(
    images: Tensor,
    *,
    columns: int | None = None,
    rows: Sequence[str] = (),
    above: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Images side by side as ink on nothing, row by row.

    Args:
        images: [N, 1, H, W] or [N, H, W], uint8 in 0..255 or floats in [0, 1].
        columns: images in a row; the square root of N, rounded up, if None.
        rows: what the rows show, each written over its row; half as many names as rows, and each is for two rows.
        above: what the columns show, written over the sheet; two names for twelve columns are for six columns each.
        ax: where to draw; a new figure if None.

    Raises:
        ValueError: if the rows, or the columns, cannot be shared out evenly among their names.

    Example:
        >>> image_sheet(torch.zeros(6, 1, 28, 28), columns=3).images[0].get_array().shape
        (56, 84)
        >>> sheet = image_sheet(torch.zeros(6, 1, 28, 28), columns=3, rows=["model one", "model two"])
        >>> [text.get_text() for text in sheet.texts]
        ['model one', 'model two']
    """
    sheet = images.detach().reshape(len(images), *images.shape[-2:]).double().cpu()
    if images.dtype == torch.uint8:
        sheet = sheet / 255
    columns = columns or math.ceil(math.sqrt(len(sheet)))
    count, (height, width) = math.ceil(len(sheet) / columns), sheet.shape[1:]
    for names, whole, what in (rows, count, "rows"), (above, columns, "columns"):
        if names and whole % len(names):
            raise ValueError(f"image_sheet: {whole} {what} cannot be shared out among {len(names)} names.")
    full = torch.zeros(count * columns, height, width, dtype=torch.double, device="cpu")
    full[: len(sheet)] = sheet
    mosaic = full.reshape(count, columns, height, width).transpose(1, 2).reshape(count, height, columns * width)
    inches = WIDTH if ax is None else ax.get_position().width * ax.figure.get_figwidth()  # type: ignore[union-attr]
    line = math.ceil(LINE / inches * columns * width)  # in pixels of the images
    blocks = [torch.zeros(0, columns * width, dtype=torch.double, device="cpu")]
    words: list[tuple[float, float, str]] = []
    if above:
        words += [(i * columns * width / len(above), line / 2, name) for i, name in enumerate(above)]
        blocks.append(torch.zeros(line, columns * width, dtype=torch.double, device="cpu"))
    for i, row in enumerate(mosaic):
        if rows and i % (count // len(rows)) == 0:
            words.append((0, sum(map(len, blocks)) + line / 2, rows[i * len(rows) // count]))
            blocks.append(torch.zeros(line, columns * width, dtype=torch.double, device="cpu"))
        blocks.append(row)
    drawn = torch.cat(blocks)
    if ax is None:
        ax = plt.figure(figsize=(WIDTH, WIDTH * len(drawn) / drawn.shape[1]), layout="none").add_axes((0, 0, 1, 1))
    # 52 greys: more than an eye tells apart, half the bytes of 256; and the last bits of a float, which differ from
    # machine to machine, do not reach the picture
    greys = (drawn * 51).round().mul(5).to(torch.uint8).numpy()
    ax.imshow(greys, cmap=INK_MAP, vmin=0, vmax=255, interpolation="none")
    for across, down, name in words:
        ax.text(across, down, name, color=INK, va="center", ha="left")
    ax.set_axis_off()
    return ax
