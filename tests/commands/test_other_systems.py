"""A student's Windows and macOS: nothing on their path needs what only Linux has."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLATFORMS = ("win32", "darwin")


def there(platform, *words):
    """What a command says on such a machine."""
    program = [sys.executable, "-W", "ignore", "-m", "tests.commands.other_system", platform, *map(str, words)]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_all_that_a_student_imports_is_there(platform):
    done = there(platform, "package")
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_doctor_answers(platform):
    done = there(platform, "doctor")
    assert "Traceback" not in done.stderr
    assert "MNIST-5k: 5000 images" in done.stdout
    assert "You can solve the labs." in done.stdout


@pytest.fixture
def half_done(tmp_path):
    """The lab elbo as it is handed out, with its first task solved."""
    lab = tmp_path / "elbo.ipynb"
    shutil.copy(ROOT / "labs" / "elbo" / "elbo.ipynb", lab)
    notebook = json.loads(lab.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "kl_to_standard_normal":
            head = "".join(cell["source"]).split("\n")[0]
            cell["source"] = (
                f"{head}\ndef kl_to_standard_normal(mu, logvar):\n"
                "    return 0.5 * (mu.square() + torch.expm1(logvar) - logvar).sum(-1)\n"
            )
    lab.write_text(json.dumps(notebook), encoding="utf-8")
    return lab


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_notebook_is_checked(platform, half_done):
    done = there(platform, "check", os.path.relpath(half_done, ROOT))
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    assert done.returncode == 1, done.stderr[-2000:]
    rows = {line.split()[1]: line for line in done.stdout.splitlines() if len(line.split()) > 2}
    assert "passed" in rows["kl_to_standard_normal"]
    assert "not attempted" in rows["negative_elbo"]


def test_what_is_taken_away_is_missed():
    """The pretence is one: what needs fork fails there."""
    done = there("win32", "grade", "sampling")
    assert done.returncode != 0
