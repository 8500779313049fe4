"""From a recording to its picture: which values become nodes, and what each edge between them says.

A recording holds every small step. A picture shows the values that have a name, every random draw, and the parameters
of named modules as one node each; the steps between are contracted into edges. With `detail="all"` each step is a node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import Tensor

from vae_lab.graph.drawing.labels import parameter_names, spelling
from vae_lab.graph.drawing.picture import Edge, Node, Picture, Stop, better, caption, size, spelled
from vae_lab.graph.gradient.measure import CUT, PASSES, UNASKED, ZERO, Flow, nonzero, reached_parts, walk_back
from vae_lab.graph.gradient.reasons import culprit, reason
from vae_lab.graph.recording.tape import Tape
from vae_lab.graph.recording.values import Group, Operation, Value, version_of

_DRAWS = {"sample", "sample_n"}


class View:
    """Chooses the visible values of a tape and contracts the rest."""

    def __init__(
        self, tape: Tape, names: dict[Value, str], smooth: set[Value], detail: str, fold: Iterable[object]
    ) -> None:
        self.tape, self.names, self.smooth, self.detail = tape, names, smooth, detail
        fold = list(fold)
        self.whole = [*fold, *(tape.modules.values() if detail == "names" else [])]
        self.labels = parameter_names(tape, detail, fold)
        self.users: dict[Value, list[Operation]] = {}
        for op in tape.operations:
            for operand in op.inputs:
                self.users.setdefault(operand, []).append(op)

    # -- which values are nodes ------------------------------------------------------------------------------------

    def group(self, op: Operation | None) -> Group | None:
        """The outermost call around the operation that is shown whole."""
        for group in op.groups if op is not None else ():
            drawn = group.kind == "distribution" and group.name.split(".")[-1] in _DRAWS
            chosen = any(group.subject is w or group.name == w for w in self.whole)
            if drawn or chosen or group.kind in {"autograd", "function"}:
                return group
        return None

    def visible(self, value: Value) -> bool:
        """Whether the value is a node of its own."""
        op = value.op
        if value.name is not None:
            return True
        if op is None or op.outside:
            return op is None and value.kind == "parameter"
        group = self.group(op)
        if self._opens(group) and (value in self.smooth or self.stochastic(value)):
            return True
        inside = group is not None and any(self.group(user) == group for user in self.users.get(value, []))
        if inside and all(self.group(user) == group for user in self.users[value]):
            return False
        if value in self.names:
            return True
        return self.stochastic(value) or value in self.smooth or (self.detail == "all" and bool(op.inputs))

    def _opens(self, group: Group | None) -> bool:
        """Whether a random draw inside the call is shown: always, but for a distribution's own."""
        return group is None or group.kind in {"module", "function"}

    def stochastic(self, value: Value) -> bool:
        """Whether the value is drawn at random, given its parents."""
        if value.op is None or value in self.smooth:
            return False
        group = self.group(value.op)
        if self._opens(group):
            return value.op.random
        todo, seen = [value], set()
        while todo:
            v = todo.pop()
            if v not in seen and v.op is not None and self.group(v.op) == group:
                seen.add(v)
                if v.op.random:
                    return v not in self.smooth
                todo.extend(v.op.inputs)
        return False

    def id(self, value: Value) -> str:
        """The name of the node that shows the value."""
        if value in self.names:
            return self.names[value]
        if value.kind == "parameter":
            return self.labels.get(id(value.tensor)) or f"parameter {value.key}"
        if value.op is not None and self.stochastic(value) and not value.op.inputs:
            return f"noise {value.key}"
        return f"{self.label(value.op)} {value.key}"

    def label(self, op: Operation | None) -> str:
        """What to call a step: the call that is shown whole, or the operation."""
        if op is None:
            return ""
        group = self.group(op)
        inside = next((g for g in op.groups if g.kind == "distribution"), None) if op.random else None
        if group is not None or inside is not None:
            return (group or inside).name  # type: ignore[union-attr]
        return spelling(op)

    # -- the picture -----------------------------------------------------------------------------------------------

    def picture(self, targets: Iterable[Value], flow: Flow | None) -> Picture:
        """Everything that `targets` depend on, with the steps between visible values contracted."""
        found: dict[tuple[str, str], Edge] = {}
        todo, seen = list(targets), set()
        while todo:
            value = todo.pop()
            if value in seen:
                continue
            seen.add(value)
            for parent, edge in self._parents(value, flow).items():
                key = edge.source, edge.target
                found[key] = better(found[key], edge) if key in found else edge
                todo.append(parent)
        nodes: dict[str, Node] = {}
        for value in sorted(seen, key=lambda v: v.key):
            self._add(nodes, value, flow, found)
        order = {name: i for i, name in enumerate(nodes)}
        edges = sorted(found.values(), key=lambda e: (order[e.target], order[e.source]))
        picture = Picture(nodes, edges, self.id(flow.output) if flow is not None else None)
        if flow is not None:
            picture.hooked = [self.id(v) for v in flow.hooked]
            picture.cancelled = list(dict.fromkeys(self.id(v) for v in seen if flow.cancels(v)))
            parts = reached_parts(self.tape, flow) if self.detail == "names" else {}
            picture.without = {n: missed for n, (some, missed) in parts.items() if n in nodes and some and missed}
            steps = [v.op for v in flow.spoiled if v.op is not None]
            picture.spoiled = list(dict.fromkeys((self.label(op), op.source) for op in steps))
        return picture

    def _add(self, nodes: dict[str, Node], value: Value, flow: Flow | None, edges: dict[tuple[str, str], Edge]) -> None:
        name = self.id(value)
        node = nodes.get(name)
        if node is None:
            node = nodes[name] = Node(name, value.kind, self.stochastic(value), operation=self.label(value.op))
            if value.op is not None:
                node.source = value.op.source
                text = node.source.text if node.source is not None else ""
                node.caption = caption(value.local or value.name or name, text, node.operation)
            node.shape = value.shape
            if value.version == version_of(value.tensor):  # not overwritten since
                node.value = spelled(value.tensor)
            if flow is not None and value in flow.arrives:
                node.gradient = size(flow.arrives[value])
        else:
            node.shape, node.gradient, node.value = None, None, ""
        node.values.append(value)
        if value in self.smooth:
            inside = f"noise in {name}"
            nodes[inside] = Node(inside, "result", True, f"inside {node.operation}", node.operation)
            edges[inside, name] = Edge(inside, name, None if flow is None else UNASKED)

    def _parents(self, value: Value, flow: Flow | None) -> dict[Value, Edge]:
        """The visible values that `value` was computed from, each with the edge from it."""
        found: dict[Value, Edge] = {}
        target = self.id(value)
        todo = [(value, Edge("", target, None if flow is None else PASSES))]
        seen: set[tuple[Value, str | None, bool]] = set()
        while todo:
            here, so_far = todo.pop()
            for operand in dict.fromkeys(here.op.inputs if here.op is not None else []):
                edge = self._step(operand, here, so_far, flow)
                if self.visible(operand):
                    edge.source = self.id(operand)
                    found[operand] = better(found[operand], edge) if operand in found else edge
                elif (operand, edge.verdict, bool(edge.stops)) not in seen:
                    seen.add((operand, edge.verdict, bool(edge.stops)))
                    todo.append((operand, edge))
        if flow is not None and value in flow.arrives:
            self._measure(value, found, flow)
        return found

    def _step(self, operand: Value, result: Value, so_far: Edge, flow: Flow | None) -> Edge:
        """Go one operation further back along a path, and note where the gradient ends."""
        edge = Edge("", so_far.target, so_far.verdict, so_far.stops)
        if flow is None:
            return edge
        verdict = flow.verdicts.get((operand, result), CUT if operand in flow.asked else UNASKED)
        if so_far.verdict == PASSES:
            edge.verdict = verdict
            if verdict in {CUT, ZERO} and flow.alive(result):
                edge.stops = [self._stop(operand, result, flow)]
        elif verdict == UNASKED:
            edge.verdict, edge.stops = verdict, []
        elif so_far.verdict == ZERO and verdict == CUT:
            edge.verdict = verdict
            if so_far.stops:
                edge.stops = [*so_far.stops, self._stop(operand, result, flow)]
        return edge

    def _stop(self, operand: Value, result: Value, flow: Flow) -> Stop:
        op = culprit(operand, result)
        verdict = flow.verdicts[operand, result]
        return Stop(verdict, self.label(op), op.source, reason(operand, result, flow))

    def _measure(self, value: Value, found: dict[Value, Edge], flow: Flow) -> None:
        """Send the gradient back from one node to the next only, so that each edge gets its own share."""
        shares: dict[Value, Tensor] = {}
        arrives = {value: flow.arrives[value]}
        refused: dict[Value, str] = {}
        walk_back({value: None}, flow.asked, _collector(self.visible, shares), arrives, refused)
        if refused:
            return
        for operand, share in shares.items():
            edge = found[operand]
            edge.number = size(share)
            if edge.verdict == PASSES and not nonzero(share):
                edge.verdict = ZERO
                if flow.alive(value):
                    edge.stops = [Stop(ZERO, self.label(value.op), value.op.source if value.op else None, _CANCEL)]


_CANCEL = "the shares that come along several ways cancel, or none is left of them"


def _collector(visible: Callable[[Value], bool], shares: dict[Value, Tensor]) -> Callable[..., bool]:
    """Gather the shares that end at visible values, and go on behind all others."""

    def note(operand: Value, result: Value, share: Tensor | None) -> bool:
        if not visible(operand):
            return True
        if share is not None:
            shares[operand] = shares[operand] + share if operand in shares else share
        return False

    return note
