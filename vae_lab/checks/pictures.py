"""Pictures that a lab shows of a student's own results: drawn in microseconds, with no plotting library.

A picture is the last expression of a cell; Jupyter and Colab ask it for its SVG or PNG. Lines take the colour of the
surrounding text, so that they are readable on a light and on a dark page.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Sequence
from html import escape
from itertools import pairwise

import torch
from torch import Tensor

from vae_lab.language import said

WIDTH, HEIGHT = 560, 190


class Picture:
    """An SVG drawing, and the same as PNG, with a text that says what is to be seen, for those who cannot see it.

    What is handed in is shown to who marks it without anything active, and that leaves PNG alone.
    """

    def __init__(self, body: str, says: str, width: int = WIDTH, height: int = HEIGHT, *, gray: Tensor) -> None:
        self.says = says = said(says)
        self._gray = gray
        self._svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
            f'aria-label="{escape(says)}" font-family="sans-serif" font-size="12">{body}</svg>'
        )

    def _repr_html_(self) -> str:
        return self._svg

    def _repr_png_(self) -> bytes:
        return png(self._gray)

    def __repr__(self) -> str:
        return f"<picture: {self.says}>"


def draws_and_density(draws: Tensor, mu: float, sigma: float) -> Picture:
    """Draw a histogram of `draws` and, over it, the density of N(mu, sigma^2).

    Args:
        draws: any shape.
        mu: mean.
        sigma: standard deviation.

    Example:
        >>> draws_and_density(torch.randn(100), 0.0, 1.0)
        <picture: histogram of 100 draws with the density of N(0, 1^2)>
    """
    values, bins = draws.detach().double().cpu().flatten(), 60
    low, high = mu - 4.5 * sigma, mu + 4.5 * sigma
    counts = torch.histc(values, bins, low, high) / (len(values) * (high - low) / bins)
    peak = max(float(counts.max()), 1 / (sigma * math.sqrt(2 * math.pi))) or 1.0
    step, floor = WIDTH / bins, HEIGHT - 20
    bars = "".join(
        f'<rect x="{i * step:.1f}" y="{floor - h:.1f}" width="{step - 1:.1f}" height="{h:.1f}"/>'
        for i, h in enumerate((counts / peak * (floor - 8)).tolist())
    )
    grid = torch.linspace(-4.5, 4.5, 121, dtype=torch.float64, device="cpu")
    curve = torch.exp(-grid.square() / 2) / (sigma * math.sqrt(2 * math.pi)) / peak * (floor - 8)
    points = " ".join(f"{i / 120 * WIDTH:.1f},{floor - y:.1f}" for i, y in enumerate(curve.tolist()))
    marks = "".join(
        f'<text x="{(k + 4.5) / 9 * WIDTH:.0f}" y="{HEIGHT - 4}" text-anchor="middle">{mu + k * sigma:.2g}</text>'
        for k in (-4, -2, 0, 2, 4)
    )
    body = (
        f'<g fill="#0072b2" fill-opacity="0.55">{bars}</g><g fill="currentColor">{marks}</g>'
        f'<polyline points="{points}" fill="none" stroke="#d55e00" stroke-width="2"/>'
    )
    gray = paper()
    for i, h in enumerate((counts / peak * (floor - 8)).tolist()):
        gray[int(floor - h) : floor, int(i * step) : int((i + 1) * step) - 1] = 180
    trace(gray, [(i / 120 * WIDTH, floor - y) for i, y in enumerate(curve.tolist())])
    says = f"histogram of {len(values)} draws with the density of N({mu:.3g}, {sigma:.3g}^2)"
    return Picture(body, says, gray=gray)


def curves(named: dict[str, Sequence[float]], x: Sequence[float], xlabel: str = "") -> Picture:
    """Draw one line for each name, over common x.

    Args:
        named: name -> values, each as long as x.
        x: increasing.
        xlabel: written below.

    Example:
        >>> curves({"loss": [3.0, 2.0]}, [0, 1], "epoch")
        <picture: loss against epoch, from 3 to 2>
    """
    every = [float(v) for values in named.values() for v in values if math.isfinite(v)] or [0.0]
    low, high = min(every), max(every)
    span, reach = (high - low) or 1.0, (x[-1] - x[0]) or 1.0
    right, floor, foot = WIDTH - 130, HEIGHT - 24, HEIGHT - 4
    body, gray = "", paper()
    for (name, values), colour in zip(named.items(), ("#0072b2", "#d55e00", "#009e73", "#cc79a7") * 9, strict=False):
        places = [
            (50 + (at - x[0]) / reach * (right - 50), 10 + (high - float(v)) / span * (floor - 14))
            for at, v in zip(x, values, strict=True)
            if math.isfinite(v)
        ]
        trace(gray, places)
        line = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
        body += f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
        if places:
            px, py = places[-1]
            body += f'<text x="{px + 6:.0f}" y="{py + 4:.0f}" fill="{colour}">{escape(said(name))}</text>'
    body += (
        f'<g fill="currentColor"><text x="0" y="14">{high:.4g}</text><text x="0" y="{floor}">{low:.4g}</text>'
        f'<text x="50" y="{foot}">{x[0]:.3g}</text><text x="{right}" y="{foot}" text-anchor="end">{x[-1]:.3g}</text>'
        f'<text x="{(50 + right) / 2:.0f}" y="{foot}" text-anchor="middle">{escape(said(xlabel))}</text></g>'
    )
    ends = "; ".join(said(f"{name} against {xlabel}, from {v[0]:.4g} to {v[-1]:.4g}") for name, v in named.items())
    return Picture(body, ends, gray=gray)


def images(rows: Tensor, columns: int = 10, zoom: int = 2) -> Picture:
    """Lay images out on a grid, white on black.

    Args:
        rows: [n, H, W], [n, 1, H, W] or [n, 784], in [0, 1].
        columns: images in one row of the grid.
        zoom: screen pixels per image pixel.

    Example:
        >>> images(torch.zeros(4, 784))
        <picture: 4 images>
    """
    flat = rows.detach().float().cpu()
    side = math.isqrt(flat[0].numel())
    flat = flat.reshape(len(flat), side, side).nan_to_num().clamp(0, 1)
    n, columns = len(flat), min(columns, len(flat))
    missing = -n % columns
    sheet = torch.cat([flat, torch.zeros(missing, side, side, device="cpu")]).unflatten(0, (-1, columns))
    gray = (sheet.permute(0, 2, 1, 3).reshape(-1, columns * side) * 255).byte()
    height, width = gray.shape
    code = base64.b64encode(png(gray)).decode()
    body = (
        f'<image href="data:image/png;base64,{code}" width="{width * zoom}" height="{height * zoom}" '
        'style="image-rendering:pixelated"/>'
    )
    large = gray.repeat_interleave(zoom, 0).repeat_interleave(zoom, 1)
    return Picture(body, f"{n} images", width * zoom, height * zoom, gray=large)


def paper() -> Tensor:
    """A white sheet for the PNG of a drawing, uint8 [HEIGHT, WIDTH]; it bears lines and bars, and no letters."""
    return torch.full((HEIGHT, WIDTH), 255, dtype=torch.uint8, device="cpu")


def trace(sheet: Tensor, places: Sequence[tuple[float, float]]) -> None:
    """Draw a line through places (x, y) onto a sheet.

    Example:
        >>> sheet = paper()
        >>> trace(sheet, [(0.0, 5.0), (9.0, 5.0)])
        >>> int((sheet[5] == 0).sum())
        10
    """
    for (x0, y0), (x1, y1) in pairwise(places):
        steps = torch.linspace(0, 1, 2 + int(2 * max(abs(x1 - x0), abs(y1 - y0))), device="cpu")
        across = (x0 + steps * (x1 - x0)).long().clamp(0, sheet.shape[1] - 1)
        down = (y0 + steps * (y1 - y0)).long().clamp(0, sheet.shape[0] - 1)
        sheet[down, across] = 0


def png(gray: Tensor) -> bytes:
    """Encode a grey picture, uint8 [H, W], as PNG.

    Example:
        >>> png(torch.zeros(2, 3, dtype=torch.uint8))[1:4]
        b'PNG'
    """
    height, width = gray.shape
    lines = b"".join(b"\0" + bytes(line) for line in gray.tolist())

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
