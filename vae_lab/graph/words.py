"""The picture in sentences: for screen readers, for `print`, and for `explain`.

Every sentence is made from what was measured; names of operations and source lines are only added to it.
"""

from __future__ import annotations

from collections.abc import Iterable

from vae_lab.graph.gradient import CUT, PASSES, ZERO
from vae_lab.graph.view import Edge, Node, Picture


def listed(names: Iterable[str], last: str = "and") -> str:
    """Names as a person lists them.

    >>> listed(["mu", "sigma", "eps"])
    'mu, sigma and eps'
    """
    words = list(names)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else "nothing"


def title(picture: Picture) -> str:
    """One line that names the picture."""
    drawn = [spoken(n) for n in picture.nodes.values() if n.stochastic]
    what = f"Computation graph of {picture.output}" if picture.output else "Computation graph"
    return f"{what}; drawn at random: {listed(drawn)}."


def spoken(node: Node) -> str:
    """What to call a node in a sentence."""
    head, _, tail = node.id.rpartition(" ")
    return f"the {head} value" if head and tail.isdigit() and not head.startswith(("noise", "parameter")) else (
        f"the {head}" if head and tail.isdigit() else node.id
    )  # fmt: skip


def describe(picture: Picture) -> list[str]:
    """What is computed from what, what is drawn at random, and what becomes of the gradient."""
    return [*structure(picture), *gradient(picture)]


def structure(picture: Picture) -> list[str]:
    """One sentence for each node."""
    sentences = []
    parents: dict[str, list[Node]] = {}
    for edge in picture.edges:
        parents.setdefault(edge.target, []).append(picture.nodes[edge.source])
    for node in picture.nodes.values():
        above = listed(spoken(p) for p in parents.get(node.id, []))
        by = f" by {node.caption}" if node.caption else ""
        if node.role == "parameter":
            says = "holds parameters" if len(node.values) > 1 else "is a parameter"
        elif node.role == "input":
            says = "is an input"
        elif node.role == "constant":
            says = "is a constant"
        elif node.stochastic:
            says = f"is drawn at random{by}" + (f", given {above}" if node.id in parents else "; nothing leads into it")
        elif node.id in parents:
            says = f"is computed from {above}{by}"
        else:
            says = f"is made{by}"
        name = spoken(node)
        sentences.append(f"{name[0].upper() + name[1:] if name.startswith('the ') else name} {says}.")
    return sentences


def gradient(picture: Picture) -> list[str]:
    """What the gradient of the output reaches, and where and why it ends."""
    if picture.output is None:
        return []
    through = [e for e in picture.edges if e.verdict == PASSES]
    reached = list(dict.fromkeys(e.source for e in through))
    order = [n for n in picture.nodes if n in reached]
    sentences = [f"The gradient of {picture.output} reaches {listed(order)}."]
    for edge in picture.edges:
        if edge.stops:
            sentences.append(_stop(edge, picture))
    leaves = [n for n in picture.nodes.values() if n.role in {"input", "parameter"}]
    lost = [
        n.id
        for n in leaves
        if n.id not in reached and any(e.source == n.id and e.verdict in {CUT, ZERO} for e in picture.edges)
    ]
    if lost:
        sentences.append(
            f"No gradient reaches {listed(lost)}: training cannot change {'it' if len(lost) == 1 else 'them'}."
        )
    return sentences


def _stop(edge: Edge, picture: Picture) -> str:
    how = "is cut" if edge.verdict == CUT else "becomes exactly zero"
    at = f" at {edge.operation}" if edge.operation else ""
    where = f" ({edge.place})" if edge.place else ""
    source, target = spoken(picture.nodes[edge.source]), spoken(picture.nodes[edge.target])
    return f"On its way from {target} to {source} the gradient {how}{at}{where}."
