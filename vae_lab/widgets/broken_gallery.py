"""Match bug to symptom: seven trained VAEs, six of them with one line wrong, and their names hidden."""

from __future__ import annotations

from typing import Any

import traitlets

from vae_lab.widgets import trained
from vae_lab.widgets.interaction import Interaction, module

# The order in which the patients are seen. What is wrong with each, and what gives it away: words/broken_gallery.json.
PATIENTS = ("NoNoise", "CutSample", "VAE", "KLSignFlipped", "PixelMean", "NoKL", "VarianceAsSpread")
DIAGNOSES = ("VAE", "CutSample", "VarianceAsSpread", "NoNoise", "PixelMean", "NoKL", "KLSignFlipped")


class BrokenGallery(Interaction):
    """Look at a patient's curves, numbers and pictures, and say which line of code is wrong.

    Traits (each is live in a kernel):
        patient: which of the seven, 0 to 6.
        diagnosis: the answer given for this patient, one of `DIAGNOSES`, or "" before any.

    Example:
        >>> widget = BrokenGallery()
        >>> len(widget.patients), widget.diagnosis
        (7, '')

    Source: the classes of `vae_lab.broken`.
    """

    _esm = module("broken_gallery.js", "words", "elements", "plane", "pictures", "chart")
    patient = traitlets.Int(0).tag(sync=True)
    diagnosis = traitlets.Enum(["", *DIAGNOSES], default_value="").tag(sync=True)
    patients = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)
    diagnoses = traitlets.List(traitlets.Unicode(), list(DIAGNOSES), read_only=True).tag(sync=True)
    originals = traitlets.Unicode(read_only=True).tag(sync=True)

    @traitlets.default("patients")
    def _patients(self) -> list[dict[str, Any]]:
        return [{"name": name, **trained.by_model(name)} for name in PATIENTS]

    @traitlets.default("originals")
    def _originals(self) -> str:
        return trained.packed_images("originals")

    @traitlets.validate("patient")
    def _in_range(self, proposal: traitlets.Bunch) -> int:
        if not 0 <= proposal.value < len(PATIENTS):
            raise traitlets.TraitError(f"BrokenGallery: patient is {proposal.value}; wanted 0 to {len(PATIENTS) - 1}.")
        return proposal.value
