"""Say in words where, and why, the gradient of a function stops."""

from __future__ import annotations

import copy
import inspect
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from html import escape
from typing import Any

import torch
from torch import Tensor, nn

from vae_lab.graph.drawing.drawing import Drawing
from vae_lab.graph.drawing.sentences import gradient, listed
from vae_lab.graph.gradient.measure import seed_for
from vae_lab.graph.graph import Graph
from vae_lab.graph.record import enter
from vae_lab.graph.recording.recorder import Recorder
from vae_lab.graph.recording.values import RecordingError, tensors_in

STEP = 1e-2  # relative size of the nudge that tells "does not use it" from "uses it, but lost its gradient"


class Explanation:
    """What `explain` found: sentences to read, the names that the gradient reaches and misses, and the graph."""

    def __init__(self, sentences: list[str], reached: list[str], lost: list[str], graph: Graph | None) -> None:
        self.sentences = sentences
        self.reached = reached
        self.lost = lost  # the result changes with them, but no gradient says so
        self.graph = graph

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{escape(s)}</li>" for s in self.sentences)
        return f"<ul>{said}</ul>" + (Drawing(self.graph.picture())._repr_html_() if self.graph is not None else "")


def explain(f: Callable[..., Any], *inputs: Any, **named: Any) -> Explanation:
    """Run `f` once on copies of the inputs and say what its gradient reaches, and where and why it stops.

    Every floating-point tensor among the inputs is asked for a gradient, and so is every parameter of a module among
    them. The function is run again with one input nudged and the same random numbers where the gradient is lost: that
    tells an input which is not used from one whose gradient was lost. The random streams of torch, NumPy and Python are
    afterwards where they were.

    Args:
        f: a function of tensors, modules and anything else.
        inputs: what to call it with, by position.
        named: what to call it with, by name.

    Raises:
        TypeError: where no input is a floating-point tensor or a module.

    Example:
        >>> def sampler(mu, sigma):
        ...     return torch.normal(mu, sigma)
        >>> report = explain(sampler, torch.zeros(4), torch.ones(4))
        >>> report.lost
        ['mu', 'sigma']
        >>> print(report.sentences[0])
        The gradient of the result of sampler reaches none of its inputs.
    """
    names = _names(f, len(inputs)) + list(named)
    given = dict(zip(names, [*inputs, *named.values()], strict=True))
    asked = [n for n, v in given.items() if isinstance(v, nn.Module) or (isinstance(v, Tensor) and _can_ask(v))]
    if not asked and not isinstance(f, nn.Module):
        raise TypeError("explain: none of the inputs is a floating-point tensor or a module; at least one is wanted.")

    def run(nudged: str | None = None, graph: Graph | None = None) -> Any:
        copies = {n: _copy(v, n == nudged) for n, v in given.items()}
        if graph is not None:
            enter(graph, {n: copies[n] for n in asked})
        with _same_randomness(), torch.enable_grad(), graph or nullcontext():
            return f(*list(copies.values())[: len(inputs)], **{n: copies[n] for n in named})

    graph = Graph(Recorder(sys._getframe()))
    if isinstance(f, nn.Module):
        enter(graph, dict(f.named_parameters()))
    result = run(graph=graph)
    title = getattr(f, "__name__", type(f).__name__)
    outputs = [t for t in tensors_in(result) if t.is_floating_point() or t.is_complex()]
    if not outputs:
        return Explanation(_no_gradient(title, result), [], asked, None)
    for tensor in outputs:
        graph.tape.value(tensor)
    sentences: list[str] = []
    reached: dict[str, None] = {}
    for i, output in enumerate(outputs, 1):
        name = "the result" if len(outputs) == 1 else f"result {i}"
        sentences += _about(graph, output, f"{name} of {title}", reached)
    missed = [n for n in asked if n not in reached]
    lost = []
    for name in missed:
        changed = _differs(outputs, list(tensors_in(run(nudged=name))))
        if changed:
            lost.append(name)
            sentences.append(
                f"With the same random numbers, a nudge of {name} does change the result: its gradient is lost."
            )
        else:
            sentences.append(f"A nudge of {name} does not change the result at all: there is no gradient to lose.")
    return Explanation(sentences, [n for n in asked if n in reached], lost, graph)


def _about(graph: Graph, output: Tensor, name: str, reached: dict[str, None]) -> list[str]:
    """The sentences about one of the results."""
    try:
        picture = graph.picture(output, detail="names")
    except RecordingError:
        return [f"As far as torch can see, {name} depends on none of the inputs."]
    arrived = graph.reaches(output)
    reached |= {n: None for n in picture.nodes if n in arrived}
    sentences = gradient(picture)
    inputs = [n.id for n in picture.nodes.values() if n.id in arrived and n.role != "result"]
    first = f"The gradient of {name} reaches {listed(inputs) if inputs else 'none of its inputs'}."
    return [first, *sentences[1:]]


def _no_gradient(title: str, result: Any) -> list[str]:
    """The result is no floating-point tensor."""
    kinds = listed(dict.fromkeys(str(t.dtype) for t in tensors_in(result)), "or")
    what = f"tensors of {kinds}" if any(True for _ in tensors_in(result)) else f"a {type(result).__name__}"
    return [f"{title} gives back {what}; only a floating-point tensor can hand a gradient to the inputs."]


def _names(f: Callable[..., Any], count: int) -> list[str]:
    """The names of the first positional parameters, as far as the function gives them."""
    try:
        called = f.forward if isinstance(f, nn.Module) else f
        parameters = list(inspect.signature(called).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = [p.name for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}][:count]
    return plain + [f"input_{i}" for i in range(len(plain) + 1, count + 1)]


def _can_ask(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _copy(thing: Any, nudged: bool) -> Any:
    """A copy that asks for a gradient; `nudged` moves every entry a little."""
    if isinstance(thing, nn.Module):
        module = copy.deepcopy(thing)
        with torch.no_grad():
            for p in module.parameters() if nudged else []:
                p.add_(_nudge(p))
        return module
    if not isinstance(thing, Tensor):
        return thing
    twin = thing.detach().clone()
    if nudged:
        twin += _nudge(twin)
    return twin.requires_grad_() if _can_ask(twin) else twin


def _nudge(tensor: Tensor) -> Tensor:
    return STEP * (1 + tensor.abs()) * seed_for(tensor)


def _differs(first: list[Tensor], second: list[Tensor]) -> bool:
    return len(first) != len(second) or any(
        a.shape != b.shape or not torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))
        for a, b in zip(first, second, strict=True)
    )


@contextmanager
def _same_randomness() -> Iterator[None]:
    """Put the random streams of torch, NumPy and Python back afterwards: each run inside begins at the same place."""
    np = sys.modules.get("numpy")  # its stream matters only where somebody uses it
    python, numpy = random.getstate(), np.random.get_state() if np is not None else None
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(python)
        if np is not None:
            np.random.set_state(numpy)
