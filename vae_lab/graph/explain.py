"""Say in words where, and why, the gradient of a function stops."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from html import escape
from typing import Any

import torch
from torch import Tensor, nn

from vae_lab.graph.drawing.drawing import Drawing
from vae_lab.graph.drawing.sentences import gradient, listed, together
from vae_lab.graph.gradient.copies import OWN, Copies, can_ask
from vae_lab.graph.gradient.dependence import Change, depends, may_jump, same_randomness
from vae_lab.graph.gradient.measure import nonzero, seed_for
from vae_lab.graph.graph import Graph
from vae_lab.graph.record import enter
from vae_lab.graph.recording.recorder import Recorder
from vae_lab.graph.recording.values import RecordingError, Value, tensors_in
from vae_lab.language import said

MANY = 40  # parameters without a gradient; of more, it is not asked one by one which of them the result depends on


class Explanation:
    """What `explain` found: sentences to read, the names that the gradient reaches and misses, and the graph.

    A module is in `reached` or `lost` under its own name only if all its parameters are; else they stand there one by
    one (`model.encoder.weight`).
    """

    def __init__(self, sentences: list[str], reached: list[str], lost: list[str], graph: Graph | None) -> None:
        self.sentences = sentences
        self.reached = reached
        self.lost = lost  # the result changes with them, but no gradient says so
        self.graph = graph

    def __str__(self) -> str:
        return "\n".join(map(said, self.sentences))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        shown = "".join(f"<li>{escape(said(s))}</li>" for s in self.sentences)
        try:
            drawn = Drawing(self.graph.picture())._repr_html_() if self.graph is not None else ""
        except RecordingError:  # no path to draw; the sentences say so
            drawn = ""
        return f"<ul>{shown}</ul>{drawn}"


def explain(f: Callable[..., Any], *inputs: Any, **named: Any) -> Explanation:
    """Run `f` once on copies of the inputs and say what its gradient reaches, and where and why it stops.

    Every floating-point tensor among the inputs is asked for a gradient, and so is every parameter of a module among
    them. Where no gradient arrives, the function is run again with that input changed and the same random numbers: that
    tells an input which is not used from one whose gradient was lost. The random streams of torch, NumPy and Python are
    afterwards where they were.

    Args:
        f: a function of tensors, modules and anything else.
        inputs: what to call it with, by position.
        named: what to call it with, by name.

    Raises:
        TypeError: where no input is a floating-point tensor or a module, or a module cannot be copied.

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
    asked = [n for n, v in given.items() if isinstance(v, nn.Module) or (isinstance(v, Tensor) and can_ask(v))]
    first = _First(f, given, len(inputs))
    if not asked and OWN not in first.copies.modules:
        raise TypeError("explain: none of the inputs is a floating-point tensor or a module; at least one is wanted.")
    title = str(getattr(f, "__name__", None) or getattr(f, "name", type(f).__name__))
    if not first.outputs:
        return Explanation(_no_gradient(title, first.result), [], asked, None)
    arrived, sentences = first.recorded(title)
    beyond = first.measured() - arrived - first.cancelled
    if first.graph is None or beyond:  # where no recorder can look, autograd still says what arrives
        arrived |= beyond
        sentences = _from_outside(first, title, arrived)
        first.graph = None

    reached: list[str] = []
    lost: list[str] = []
    for name in [*asked, *([OWN] if OWN in first.copies.modules else [])]:
        parts = first.copies.parts(name)
        missed = [part for part in parts if part not in arrived]
        gone = [part for part in missed if first.depends([part])] if len(missed) <= MANY else []
        if len(missed) > MANY and first.depends(missed):
            gone = missed
        if missed and gone == parts and name in first.copies.modules and name != OWN:
            sentences.append(_lost([name]))
        elif gone:
            sentences.append(_lost(gone))
        frozen = [part for part in gone if not first.copies.leaves[part].requires_grad]
        if frozen:
            whole = [name] if frozen == parts and name != OWN else frozen
            sentences.append(f"requires_grad is switched off for {together(whole)} on the way.")
        if unused := [part for part in missed if part not in gone]:
            whole = [name] if unused == parts and name != OWN else unused
            sentences.append(
                f"A nudge of {together(whole, 'or')} does not change the result at all: there is no gradient to lose."
            )
        if name != OWN:
            reached += [name] if parts and not missed else [part for part in parts if part not in missed]
        lost += [name] if gone and gone == parts and name != OWN else gone
    return Explanation([*sentences, *first.in_place()], reached, lost, first.graph)


class _First:
    """The recorded run, and those after it that compare with it."""

    def __init__(self, f: Callable[..., Any], given: dict[str, Any], positional: int) -> None:
        self.f, self.given, self.positional = f, given, positional
        self.as_results = False
        self.graph: Graph | None = None
        self.trouble = ""
        self.cancelled: set[str] = set()
        try:
            self._record()
        except RecordingError as error:
            self._run_bare(str(error))
        except Exception as error:
            if "leaf" in str(error) and "in-place" in str(error):  # `mu += ...`: right where mu is an encoder's result
                self.as_results = True
                self._record()
            else:
                self._run_bare(f"torch says: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
        self.outputs = [t for t in tensors_in(self.result) if can_ask(t)]

    def _record(self) -> None:
        self.copies = Copies(self.f, self.given, as_results=self.as_results)
        graph = Graph(Recorder(sys._getframe()))
        named: dict[str, Tensor | nn.Module] = {n: self.copies.leaves[n] for n in self.copies.parts(OWN)}
        named |= {n: m for n, m in self.copies.modules.items() if n != OWN}
        named |= {n: v for n, v in self.copies.inputs.items() if n in self.copies.leaves}
        enter(graph, named)
        with same_randomness(), torch.enable_grad(), graph:
            self.result = self._call(self.copies)
        self.graph = graph

    def _run_bare(self, trouble: str) -> None:
        """Run without a recording; where the reader's own code raises, this raises the same."""
        self.trouble, self.graph = trouble, None
        self.copies = Copies(self.f, self.given)
        with same_randomness(), torch.enable_grad():
            self.result = self._call(self.copies)

    def _call(self, copies: Copies) -> Any:
        values = list(copies.inputs.items())
        return copies.f(*[v for _, v in values[: self.positional]], **dict(values[self.positional :]))

    def recorded(self, title: str) -> tuple[set[str], list[str]]:
        """The leaves at which a gradient arrives, and the sentences, as the recording shows them."""
        arrived: set[str] = set()
        sentences: list[str] = []
        if self.graph is None:
            return arrived, sentences
        for tensor in self.outputs:
            self.graph.tape.value(tensor)
        for i, output in enumerate(self.outputs, 1):
            name = "the result" if len(self.outputs) == 1 else f"result {i}"
            sentences += _about(self.graph, output, f"{name} of {title}", self._escaped)
            there, cancelled = self.graph.at_leaves(output, {n: self._values(n) for n in self.copies.leaves})
            arrived |= there
            self.cancelled |= cancelled
        self.cancelled -= arrived
        return arrived, sentences

    def _escaped(self, names: list[str]) -> dict[str, str]:
        """Those of the names that do change the result, though by no way that was recorded: where each left torch."""
        assert self.graph is not None
        found = {}
        for name in names:
            parts = self.copies.parts(name)
            values = {v.key for part in parts for v in self._values(part)}
            left = [d for d in self.graph.tape.departures if values & _origins(d.value)]
            if left and len(parts) <= MANY and self.depends(parts):
                found[name] = f"by {left[0].by}{f' ({left[0].source})' if left[0].source else ''}"
        return found

    def measured(self) -> set[str]:
        """The leaves at which autograd, without a recording, delivers a gradient that is not zero."""
        wanted = list(self.copies.leaves.items())
        outputs = [t for t in self.outputs if t.requires_grad]
        if not outputs or not wanted:
            return set()
        try:
            with same_randomness():
                grads = torch.autograd.grad(
                    outputs, [t for _, t in wanted], [seed_for(t.detach()) for t in outputs],
                    allow_unused=True, retain_graph=True,
                )  # fmt: skip
        except RuntimeError:  # freed by the function's own backward, or spoiled in place: the recording knows more
            return set()
        return {name for (name, _), grad in zip(wanted, grads, strict=True) if grad is not None and nonzero(grad)}

    def _values(self, leaf: str) -> list[Value]:
        assert self.graph is not None
        tensor = self.copies.inputs.get(leaf, self.copies.leaves[leaf])
        return [v for v in self.graph.tape.values if v.tensor is tensor and v.op is None]

    def depends(self, leaves: list[str]) -> bool:
        """Whether the result changes with the leaves."""

        def run(change: Change) -> list[Tensor]:
            copies = Copies(self.f, self.given, change, leaves, self.as_results)
            with same_randomness(), torch.enable_grad():
                return [t.detach() for t in tensors_in(self._call(copies)) if can_ask(t)]

        jumps = self.graph is None or any(may_jump(self._values(n), self.graph.tape.operations) for n in leaves)
        sizes = [float(t.detach().abs().max()) for n in leaves if (t := self.copies.leaves[n]).numel()]
        return depends(run, [t.detach() for t in self.outputs], max(sizes, default=0.0), jumps)

    def in_place(self) -> list[str]:
        """A sentence for each input that the function overwrites."""
        if self.graph is None:
            return []
        overwritten = []
        for name in self.copies.inputs:
            tensor = self.copies.inputs[name]
            if name in self.copies.leaves:
                by = [v.op for v in self.graph.tape.values if v.tensor is tensor and v.op is not None]
                if by and tensor._version:
                    at = f" ({by[0].source})" if by[0].source else ""
                    overwritten.append(
                        f"{name} is changed in place by {by[0].name}{at}: whoever called the function finds it changed."
                    )
        return overwritten


def _origins(value: Value) -> set[Any]:
    """The keys of all values from which one was computed, and its own."""
    found: set[Any] = set()
    todo = [value]
    while todo:
        v = todo.pop()
        if v.key not in found:
            found.add(v.key)
            todo += v.op.inputs if v.op is not None else []
    return found


def _about(graph: Graph, output: Tensor, name: str, escaped: Callable[[list[str]], dict[str, str]]) -> list[str]:
    """The sentences about one of the results; `escaped` tells which names it depends on by an unseen way."""
    try:
        picture = graph.picture(output, detail="names")
    except RecordingError:
        return [f"As far as torch can see, {name} depends on none of the inputs."]
    numbers = escaped(picture.unused)
    picture.unused = [unused for unused in picture.unused if unused not in numbers]
    left = [
        f"{gone} leaves torch {where} and comes back as plain numbers, which carry no history."
        for gone, where in numbers.items()
    ]
    arrived = graph.reaches(output)
    inputs = [n.id for n in picture.nodes.values() if n.id in arrived and n.role != "result"]
    inputs += [f"part of {n}" for n in picture.without]
    first = f"The gradient of {name} reaches {listed(inputs) if inputs else 'none of its inputs'}."
    return [first, *gradient(picture)[1:], *left]


def _from_outside(first: _First, title: str, arrived: set[str]) -> list[str]:
    """What can be said of a function whose steps cannot be recorded."""
    names = []
    for name in [*(n for n in first.given if first.copies.parts(n)), *([OWN] if OWN in first.copies.modules else [])]:
        parts = first.copies.parts(name)
        there = [part for part in parts if part in arrived]
        names += [name] if there == parts and name != OWN else there
    why = f" ({first.trouble.rstrip('.')})" if first.trouble else ""
    return [
        f"The gradient of the result of {title} reaches {together(names) if names else 'none of its inputs'}.",
        f"Part of {title} could not be recorded: traced or scripted code, or a transform of torch.func{why}. What "
        "arrives was measured; where the rest ends cannot be shown. Give the plain Python function to see it.",
    ]


def _lost(names: list[str]) -> str:
    its = "its gradient is" if len(names) == 1 else "their gradients are"
    return f"With the same random numbers, a nudge of {together(names, 'or')} does change the result: {its} lost."


def _no_gradient(title: str, result: Any) -> list[str]:
    """The result is no floating-point tensor."""
    kinds = listed(dict.fromkeys(str(t.dtype) for t in tensors_in(result)), "or")
    what = f"tensors of {kinds}" if any(True for _ in tensors_in(result)) else f"a {type(result).__name__}"
    return [f"{title} gives back {what}; only a floating-point tensor can hand a gradient to the inputs."]


def _names(f: Callable[..., Any], count: int) -> list[str]:
    """The names of the first positional parameters, as far as the function gives them."""
    try:
        called = f.forward if isinstance(f, nn.Module) else f
        parameters: Iterable[inspect.Parameter] = inspect.signature(called).parameters.values()
    except (TypeError, ValueError):
        parameters = []
    plain = [p.name for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}][:count]
    return plain + [f"input_{i}" for i in range(len(plain) + 1, count + 1)]
