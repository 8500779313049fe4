"""The public face: `record` a block of code, then ask the graph what is random and what the gradient reaches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from vae_lab.graph.drawing import Drawing
from vae_lab.graph.gradient import Flow, again, measure
from vae_lab.graph.record import Recorder, calling_frame
from vae_lab.graph.values import RecordingError, Value
from vae_lab.graph.view import Picture, View
from vae_lab.graph.words import describe

LIMIT = 60  # nodes; more than this cannot be read


class Graph:
    """A recorded computation. Made by `record` or `explain`; shows itself in a notebook."""

    def __init__(self, recorder: Recorder, fold: Iterable[object] = ()) -> None:
        self._recorder = recorder
        self._fold = list(fold)
        self._flows: dict[Value, Flow] = {}
        self._closed = False
        self._hidden_noise: set[Value] = set()
        recorder.on_backward = self._before_backward

    # -- the block -------------------------------------------------------------------------------------------------

    def __enter__(self) -> Graph:
        self._recorder.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        recorder = self._recorder
        recorder.__exit__(*exc)
        frame = recorder.stack.base
        if exc[0] is None:
            recorder.name_from(frame.f_locals)
        self._close(failed=exc[0] is not None)

    def _close(self, failed: bool = False) -> None:
        self._recorder.close()
        self._closed = True
        if failed:
            return
        if self._recorder.problems:
            raise RecordingError(self._recorder.problems[0])
        self._find_hidden_noise()
        output = self._default_output()
        if output is not None and output not in self._flows:
            self._flows[output] = measure(output, self._asked())

    def _before_backward(self, outputs: list[Tensor]) -> None:
        self._find_hidden_noise()
        for tensor in outputs:
            value = self._recorder.value(tensor)
            if value.op is not None and value.tensor.numel() == 1:
                self._flows[value] = measure(value, self._asked())

    def mark(self, **named: Tensor) -> None:
        """Give values their names, inside the block or after it: `g.mark(mu=mu, z=z)`.

        Raises:
            TypeError: where what came is not a tensor.
            ValueError: where the tensor plays no part in the recording, or the name is taken.
        """
        for name, tensor in named.items():
            if not isinstance(tensor, Tensor):
                raise TypeError(f"mark: {name} is a {type(tensor).__name__}; a tensor of the recording is wanted.")
            value = self._recorder.find(tensor)
            if value is None and tensor.requires_grad and tensor.grad_fn is not None:
                value = self._recorder.value(tensor)
            if value is None:
                raise ValueError(
                    f"mark: {name} was neither computed in the recorded block nor used in it; mark a value of it."
                )
            other = next((v for v in self._recorder.values if v.name == name and v is not value), None)
            if other is not None or name in self._recorder.modules:
                raise ValueError(f"mark: the name {name} is already given to another value; choose a second name.")
            value.name = name

    # -- names -----------------------------------------------------------------------------------------------------

    def _names(self) -> dict[Value, str]:
        """The name of each named value; a local variable that held several values gives `h_1`, `h_2`, ..."""
        values = self._recorder.values
        names = {v: v.name for v in values if v.name is not None}
        given = any(v.name is not None and v.op is not None for v in values)
        if not given:
            held: dict[str, list[Value]] = {}
            for v in values:
                if v.name is None and v.local is not None:
                    held.setdefault(v.local, []).append(v)
            taken = set(names.values()) | set(self._recorder.modules)
            for local, those in held.items():
                for i, v in enumerate(those, 1):
                    name = local if len(those) == 1 and local not in taken else f"{local}_{i}"
                    names[v] = name
        return names

    def _value(self, name: str | Tensor) -> Value:
        if isinstance(name, Tensor):
            value = self._recorder.find(name)
            if value is None:
                raise ValueError("graph: this tensor is no value of the recording.")
            return value
        for value, known in self._names().items():
            if known == name:
                return value
        known_names = ", ".join(sorted({*self._names().values(), *self._recorder.modules})) or "none"
        raise KeyError(f"graph: no recorded value is called {name!r}; the names are: {known_names}.")

    def _asked(self) -> set[Value]:
        """The values about which a gradient is worth asking: those that ask for one and all that follow from them."""
        asked: set[Value] = set()
        for value in self._recorder.values:
            from_asked = value.op is not None and any(u in asked for u in value.op.inputs)
            if value.edge is not None or from_asked:
                asked.add(value)
        return asked

    def _default_output(self) -> Value | None:
        """The value called loss, or the last result that nothing else used."""
        values = self._recorder.values
        used = {u for v in values if v.op is not None for u in v.op.inputs}
        named = [v for v, n in self._names().items() if n == "loss"]
        if named:
            return named[-1]
        made = [v for v in values if v.op is not None and v.op.inputs and v.differentiable and v not in used]
        scalars = [v for v in made if v.tensor.numel() == 1]
        return (scalars or made)[-1] if made else None

    # -- randomness ------------------------------------------------------------------------------------------------

    def _find_hidden_noise(self) -> None:
        """Tell draws that stop a gradient from smooth functions of hidden noise (dropout, `Gamma.rsample`)."""
        for op in self._recorder.operations:
            if not op.random or not op.inputs:
                continue
            for value in op.outputs:
                operands = [u for u in op.inputs if u.differentiable]
                if not operands or not value.differentiable:
                    continue
                enabled = again(value, operands, _cotangent(value.tensor))
                if any(s is not None and bool((s != 0).any()) for s in enabled.values()) and op.grad_enabled:
                    self._hidden_noise.add(value)

    def kinds(self) -> dict[str, str]:
        """Whether each named value is "stochastic" or "deterministic", given its parents.

        A value computed from noise is deterministic once the noise is given; the noise itself is the stochastic node
        (Schulman et al. 2015, section 2).
        """
        view = self._view("names")
        kinds = dict.fromkeys(self._recorder.modules, "deterministic")
        for value, name in self._names().items():
            kinds[name] = "stochastic" if view.stochastic(value) else "deterministic"
        return kinds

    # -- gradients -------------------------------------------------------------------------------------------------

    def flow(self, output: str | Tensor | None = None) -> Flow | None:
        """The measured gradient of one output at every value of the recording."""
        value = self._default_output() if output is None else self._value(output)
        if value is None:
            return None
        if value not in self._flows:
            self._flows[value] = measure(value, self._asked())
        return self._flows[value]

    def gradient(self, output: str | Tensor | None = None) -> dict[tuple[str, str], str]:
        """For each edge of the picture: the gradient of `output` "passes", is "zero", is "cut", or is "unasked"."""
        return {(e.source, e.target): e.verdict or "cut" for e in self.picture(output).edges}

    def reaches(self, output: str | Tensor | None = None) -> set[str]:
        """The names at which a gradient of `output` arrives that is not zero everywhere."""
        flow = self.flow(output)
        if flow is None:
            return set()
        arrived = {v for v, g in flow.arrives.items() if bool((g != 0).any()) and v is not flow.output}
        reached = {n for v, n in self._names().items() if v in arrived}
        owner = {id(p): n for n, m in self._recorder.modules.items() for p in m.parameters()}
        return reached | {owner[id(v.tensor)] for v in arrived if id(v.tensor) in owner and v.kind == "parameter"}

    # -- pictures --------------------------------------------------------------------------------------------------

    def _view(self, detail: str) -> View:
        return View(
            self._recorder.values, self._recorder.modules, self._names(), self._hidden_noise, detail, self._fold
        )

    def picture(self, output: str | Tensor | None = None, *, detail: str | None = None) -> Picture:
        """Nodes and edges, ready to be drawn."""
        names = self._names()
        if detail is None:
            detail = "names" if any(v.op is not None for v in names) else "all"
        flow = self.flow(output)
        used = {u for v in self._recorder.values if v.op is not None for u in v.op.inputs}
        targets = [v for v in names if v.op is not None or v in used]
        if flow is not None:
            targets.append(flow.output)
        return self._view(detail).picture(dict.fromkeys(targets), flow)

    def draw(
        self, output: str | Tensor | None = None, *, detail: str | None = None, numbers: bool = False,
        shapes: bool = False, legend: bool = True,
    ) -> Drawing:  # fmt: skip
        """Draw the graph with the gradient of `output` (by default the loss) on its way back.

        Args:
            output: the value whose gradient is shown, by name or as the tensor itself.
            detail: "names" shows named values and random draws, "all" every step.
            numbers: put the size of the gradient on each edge: itself for a scalar, else its Euclidean length.
            shapes: put the shape of each value under its name.
            legend: explain the signs below the picture.

        Raises:
            RecordingError: where the picture would have too many nodes to be read.
        """
        picture = self.picture(output, detail=detail)
        if len(picture.nodes) > LIMIT:
            raise RecordingError(
                f"draw: the picture would have {len(picture.nodes)} nodes and more than {LIMIT} cannot be read; show "
                "modules whole with record(..., fold=[module]), or name a few values with mark(...)."
            )
        return Drawing(picture, numbers=numbers, shapes=shapes, legend=legend)

    def to_svg(self, output: str | Tensor | None = None, **options: Any) -> str:
        """The picture as standalone SVG text; the options are those of `draw`."""
        return self.draw(output, **options).svg

    def describe(self, output: str | Tensor | None = None) -> str:
        """The picture in sentences, one a line."""
        return "\n".join(describe(self.picture(output)))

    def __repr__(self) -> str:
        return self.describe() if self._closed else "Graph(still recording)"

    def _repr_html_(self) -> str:
        return self.draw()._repr_html_()

    def _repr_svg_(self) -> str:
        return self.draw().svg


def _cotangent(tensor: Tensor) -> Tensor:
    """Fixed, irregular weights without a zero, so that nothing cancels by accident and no random stream is touched."""
    n = torch.arange(1, tensor.numel() + 1, dtype=torch.float64, device=tensor.device)
    return (torch.frac(n * 0.6180339887498949) + 0.5).reshape(tensor.shape).to(tensor.dtype)


def record(*, fold: Iterable[object] = (), **named: Tensor | nn.Module) -> Graph:
    """Record the computation in a `with` block."""
    frame = calling_frame()
    recorder = Recorder(frame, [f for f in fold if callable(f)])
    for name, thing in named.items():
        if isinstance(thing, nn.Module):
            recorder.modules[name] = thing
        elif isinstance(thing, Tensor):
            recorder.leaf(thing, name)
        else:
            raise TypeError(f"record: {name} is a {type(thing).__name__}; a tensor or a module is wanted.")
    return Graph(recorder, fold)
