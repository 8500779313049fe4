"""Record a real computation, tell what is random in it, and see where its gradient dies.

    with record(x=x, phi=encoder, theta=decoder) as graph:
        mu, logvar = encoder(x)
        z = reparameterize(mu, logvar)
        loss = negative_elbo(decoder(z), x, mu, logvar).mean()

    graph.kinds()            # {"z": "stochastic" or "deterministic", ...}
    graph.reaches("loss")    # the names that receive a gradient
    graph                    # the picture

On top, what a reader calls: `record`, `explain`, `Graph`, `vae_views`. Below, in the order in which the data flow:
`recording/` (values and operations, as they happened), `gradient/` (measured verdicts), `drawing/` (the picture).
A room may import those before it, and nothing else of the package.
"""

from vae_lab.graph.drawing.drawing import Drawing
from vae_lab.graph.explain import Explanation, explain
from vae_lab.graph.graph import Graph
from vae_lab.graph.record import record
from vae_lab.graph.recording.values import RecordingError
from vae_lab.graph.vae import TwoViews, vae_views

__all__ = ["Drawing", "Explanation", "Graph", "RecordingError", "explain", "TwoViews", "record", "vae_views"]
