"""What is drawn and said: nodes, edges, and what happens on each edge to the gradient."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from torch import Tensor

from vae_lab.graph.gradient.measure import CUT, PASSES, UNASKED, ZERO
from vae_lab.graph.recording.values import Source, Value

LONGEST = 22  # characters of a caption: a picture is at most as wide as a telephone
_PREFIX = re.compile(r"\b(torch\.nn\.functional|torch|F)\.")
_RANK = {PASSES: 0, ZERO: 1, CUT: 2, UNASKED: 3, None: 4}


@dataclass
class Node:
    """One node of the picture."""

    id: str
    role: str  # "input", "parameter", "constant" or "result"
    stochastic: bool = False
    caption: str = ""  # how it is computed, in the reader's own words where the line says it
    operation: str = ""
    shape: tuple[int, ...] | None = None
    source: Source | None = None
    values: list[Value] = field(default_factory=list)
    value: str = ""
    gradient: float | None = None


@dataclass
class Stop:
    """Where the gradient arrives and goes no further."""

    verdict: str  # "cut" or "zero"
    operation: str
    place: Source | None
    reason: str


@dataclass
class Edge:
    """One edge of the picture: data flow from `source` to `target`, and the gradient's way back."""

    source: str
    target: str
    verdict: str | None = None  # "passes", "zero", "cut", "unasked"; None where no output was chosen
    stops: list[Stop] = field(default_factory=list)  # not empty: the gradient reaches `target` and ends on this edge
    number: float | None = None  # the size of the share of the gradient that this edge carries


@dataclass
class Picture:
    """Nodes and edges in drawing order."""

    nodes: dict[str, Node]
    edges: list[Edge]
    output: str | None = None
    hooked: list[str] = field(default_factory=list)  # a hook of the person's may change the gradient there
    spoiled: list[tuple[str, Source | None]] = field(default_factory=list)  # steps that make it infinite or NaN
    unused: list[str] = field(default_factory=list)  # recorded by name, but without a part in the output
    cancelled: list[str] = field(default_factory=list)  # gradients arrive along several ways and add up to nothing
    without: dict[str, list[str]] = field(default_factory=dict)  # module reached in part -> parameters that are not


def size(tensor: Tensor) -> float:
    """One number for a gradient: itself if it is a scalar, its Euclidean length otherwise."""
    return float(tensor.real.item() if tensor.numel() == 1 else tensor.norm().item())


def spelled(tensor: Tensor) -> str:
    """A value in a few characters: up to three entries, or the mean of more.

    >>> import torch
    >>> spelled(torch.tensor(0.125)), spelled(torch.tensor([1.0, -2.5])), spelled(torch.arange(8))
    ('0.125', '1, −2.5', 'mean 3.5')
    """
    flat = tensor.detach().flatten()
    if not flat.numel():
        return "empty"
    if flat.numel() > 3:
        return f"mean {flat.abs().mean().item() if flat.is_complex() else flat.double().mean().item():.3g}".replace(
            "-", "−"
        )
    return ", ".join(str(v) if isinstance(v, bool | complex) else f"{v:.3g}" for v in flat.tolist()).replace("-", "−")


def better(a: Edge, b: Edge) -> Edge:
    """Two ways between the same nodes as one: the gradient takes whichever is open."""
    best, other = (a, b) if _RANK[a.verdict] <= _RANK[b.verdict] else (b, a)
    stops = best.stops + [s for s in other.stops if s not in best.stops]
    return Edge(a.source, a.target, best.verdict, stops if best.verdict != PASSES else [], best.number)


def caption(name: str, text: str, operation: str) -> str:
    """The right-hand side of the line that assigns `name`, where it is short enough; else the operation.

    >>> caption("z", "z = mu + sigma * eps", "add"), caption("z", "return mu + sigma * eps", "add")
    ('mu + sigma * eps', 'add')
    """
    if name.startswith(operation):  # an unnamed value is called after its operation already
        return ""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return _PREFIX.sub("", operation)
    if len(tree.body) == 1 and isinstance(statement := tree.body[0], ast.Assign):
        targets = [n.id for t in statement.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
        written = _PREFIX.sub("", ast.unparse(statement.value))
        if name in targets and len(written) <= LONGEST:
            return written
    return _PREFIX.sub("", operation)
