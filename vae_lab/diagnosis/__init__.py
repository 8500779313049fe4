"""Look for the common mistakes in anybody's VAE: `diagnose(model, x)`.

The model is run as it stands, and at a few of its tensors other numbers are put in: what the encoder says, what comes
out of the decoder. How z and the loss answer tells the spread of the draw, the KL term, its weight and its sign, and
the likelihood, whatever the code looks like.

In reading order: `watch` (sees each call and puts other numbers in), `doors` (model, encode, decode and loss, however
they are written), `anatomy` (which tensor is mu, z, the picture), `draw`, `likelihood`, `target` and `divergence`
(the terms of the loss), `batch_size` (the weight between them), `verdicts` (what they come to), `hearing` (encoder and
decoder), `neighbours` (images side by side), `causes`, `findings`, `diagnose`.
"""

from vae_lab.diagnosis.diagnose import diagnose
from vae_lab.diagnosis.findings import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]
