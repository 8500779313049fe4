"""From a recording to the picture of it: which values become nodes, and what each edge says.

A recording holds every small step. A picture shows the values that have a name, every random draw, and the parameters
of named modules as one node each; the steps between are contracted into edges. With `detail="all"` each step is a node.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from torch import Tensor, nn

from vae_lab.graph.gradient import CUT, PASSES, UNASKED, ZERO, Flow
from vae_lab.graph.values import Group, Operation, Source, Value

FOLDED = {"distribution": {"sample", "sample_n"}, "autograd": None}


@dataclass
class Node:
    """One node of the picture."""

    id: str
    role: str  # "input", "parameter", "constant" or "result"
    stochastic: bool
    caption: str = ""  # how it is computed
    shape: tuple[int, ...] | None = None
    values: list[Value] = field(default_factory=list)
    operation: str = ""
    source: Source | None = None
    gradient: Tensor | None = None


@dataclass
class Edge:
    """One edge of the picture, with what happens on it to the gradient of the chosen output."""

    source: str
    target: str
    verdict: str | None = None
    stops: bool = False  # the gradient arrives at the target and ends on this edge
    operation: str = ""  # where it ends
    number: float | None = None
    place: Source | None = None


@dataclass
class Picture:
    """Nodes and edges in drawing order."""

    nodes: dict[str, Node]
    edges: list[Edge]
    output: str | None = None


class View:
    """Chooses the visible values of a recording and contracts the rest."""

    def __init__(
        self, values: list[Value], modules: dict[str, nn.Module], names: dict[Value, str], hidden_noise: set[Value],
        detail: str, fold: Iterable[object],
    ) -> None:  # fmt: skip
        self.values, self.names, self.hidden_noise, self.detail = values, names, hidden_noise, detail
        self.owner = {id(p): name for name, m in modules.items() for p in [*m.parameters(), *m.buffers()]}
        self.modules = modules
        self.fold = list(fold)
        self.users: dict[Value, list[Value]] = {}
        for value in values:
            for operand in value.op.inputs if value.op else []:
                self.users.setdefault(operand, []).append(value)

    # -- which values are nodes ------------------------------------------------------------------------------------

    def group(self, op: Operation | None) -> Group | None:
        """The outermost folded call that the operation belongs to."""
        for group in op.groups if op else ():
            if group.kind == "distribution" and group.name.split(".")[-1] in {"sample", "sample_n"}:
                return group
            if group.kind in {"autograd", "function"}:
                return group
            if group.kind == "module" and (
                any(group.subject is m for m in self.modules.values())
                or any(group.subject is f or group.name == f for f in self.fold)
            ):
                return group
        return None

    def visible(self, value: Value) -> bool:
        """Whether the value is a node of its own."""
        if value in self.names:
            return True
        op = value.op
        if op is None:
            return value.kind == "parameter" or (self.detail == "all" and value.kind == "input")
        if op.outside:
            return False
        group = self.group(op)
        if group is not None:
            users = self.users.get(value, [])
            exported = not users or any(self.group(u.op) != group for u in users)
            if not exported:
                return False
            return self.detail == "all" or self.draws(value)
        if op.random:
            return True
        return self.detail == "all" and (bool(op.inputs))

    def draws(self, value: Value) -> bool:
        """Whether a random draw is hidden in the folded call that made the value."""
        group = self.group(value.op)
        if value.op is None or group is None:
            return False
        if group.kind == "module":
            return False
        todo, seen = [value], set()
        while todo:
            v = todo.pop()
            if v in seen or v.op is None or self.group(v.op) != group:
                continue
            seen.add(v)
            if v.op.random:
                return True
            todo.extend(v.op.inputs)
        return False

    def stochastic(self, value: Value) -> bool:
        """Whether the value is drawn at random given its parents."""
        if value.op is None:
            return False
        if value.op.random and self.group(value.op) is None:
            return value not in self.hidden_noise
        return self.draws(value) and value not in self.hidden_noise

    # -- the picture -----------------------------------------------------------------------------------------------

    def picture(self, targets: Iterable[Value], flow: Flow | None) -> Picture:
        """Contract everything that `targets` depend on."""
        picture = Picture({}, [])
        todo, seen = list(targets), set()
        while todo:
            value = todo.pop()
            if value in seen:
                continue
            seen.add(value)
            picture_edges = self._parents(value, flow)
            for parent, edge in picture_edges.items():
                picture.edges.append(edge)
                todo.append(parent)
        for value in sorted(seen, key=lambda v: v.key):
            self._add(picture, value, flow)
        merged: dict[tuple[str, str], Edge] = {}
        for edge in picture.edges:
            key = edge.source, edge.target
            merged[key] = _join(merged[key], edge) if key in merged else edge
        order = {name: i for i, name in enumerate(picture.nodes)}
        picture.edges = sorted(merged.values(), key=lambda e: (order[e.target], order[e.source]))
        if flow is not None:
            picture.output = self.id(flow.output)
        return picture

    def id(self, value: Value) -> str:
        """The name of the node that shows the value."""
        if value in self.names:
            return self.names[value]
        if value.kind == "parameter" and id(value.tensor) in self.owner:
            return self.owner[id(value.tensor)]
        if value.kind == "parameter":
            return f"parameter {value.key}"
        if value.op is not None and value.op.random and not value.op.inputs:
            return f"noise {value.key}"
        return f"{label(value.op, self.group(value.op))} {value.key}"

    def _add(self, picture: Picture, value: Value, flow: Flow | None) -> None:
        name = self.id(value)
        node = picture.nodes.get(name)
        group = self.group(value.op)
        if node is None:
            role = value.kind
            node = picture.nodes[name] = Node(name, role, self.stochastic(value))
            node.operation = label(value.op, group)
            node.source = value.op.source if value.op else None
            node.caption = _caption(value, self.names.get(value), node.operation)
            node.shape = value.shape
            if flow is not None:
                node.gradient = flow.arrives.get(value)
        else:
            node.shape = None
        node.values.append(value)
        if value in self.hidden_noise and value.op is not None:
            noise = f"noise of {name}"
            picture.nodes[noise] = Node(noise, "result", True, f"inside {node.operation}", operation=node.operation)
            picture.edges.append(Edge(noise, name, None if flow is None else UNASKED))

    def _parents(self, value: Value, flow: Flow | None) -> dict[Value, Edge]:
        """The visible values that `value` was computed from, each with the edge from it."""
        found: dict[Value, Edge] = {}
        name = self.id(value)
        # state on the way back: the worst verdict so far and where it happened
        todo: list[tuple[Value, Edge]] = [(value, Edge("", name, None if flow is None else PASSES))]
        seen: set[tuple[Value, str | None, bool]] = set()
        while todo:
            here, so_far = todo.pop()
            for operand in dict.fromkeys(here.op.inputs if here.op else []):
                edge = self._step(operand, here, so_far, flow)
                if self.visible(operand):
                    edge.source = self.id(operand)
                    found[operand] = _join(found[operand], edge) if operand in found else edge
                elif (operand, edge.verdict, edge.stops) not in seen:
                    seen.add((operand, edge.verdict, edge.stops))
                    todo.append((operand, edge))
        return found

    def _step(self, operand: Value, result: Value, so_far: Edge, flow: Flow | None) -> Edge:
        edge = Edge("", so_far.target, so_far.verdict, so_far.stops, so_far.operation, None, so_far.place)
        if flow is None or result.op is None:
            return edge
        verdict = flow.verdicts.get((operand, result), UNASKED if operand not in flow.asked else CUT)
        if so_far.verdict == PASSES:
            edge.verdict = verdict
            arriving = flow.arrives.get(result)
            if verdict in {CUT, ZERO} and arriving is not None and bool((arriving != 0).any()):
                edge.stops = True
                edge.operation = label(result.op, self.group(result.op))
                edge.place = result.op.source
        elif so_far.verdict == ZERO and verdict in {CUT, UNASKED}:
            edge.verdict = verdict
        elif so_far.verdict == CUT and verdict == UNASKED:
            edge.verdict = UNASKED
        if self.visible(operand) or operand.op is None:
            share = flow.shares.get((operand, result))
            edge.number = None if share is None else size(share)
        return edge


def size(tensor: Tensor) -> float:
    """One number for a gradient: itself if it is a scalar, its Euclidean length otherwise."""
    return float(tensor.item() if tensor.numel() == 1 else tensor.norm())


def _join(a: Edge, b: Edge) -> Edge:
    """Two paths between the same nodes: the gradient takes whichever is open."""
    rank = {PASSES: 0, ZERO: 1, CUT: 2, UNASKED: 3, None: 4}
    best, other = (a, b) if rank[a.verdict] <= rank[b.verdict] else (b, a)
    number = None
    if a.number is not None or b.number is not None:
        number = ((a.number or 0.0) ** 2 + (b.number or 0.0) ** 2) ** 0.5
    stops = best.stops or (best.verdict not in {PASSES} and other.stops)
    return Edge(
        a.source, a.target, best.verdict, stops, best.operation or other.operation, number, best.place or other.place
    )


def label(op: Operation | None, group: Group | None) -> str:
    """What to call the step that made a value."""
    if op is None:
        return ""
    return group.name if group is not None else op.name.removesuffix("__").removeprefix("__")


def _caption(value: Value, name: str | None, operation: str) -> str:
    """How the value is computed, in the reader's own words where the line says it."""
    if value.op is None:
        return ""
    text = value.op.source.text if value.op.source else ""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return operation
    if len(tree.body) == 1 and isinstance(statement := tree.body[0], ast.Assign):
        targets = [n.id for t in statement.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
        written = ast.unparse(statement.value)
        if name in targets and len(written) <= 30:
            return written
    return operation
