"""The picture in sentences: for screen readers, for `print`, and for `explain`.

Every sentence is made from what was measured; names of operations and source lines are only added to it.
"""

from __future__ import annotations

from collections.abc import Iterable

from vae_lab.graph.drawing.picture import Node, Picture
from vae_lab.graph.gradient.measure import CUT, PASSES, UNASKED, ZERO

MOST = 5  # names that one can read in a row


def listed(names: Iterable[str], last: str = "and") -> str:
    """Names as a person lists them.

    >>> listed(["mu", "sigma", "eps"])
    'mu, sigma and eps'
    """
    words = list(names)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else "nothing"


def together(names: Iterable[str], last: str = "and") -> str:
    """Names as a person lists them; of many parameters, those of one module together.

    >>> together(["vae.encoder.weight", "vae.encoder.bias"], "or")
    'vae.encoder.weight or vae.encoder.bias'
    >>> together([f"vae.encoder.{i}.{p}" for i in (0, 2, 4) for p in ("weight", "bias")])
    'vae.encoder.0 (weight, bias), vae.encoder.2 (weight, bias) and vae.encoder.4 (weight, bias)'
    """
    names = list(names)
    if len(names) <= MOST:
        return listed(names, last)
    owners: dict[str, list[str]] = {}
    for name in names:
        owner, _, parameter = name.rpartition(".")
        owners.setdefault(owner or parameter, []).extend([parameter] if owner else [])
    grouped = [f"{owner} ({', '.join(parts)})" if parts else owner for owner, parts in owners.items()]
    rest = len(grouped) - MOST
    return listed([*grouped[:MOST], f"{rest} more modules"] if rest > 0 else grouped, last)


def title(picture: Picture) -> str:
    """One line that names the picture."""
    drawn = [spoken(n) for n in picture.nodes.values() if n.stochastic]
    what = f"Computation graph of {picture.output}" if picture.output else "Computation graph"
    return f"{what}; drawn at random: {listed(drawn)}."


def spoken(node: Node) -> str:
    """What to call a node in a sentence."""
    return spoken_id(node.id)


def spoken_id(name: str) -> str:
    """What to call a node of that name: values without a name of their own end in a number.

    >>> spoken_id("z"), spoken_id("torch.exp 7"), spoken_id("noise 3")
    ('z', 'the result of torch.exp', 'the noise')
    """
    head, _, tail = name.rpartition(" ")
    if not head or not tail.isdigit():
        return name
    return f"the {head}" if head in {"noise", "parameter"} else f"the result of {head}"


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
    through = {e.source for e in picture.edges if e.verdict == PASSES}
    reached = [
        f"part of {n.id}" if n.id in picture.without else spoken(n)
        for n in picture.nodes.values()
        if n.id in through and n.id not in picture.cancelled
    ]
    if picture.edges and all(e.verdict == UNASKED for e in picture.edges):
        return ["Nothing here asks for a gradient: requires_grad is False for all that goes in."]
    sentences = [f"The gradient of {spoken_id(picture.output)} reaches {listed(reached)}."]
    sentences += _stops(picture)
    blocked = {e.source for e in picture.edges if e.verdict in {CUT, ZERO}} - through
    lost = [n for n in picture.nodes.values() if n.role in {"input", "parameter"} and n.id in blocked]
    if lost:
        learn = [n.id for n in lost if n.role == "parameter"]
        so = f", so training cannot change {together(learn)}" if learn else ""
        sentences.append(f"No gradient reaches {together(spoken(n) for n in lost)}{so}.")
    for missed in picture.without.values():
        them = "them" if len(missed) > 1 else "it"
        sentences.append(f"No gradient reaches {together(missed)}, so training cannot change {them}.")
    for name in picture.cancelled:
        sentences.append(
            f"The gradients that come back to {spoken_id(name)} along several ways cancel: they add up to zero."
        )
    for operation, place in picture.spoiled:
        at = f"{operation} ({place})" if place else operation
        sentences.append(f"At {at} the gradient stops being finite: behind it, it is infinite or not a number (NaN).")
    if picture.hooked:
        names = listed(spoken_id(n) for n in picture.hooked)
        sentences.append(
            f"A hook on {names} may change the gradient from there on; hooks were not run for this picture."
        )
    if picture.unused:
        plays = "plays" if len(picture.unused) == 1 else "play"
        sentences.append(f"{listed(picture.unused)} {plays} no part in {spoken_id(picture.output)}.")
    return sentences


def _stops(picture: Picture) -> list[str]:
    """One sentence for each place at which the gradient ends, with all that it does not get to from there."""
    ends: dict[tuple[str, str, str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for edge in picture.edges:
        for stop in edge.stops:
            key = stop.verdict, stop.operation, str(stop.place or ""), stop.reason
            sources, targets = ends.setdefault(key, ({}, {}))
            sources[spoken_id(edge.source)] = None
            targets[spoken_id(edge.target)] = None
    return [
        f"On its way from {listed(targets)} to {listed(sources)} the gradient "
        f"{'is cut' if verdict == CUT else 'becomes exactly zero'} at {operation}"
        f"{f' ({place})' if place else ''}: {why}."
        for (verdict, operation, place, why), (sources, targets) in ends.items()
    ]
