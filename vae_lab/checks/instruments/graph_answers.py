"""Checks of answers about a graph: which nodes are random, and which of them the gradient of the loss reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vae_lab.checks.messages import Misconception, ask, fail, type_name

NODES = {
    "before": ("x", "phi", "mu", "sigma", "z", "theta", "x_hat", "loss"),
    "after": ("x", "phi", "mu", "sigma", "eps", "z", "theta", "x_hat", "loss"),
}
KINDS = ("stochastic", "deterministic")
GIVEN = Misconception(
    "what is given, or computed from given values, needs no die: the encoder computes mu and sigma (minute 5:48).",
    "stochastic_nodes",
)
INHERITED = Misconception(
    "a node computed from a random parent is deterministic all the same: ask whether it needs a die of its own.",
    "stochastic_nodes",
)
DRAWN = Misconception("one node before the trick is drawn from N(mu, sigma^2), and needs a die.", "stochastic_nodes")
MOVED = Misconception(
    "the trick moves the chance out of one node and into a new leaf: see minute 7:41.", "reparameterization"
)
BLOCKED = Misconception(
    "backpropagation stops at a node that is drawn at random; whatever lies behind it hears nothing.",
    "stochastic_nodes",
)
DECODER = Misconception(
    "the decoder stands between z and the loss: its weights receive a gradient in either graph (minute 0:55).",
    "computation_graphs",
)
OPENED = Misconception(
    "after the trick z is computed from mu and sigma, so that the gradient passes to both and on to phi.",
    "gradient_paths",
)


def check_node_kinds(node_kinds: Callable[[], Any]) -> None:
    """Require that every node of the two graphs is called stochastic or deterministic, and rightly so.

    A message says how many nodes are wrong, not which: there are two kinds only.

    Args:
        node_kinds: the student's function.

    Raises:
        CheckFailed: if not.
    """
    task = "node_kinds"
    kinds = _two_graphs(task, ask(task, node_kinds), "a dictionary from node to kind")
    for graph, nodes in NODES.items():
        named = kinds[graph]
        if not isinstance(named, Mapping):
            fail(task, f'"{graph}" holds a {type_name(named)}.', "Wanted a dictionary from node to kind.")
        if set(named) != set(nodes):
            missing, unknown = sorted(set(nodes) - set(named)), sorted(map(str, set(named) - set(nodes)))
            fail(task, f'"{graph}" lacks {missing} and has {unknown} besides.', f"Wanted the nodes {list(nodes)}.")
        strange = sorted({str(kind) for kind in named.values() if kind not in KINDS})
        if strange:
            fail(task, f'"{graph}" has a node called {strange[0]!r}.', 'Wanted "stochastic" or "deterministic".')
    for graph, random_node in (("before", "z"), ("after", "eps")):
        wrong = [n for n in NODES[graph] if (kinds[graph][n] == "stochastic") != (n == random_node)]
        if wrong:
            inherited = {"x_hat", "loss"}.intersection(wrong)
            given = {"x", "phi", "theta", "mu", "sigma"}.intersection(wrong)
            mistake = GIVEN if given else INHERITED if inherited else DRAWN if graph == "before" else MOVED
            seen = f'in "{graph}", {len(wrong)} of {len(NODES[graph])} nodes have the other kind.'
            fail(task, seen, "Wanted stochastic where a die is needed once all parents are known.", mistake)


def check_gradient_reaches(gradient_reaches: Callable[[], Any]) -> None:
    """Require the two sets of names that a gradient of the loss reaches.

    Args:
        gradient_reaches: the student's function.

    Raises:
        CheckFailed: if not.
    """
    task = "gradient_reaches"
    reached = _two_graphs(task, ask(task, gradient_reaches), "a set of names")
    names = {"phi", "mu", "sigma", "theta"}
    for graph, found in reached.items():
        if not isinstance(found, set | frozenset):
            fail(task, f'"{graph}" holds a {type_name(found)}.', 'Wanted a set of names, such as {"mu", "phi"}.')
        if not found <= names:
            unknown = sorted(str(name) for name in found - names)
            fail(task, f'"{graph}" holds {unknown}.', f"Wanted names among {sorted(names)}.")
    if "theta" not in reached["before"] or "theta" not in reached["after"]:
        fail(task, "the decoder's weights are not reached in both graphs.", "Wanted all that are reached.", DECODER)
    if reached["before"] != {"theta"}:
        fail(task, '"before" holds a name that no gradient reaches.', "Wanted only those that are reached.", BLOCKED)
    if reached["after"] != names:
        fail(task, '"after" lacks a name that a gradient reaches.', "Wanted all that are reached.", OPENED)


def _two_graphs(task: str, answer: Any, inside: str) -> Mapping[str, Any]:
    if not isinstance(answer, Mapping):
        fail(
            task,
            f"the result is of type {type_name(answer)}.",
            f'Wanted {{"before": ..., "after": ...}}, {inside} in each.',
        )
    if set(answer) != {"before", "after"}:
        keys = sorted(str(key) for key in answer)
        fail(task, f"the result has the keys {keys}.", 'Wanted "before" and "after".')
    return answer
