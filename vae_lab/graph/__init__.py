"""Record a real computation, tell what is random in it, and see where its gradient dies.

    with record(x=x, phi=encoder, theta=decoder) as graph:
        mu, logvar = encoder(x)
        z = reparameterize(mu, logvar)
        loss = negative_elbo(decoder(z), x, mu, logvar).mean()

    graph.kinds()            # {"z": "stochastic" or "deterministic", ...}
    graph.reaches("loss")    # the names that receive a gradient
    graph                    # the picture

The parts, in reading order: `values` (what a recording is made of), `stack`, `outside`, `record` (the recording),
`gradient` (measured verdicts), `view` (what the picture shows), `layout`, `svg`, `words`, `graph` (the public face).
"""

from vae_lab.graph.drawing import Drawing
from vae_lab.graph.explain import Explanation, explain
from vae_lab.graph.graph import Graph
from vae_lab.graph.record import record
from vae_lab.graph.vae import TwoViews, vae_views
from vae_lab.graph.values import RecordingError

__all__ = ["Drawing", "Explanation", "Graph", "RecordingError", "explain", "TwoViews", "record", "vae_views"]
