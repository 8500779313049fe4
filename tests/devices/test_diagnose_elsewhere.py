"""`diagnose` where the model and its images lie on another device, be it torch's default or not."""

import contextlib

import pytest
import torch
from devices.elsewhere import THERE, gpu_that_is_not_there
from diagnose import first_half, second_half

from vae_lab.diagnosis import diagnose

PATIENTS = {patient.name: patient for half in (first_half, second_half) for patient in [*half.SOUND, *half.BROKEN]}


@pytest.mark.parametrize(
    ("name", "default"), [("tanh", False), ("distributions of ten dimensions", True), ("distributions reversed", True)]
)
def test_the_verdict_is_the_same_there(name, default):
    patient = PATIENTS[name]
    with gpu_that_is_not_there():
        with torch.device(THERE):
            call = patient.call(0)
            call["x"] = call["x"].to(THERE)
        with torch.device(THERE) if default else contextlib.nullcontext():
            said = diagnose(**call)
    assert said.names[:1] == list(patient.ails)[:1], said
