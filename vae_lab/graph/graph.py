"""A recorded computation: ask it what is random, what the gradient reaches, and what it looks like."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from torch import Tensor

from vae_lab.graph.drawing.drawing import Drawing
from vae_lab.graph.drawing.from_recording import View
from vae_lab.graph.drawing.picture import Picture
from vae_lab.graph.drawing.sentences import describe
from vae_lab.graph.gradient.measure import Flow, asked_values, measure, reached_parts, smooth_draws
from vae_lab.graph.recording.recorder import Recorder
from vae_lab.graph.recording.values import RecordingError, Value
from vae_lab.graph.recording.variable_names import default_output, name_values, names_of
from vae_lab.language import said

LIMIT = 60  # nodes; more than this cannot be read


class Graph:
    """A recorded computation. `record` and `explain` make it; the last line of a cell shows it."""

    def __init__(self, recorder: Recorder, fold: Iterable[object] = ()) -> None:
        self._recorder, self.tape, self._fold = recorder, recorder.tape, list(fold)
        self._flows: dict[Value, Flow] = {}
        self._smooth: set[Value] = set()  # results of random operations that let a gradient through
        self._looked_at = 0  # operations in which hidden noise was looked for
        self._closed = False
        recorder.on_backward = self._before_backward

    # -- the block -------------------------------------------------------------------------------------------------

    def __enter__(self) -> Graph:
        self._recorder.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        self._recorder.__exit__(*exc)
        base = self._recorder.stack.base
        if exc[0] is None and base is not None:
            name_values(base.f_locals, self.tape)
        self._recorder.close()
        self._closed = True
        if exc[0] is not None:
            return
        if self.tape.problems:
            raise RecordingError(self.tape.problems[0])
        self._find_smooth()
        self._flow(default_output(self.tape))

    def _before_backward(self, outputs: list[Tensor]) -> None:
        """Measure while autograd's graph is still there: `backward` frees it."""
        self._find_smooth()
        for tensor in outputs:
            value = self.tape.value(tensor)
            if value.op is not None:
                self._flow(value)

    def _find_smooth(self) -> None:
        operations = self.tape.operations
        self._smooth |= smooth_draws(operations[self._looked_at :])
        self._looked_at = len(operations)

    def mark(self, **named: Tensor) -> None:
        """Give values their names, inside the block or after it: `graph.mark(mu=mu, z=z)`.

        Raises:
            TypeError: where what came is not a tensor.
            ValueError: where the tensor plays no part in the recording, or the name is taken.
        """
        for name, tensor in named.items():
            if not isinstance(tensor, Tensor):
                raise TypeError(f"mark: {name} is a {type(tensor).__name__}; a tensor of the recording is wanted.")
            value = self._find(tensor)
            if value is None:
                raise ValueError(
                    f"mark: {name} plays no part in the recorded block; mark a value that was computed in it."
                )
            taken = {v.name for v in self.tape.values if v is not value} | set(self.tape.modules)
            if name in taken:
                raise ValueError(f"mark: the name {name} is already given to another value; choose a second name.")
            value.name = name

    # -- names -----------------------------------------------------------------------------------------------------

    def names(self) -> dict[Value, str]:
        """Each named value and its name.

        Names come from `record` and `mark`, and, where no result was marked, from the local variables of the code. A
        variable that held several values gives `h_1`, `h_2`, ...
        """
        return names_of(self.tape)

    def _find(self, tensor: Tensor) -> Value | None:
        known = self.tape.find(tensor)
        return known if known is not None or tensor.grad_fn is None else self.tape.value(tensor)

    def _value(self, output: str | Tensor | None) -> Value | None:
        if output is None:
            return default_output(self.tape)
        if isinstance(output, Tensor):
            value = self._find(output)
            if value is None:
                raise ValueError("graph: this tensor is no value of the recording; compute it inside the block.")
            return value
        named = [v for v, name in self.names().items() if name == output or v.local == output]
        if not named:
            known = ", ".join(sorted({*self.names().values(), *self.tape.modules})) or "there are none"
            raise ValueError(f"graph: no value of the recording is called {output!r}; the names are: {known}.")
        return named[-1]

    # -- randomness ------------------------------------------------------------------------------------------------

    def kinds(self) -> dict[str, str]:
        """Whether each named value is "stochastic" or "deterministic", given its parents.

        A value computed from noise is deterministic once the noise is given: the noise itself is the stochastic node.

        Source:
            Schulman, Heess, Weber, Abbeel (2015), Gradient estimation using stochastic computation graphs, section 2.
        """
        view = self._view("names")
        kinds = dict.fromkeys(self.tape.modules, "deterministic")
        shown = {n: v for v, n in self.names().items() if view.visible(v) or v.op is None}
        return kinds | {n: "stochastic" if view.stochastic(v) else "deterministic" for n, v in shown.items()}

    # -- gradients -------------------------------------------------------------------------------------------------

    def _flow(self, value: Value | None) -> Flow | None:
        if value is None:
            return None
        if value not in self._flows:
            self._flows[value] = measure(value, asked_values(self.tape), self.tape.values)
        return self._flows[value]

    def gradient(self, output: str | Tensor | None = None) -> dict[tuple[str, str], str]:
        """What becomes of the gradient of `output` on each edge of the picture.

        Args:
            output: a name or a tensor of the recording; by default the value called loss, else the last result.

        Returns:
            (source, target) -> "passes"; "zero", where it is exactly zero; "cut", where there is none; or "unasked",
            where the source and all behind it ask for none (data, noise).
        """
        return {(e.source, e.target): e.verdict or "unasked" for e in self.picture(output).edges}

    def reaches(self, output: str | Tensor | None = None) -> set[str]:
        """The names at which a gradient of `output` arrives that is not zero everywhere.

        A module is reached if all its parameters are; else those that are reached are named: `model.decoder.weight`.
        """
        flow = self._flow(self._value(output))
        if flow is None:
            return set()
        view = self._view("names")
        names = self.names()
        arrived = [v for v in flow.arrives if flow.alive(v) and v is not flow.output]
        learned = {view.labels[id(v.tensor)] for v in arrived if v.kind == "parameter" and id(v.tensor) in view.labels}
        for name, (_, missed) in reached_parts(self.tape, flow).items():
            if missed:
                learned.discard(name)
        learned |= {p for parts, missed in reached_parts(self.tape, flow).values() if missed for p in parts}
        return learned | {names[v] for v in arrived if v in names and (view.visible(v) or v.op is None)}

    def at_leaves(self, output: Tensor, leaves: dict[str, list[Value]]) -> tuple[set[str], set[str]]:
        """Of leaves with the values that hold them: those that a gradient reaches, and those at which it cancels."""
        flow = self._flow(self._value(output))
        if flow is None:
            return set(), set()
        reached = {n for n, values in leaves.items() if any(flow.alive(v) for v in values)}
        return reached, {n for n, values in leaves.items() if any(flow.cancels(v) for v in values)}

    def arriving(self, output: str | Tensor | None = None) -> dict[str, Tensor]:
        """The gradient of `output` at each named value at which one arrives, zeros included.

        It is what `autograd` gives, and beyond: where a cut keeps autograd from following, it is what arrives on the
        near side of the cut. A value of several entries counts as their sum under fixed irregular weights.
        """
        flow = self._flow(self._value(output))
        return {} if flow is None else {n: flow.arrives[v] for v, n in self.names().items() if v in flow.arrives}

    # -- pictures --------------------------------------------------------------------------------------------------

    def _view(self, detail: str) -> View:
        return View(self.tape, self.names(), self._smooth, detail, self._fold)

    def picture(self, output: str | Tensor | None = None, *, detail: str | None = None) -> Picture:
        """Nodes and edges with the gradient of `output`; `draw` and `describe` are made from it.

        Raises:
            RecordingError: where `output` depends on nothing that was recorded by name.
            ValueError: where there is no such output, or no such detail.
        """
        names = self.names()
        if detail not in {None, "names", "all"}:
            raise ValueError(f"picture: detail is {detail!r}; 'names' or 'all' is wanted.")
        view = self._view(detail or ("names" if any(v.op is not None for v in names) else "all"))
        value = self._value(output)
        if value is None:
            raise RecordingError("graph: nothing was computed from what was recorded; record a computation first.")
        marked = [v for v in names if v.name is not None and v.op is not None]
        picture = view.picture(dict.fromkeys([value, *marked]), self._flow(value))
        given = {v.name for v in self.tape.values if v.name is not None and v.op is None} | set(self.tape.modules)
        if given and not given & set(picture.nodes):
            raise RecordingError(
                f"graph: {view.id(value)} depends on none of the recorded inputs ({', '.join(sorted(given))}), so "
                "there is no path to draw; compute it from them inside the block."
            )
        picture.unused = sorted(given - set(picture.nodes))
        return picture

    def draw(
        self, output: str | Tensor | None = None, *, detail: str | None = None, numbers: bool = False,
        shapes: bool = False, values: bool = False, legend: bool = True,
    ) -> Drawing:  # fmt: skip
        """Draw the graph with the gradient of `output` on its way back.

        Args:
            output: a name or a tensor of the recording; by default the value called loss, else the last result.
            detail: "names" shows named values and random draws, "all" every step.
            numbers: put on each edge the size of the gradient that it carries (a scalar itself, else Euclidean length).
            shapes: put the shape of each value under its name.
            values: put the value itself there: up to three entries, or the mean of more.
            legend: explain the signs below the picture.

        Raises:
            RecordingError: where there would be too many nodes to read, or no path to draw.
        """
        picture = self.picture(output, detail=detail)
        if len(picture.nodes) > LIMIT:
            raise RecordingError(
                f"draw: the picture would have {len(picture.nodes)} nodes, and more than {LIMIT} cannot be read; show "
                "modules whole with record(fold=[module, ...]), or name a few values with mark(...)."
            )
        return Drawing(picture, numbers=numbers, shapes=shapes, values=values, legend=legend)

    def describe(self, output: str | Tensor | None = None, *, detail: str | None = None) -> str:
        """The picture in sentences, one a line."""
        return "\n".join(map(said, describe(self.picture(output, detail=detail))))

    def to_svg(self, output: str | Tensor | None = None, **options: Any) -> str:
        """The picture as standalone SVG text; the options are those of `draw`."""
        return self.draw(output, **options).svg

    def to_dot(self, output: str | Tensor | None = None, *, detail: str | None = None) -> str:
        """The picture in the DOT language, for those who have Graphviz."""
        return self.draw(output, detail=detail).dot

    def __repr__(self) -> str:
        if not self._closed:
            return "Graph (still recording)"
        try:
            return self.describe()
        except RecordingError as error:
            return str(error)

    def _repr_html_(self) -> str:
        try:
            return self.draw()._repr_html_()
        except RecordingError as error:  # a notebook should show the line, not a traceback
            return f"<p>{escape(str(error))}</p>"

    def _repr_svg_(self) -> str | None:
        try:
            return self.draw().svg
        except RecordingError:
            return None
