"""The model of the course, drawn: what goes in, what is computed, what is drawn at random, what comes out.

    x [784] -> 400 -> 200 -> mu, logvar [D];   z = mu + exp(logvar / 2) * eps;   z -> 200 -> 400 -> x_hat [784]

Two drawings of the same thing: `Architecture`, with an image and its numbers in it, and `strip`, as small as a line of
text, in which one part is marked. Both are SVG in the colour of the text around them, and their words stay words.
"""

from __future__ import annotations

import base64
from collections.abc import Collection
from html import escape
from io import BytesIO

import torch
from PIL import Image
from torch import Tensor, nn

from vae_lab.models import VAE

PARTS = {
    "encoder": "the encoder",
    "code": "μ and logvar, what the encoder answers",
    "noise": "ε, the noise",
    "z": "z, the sampling step",
    "decoder": "the decoder",
    "loss": "the loss",
}
CHANCE = 'stroke="var(--vae-chance, #c25500)"'


class Architecture:
    """One image on its way through a VAE with hidden layers, with all the numbers on that way.

    Args:
        model: a `VAE` of two hidden layers; its latent dimension D is shown, up to three numbers of each vector.
        x: one image, [1, H, W], floats in [0, 1].
        eps: the noise, [D].

    Example:
        >>> picture = Architecture(VAE(latent_dim=2), torch.zeros(1, 28, 28), eps=torch.zeros(2))
        >>> "784" in picture.svg and "400" in picture.svg
        True

    Source: Kingma & Welling 2014, figure 1 and appendix C.
    """

    def __init__(self, model: VAE, x: Tensor, *, eps: Tensor) -> None:
        with torch.no_grad():
            mu, logvar = model.encode(x[None])
            z = mu + torch.exp(logvar / 2) * eps
            x_hat = torch.sigmoid(model.decode(z))
        first, second, _ = (layer.out_features for layer in model.encoder if isinstance(layer, nn.Linear))
        self.svg = _large(x, x_hat[0], (x.numel(), first, second), mu[0], logvar[0], eps, z[0])

    def _repr_html_(self) -> str:
        return f'<div class="vae-architecture">{self.svg}</div>'


def strip(here: Collection[str]) -> str:
    """Draw the model in one line, as an SVG, with the given parts marked.

    Args:
        here: some of "encoder", "code", "noise", "z", "decoder" and "loss".

    Raises:
        ValueError: if there is no such part.

    Example:
        >>> strip({"z", "noise"}).startswith("<svg")
        True
    """
    if not here or set(here) - set(PARTS):
        raise ValueError(f"strip: {sorted(here)} are not all parts of the model; there are {', '.join(PARTS)}.")

    def group(part: str, drawn: str) -> str:
        return f'<g class="{"here" if part in here else "there"}">{drawn}</g>'

    said = "The model: x, encoder, μ and logvar, z with its noise ε, decoder, x̂. Marked: "
    parts = [
        _words(10, 45, "x"),
        _arrow("M20 41H32"),
        group("encoder", _box(34, 29, 64, 24) + _words(66, 45, "encoder")),
        _arrow("M98 41H110"),
        group("code", _box(112, 29, 72, 24) + _words(148, 45, "μ, logvar")),
        _arrow("M184 41H198"),
        group("noise", _words(214, 13, "ε") + _arrow("M214 17V26", CHANCE)),
        group("z", f'<circle cx="214" cy="41" r="13" {CHANCE}/>' + _words(214, 45, "z")),
        _arrow("M227 41H239"),
        group("decoder", _box(241, 29, 66, 24) + _words(274, 45, "decoder")),
        _arrow("M307 41H319"),
        _words(331, 45, "x̂"),
        group("loss", '<path d="M10 56V66H331V56M148 56V66"/>' + _words(200, 80, "loss = error + KL")),
    ]
    names = "; ".join(PARTS[part] for part in PARTS if part in here)
    return _svg(342, 86, said + names, "".join(parts), "vae-strip")


def _large(
    x: Tensor, x_hat: Tensor, sizes: tuple[int, int, int], mu: Tensor, logvar: Tensor, eps: Tensor, z: Tensor
) -> str:
    pixels, first, second = sizes
    parts = [
        _image(x, 4, 30), _words(34, 20, "image x"), _words(34, 104, f"[B, {pixels}]"),
        _arrow("M66 60H88"), _bar(90, 60, 60), _words(98, 20, f"{first}"),
        _arrow("M108 60H126"), _bar(128, 60, 40), _words(136, 20, f"{second}"), _words(116, 104, "encoder"),
        _arrow("M146 52L170 42"), _arrow("M146 68L170 80"),
        _box(172, 28, 182, 26), _words(263, 45, f"μ = {_numbers(mu)}"), _words(263, 20, f"[B, {len(mu)}] each"),
        _box(172, 66, 168, 26), _words(256, 83, f"logvar = {_numbers(logvar)}"),
        _arrow("M348 54V124"), _arrow("M256 92V124"),
        f'<rect x="4" y="128" width="130" height="44" rx="22" stroke-dasharray="4 3" {CHANCE}/>',
        _words(69, 146, "noise ε ~ N(0, I)"), _words(69, 163, _numbers(eps)),
        _arrow("M134 150H168", CHANCE),
        f'<rect x="172" y="126" width="182" height="48" rx="6" {CHANCE} stroke-width="2.5"/>',
        _words(263, 146, "z = μ + exp(logvar/2) · ε"), _words(263, 165, f"= {_numbers(z)}"),
        _arrow("M263 174V240H150"), _bar(128, 240, 40), _words(136, 200, f"{second}"),
        _arrow("M128 240H110"), _bar(90, 240, 60), _words(98, 200, f"{first}"), _words(116, 284, "decoder"),
        _arrow("M90 240H70"), _image(x_hat, 4, 210), _words(34, 200, "x̂"), _words(34, 284, f"[B, {pixels}]"),
    ]  # fmt: skip
    said = (
        f"An image x of {pixels} pixels goes through layers of {first} and {second} units to mu and logvar, "
        f"{len(mu)} numbers each. With the noise eps they make z, from which layers of {second} and {first} units "
        f"draw the image x hat."
    )
    return _svg(358, 292, said, "".join(parts), "vae-model")


def _svg(width: int, height: int, said: str, inside: str, kind: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{kind}" role="img" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" fill="none" stroke="currentColor" stroke-width="1.3" '
        f'font-family="DejaVu Sans, Verdana, sans-serif" font-size="12.5"><title>{escape(said)}</title>'
        f'<defs><marker id="{kind}-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" '
        f'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="currentColor" stroke="none"/></marker></defs>'
        + inside.replace("#tip", f"#{kind}-tip")
        + "</svg>"
    )


def _words(x: float, y: float, text: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="middle" fill="currentColor" stroke="none">{escape(text)}</text>'


def _box(x: float, y: float, width: float, height: float) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="5"/>'


def _bar(x: float, middle: float, height: float) -> str:
    return _box(x, middle - height / 2, 16, height)


def _arrow(path: str, colour: str = "") -> str:
    return f'<path d="{path}" marker-end="url(#tip)" {colour}/>'


def _numbers(values: Tensor) -> str:
    shown = ", ".join(f"{value:.2f}".replace("-", "−") for value in values[:2].tolist())
    return f"({shown}{', …' if len(values) > 2 else ''})"


def _image(x: Tensor, left: float, top: float) -> str:
    """Draw an image in a frame of 60 by 60, as ink in the colour of the text: its greys are how much ink there is."""
    ink = (x.reshape(x.shape[-2:]).clamp(0, 1) * 255).round().to(torch.uint8)
    buffer = BytesIO()
    Image.fromarray(ink.numpy(), "L").save(buffer, "PNG", optimize=True)
    source = base64.b64encode(buffer.getvalue()).decode()
    place = f'x="{left}" y="{top}" width="60" height="60"'
    name = f"vae-ink-{left:g}-{top:g}"
    return (
        f'<mask id="{name}"><image {place} href="data:image/png;base64,{source}" style="image-rendering: pixelated"/>'
        f'</mask><rect {place} fill="currentColor" stroke="none" mask="url(#{name})"/><rect {place} rx="3"/>'
    )
