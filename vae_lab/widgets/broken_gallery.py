"""Match bug to symptom: seven trained VAEs, six of them with one line wrong, and their names hidden."""

from __future__ import annotations

from typing import Any

import traitlets

from vae_lab.widgets import trained
from vae_lab.widgets.interaction import Interaction, module

# The order in which the patients are seen. Each: the wrong line, what it would show, and what gave it away.
PATIENTS = ("NoNoise", "CutSample", "VAE", "KLSignFlipped", "PixelMean", "NoKL", "VarianceAsSpread")
DIAGNOSES = {
    "VAE": (
        "nothing is wrong",
        "Nothing would be odd: a loss of about 170 nats, a KL of some nats, and z spread as widely as σ says.",
    ),
    "CutSample": (
        "z is drawn by a sampler that lets no gradient through",
        "The encoder would get the KL's gradient only: KL 0, one grey shape for all images, a loss that stops at 207.",
    ),
    "VarianceAsSpread": (
        "exp(logvar) is used as the standard deviation of z",
        "The curves would look right. Only the spread of z would differ from the σ that the KL term believes in.",
    ),
    "NoNoise": (
        "z = mu, the noise is left out",
        "z would not spread at all, and σ would go to 1, because only the KL term sees it.",
    ),
    "PixelMean": (
        "the reconstruction error is averaged over the 784 pixels",
        "The KL would weigh 784 times too much: KL 0, the same grey shape for every image, and a loss below 1.",
    ),
    "NoKL": (
        "the KL term is left out of the loss",
        "Nothing would hold the encoder back: a large true KL, σ near 0, and draws from the prior that look odd.",
    ),
    "KLSignFlipped": (
        "the KL term has + logvar where − logvar belongs",
        "The loss would have no floor: it would fall below 46 nats, which perfect pictures cost, then below 0, and on.",
    ),
}


class BrokenGallery(Interaction):
    """Look at a patient's curves, numbers and pictures, and say which line of code is wrong.

    Traits (each is live in a kernel):
        patient: which of the seven, 0 to 6.
        diagnosis: the answer given for this patient, a key of `DIAGNOSES`, or "" before any.

    Example:
        >>> widget = BrokenGallery()
        >>> len(widget.patients), widget.diagnosis
        (7, '')

    Source: the classes of `vae_lab.broken`.
    """

    _esm = module("broken_gallery.js", "elements", "plane", "pictures")
    patient = traitlets.Int(0).tag(sync=True)
    diagnosis = traitlets.Enum(["", *DIAGNOSES], default_value="").tag(sync=True)
    patients = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)
    diagnoses = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)
    originals = traitlets.Unicode(read_only=True).tag(sync=True)

    @traitlets.default("patients")
    def _patients(self) -> list[dict[str, Any]]:
        return [{"name": name, **trained.by_model(name)} for name in PATIENTS]

    @traitlets.default("diagnoses")
    def _diagnoses(self) -> list[dict[str, str]]:
        return [{"name": name, "line": line, "shows": shows} for name, (line, shows) in DIAGNOSES.items()]

    @traitlets.default("originals")
    def _originals(self) -> str:
        return trained.packed_images("originals")

    @traitlets.validate("patient")
    def _in_range(self, proposal: traitlets.Bunch) -> int:
        if not 0 <= proposal.value < len(PATIENTS):
            raise traitlets.TraitError(f"BrokenGallery: patient is {proposal.value}; wanted 0 to {len(PATIENTS) - 1}.")
        return proposal.value
