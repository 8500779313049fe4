"""The labs' checks where they see a GPU: they make their inputs there, and answers keep their verdicts."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vae_lab.checks.instruments.sampler import make_inputs
from vae_lab.grading.authoring.bank import load_bank
from vae_lab.grading.authoring.verify import ONE_PROCESS, verify
from vae_lab.grading.course import Course

pytestmark = pytest.mark.gpu

COURSE = Course(Path(__file__).parents[2])
EVERY = {"cuda": 5, "cpu": 400}  # one answer of the bank in so many is tried
REMEDIES = ("make new tensors where the old ones are", "NumPy knows neither GPUs nor gradients")
"""What an answer is told that is right on the processor alone."""


def test_the_inputs_lie_on_the_device(device):
    mu, logvar = make_inputs(4, 2, torch.float32)
    assert mu.device.type == logvar.device.type == device.type


@pytest.mark.parametrize("lab", COURSE.labs())
def test_answers_keep_their_verdicts(lab, device, tmp_path):
    """The solution, the empty lab, and some right and wrong answers, each run as a student runs it."""
    some = Course(tmp_path)
    some.source(lab).parent.mkdir(parents=True)
    some.bank(lab).parent.mkdir(parents=True)
    shutil.copy(COURSE.source(lab), some.source(lab))
    step = EVERY[device.type]
    rest = f"\nRIGHT, WRONG = RIGHT[1::{step}], WRONG[1::{step}]\n"
    some.bank(lab).write_text(COURSE.bank(lab).read_text(encoding="utf-8") + rest, encoding="utf-8")
    assert load_bank(some.bank(lab)).wrong
    surprises = verify(some, [lab], workers=2, ways=(ONE_PROCESS,))
    if device.type == "cuda":
        surprises = [line for line in surprises if not any(remedy in line for remedy in REMEDIES)]
    assert not surprises, "\n".join(surprises)


def test_the_doctor_names_the_gpu(cuda):
    said = subprocess.run(
        [sys.executable, "-m", "vae_lab.cli", "doctor"], cwd=COURSE.root, capture_output=True, text=True
    )
    assert f"GPU: {torch.cuda.get_device_name(0)}" in said.stdout
