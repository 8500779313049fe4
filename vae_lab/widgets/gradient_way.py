"""The recorded graph, z drawn and z computed: choose a node, and see the way that the gradient takes to it."""

from __future__ import annotations

from typing import Any

import traitlets

from vae_lab.graph import Graph, vae_views
from vae_lab.widgets.interaction import Interaction, module


def as_view(label: str, graph: Graph) -> dict[str, Any]:
    """A recorded graph for the page: its picture, and what the picture knows.

    Example:
        >>> view = as_view("before", vae_views().as_written)
        >>> view["output"], [node["id"] for node in view["nodes"] if node["stochastic"]]
        ('loss', ['z'])
    """
    picture = graph.picture()
    return {
        "label": label,
        "svg": graph.to_svg(),
        "output": picture.output,
        "nodes": [{"id": node.id, "stochastic": node.stochastic} for node in picture.nodes.values()],
        "edges": [
            {
                "source": edge.source,
                "target": edge.target,
                "verdict": edge.verdict,
                "stopped_by": edge.stops[0].operation if edge.stops else "",
            }
            for edge in picture.edges
        ],
    }


class GradientWay(Interaction):
    """Two recordings of one VAE step, as written and reparameterized, drawn by `vae_lab.graph`.

    Args:
        graphs: label -> recorded graph; the course's two figures if left out.

    Traits (each is live in a kernel):
        shown: which graph, 0 or 1.
        node: the node whose gradient is followed, "" for none.

    Example:
        >>> widget = GradientWay(node="phi")
        >>> [view["label"] for view in widget.views]
        ['z is drawn', 'z is computed']

    Source: lecture 6:37 and 7:41; Schulman et al. 2015.
    """

    _esm = module("gradient_way.js", "words", "elements")
    shown = traitlets.Int(0).tag(sync=True)
    node = traitlets.Unicode("phi").tag(sync=True)
    views = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)

    def __init__(self, graphs: dict[str, Graph] | None = None, **traits: Any) -> None:
        super().__init__(**traits)
        if graphs is None:
            before, after = vae_views()
            graphs = {self.words["is_drawn"]: before, self.words["is_computed"]: after}
        if not graphs:
            raise ValueError("GradientWay: graphs is empty; wanted at least one recorded graph.")
        self.set_trait("views", [as_view(label, graph) for label, graph in graphs.items()])
        if not 0 <= self.shown < len(self.views):
            raise ValueError(f"GradientWay: shown is {self.shown}; wanted 0 to {len(self.views) - 1}.")
