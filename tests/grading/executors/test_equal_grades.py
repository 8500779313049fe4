"""One class graded here, on a cluster of this machine and in shards sent by SLURM's script: the same to the byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.grading.classes import a_class, hand_in, left_behind, make_room
from vae_lab.grading.classroom.room import Classroom

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "tools" / "grade_class.slurm"


def run(*command: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **more}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.long
def test_local_cluster_and_shards_give_the_same(tmp_path: Path) -> None:
    rooms = {name: make_room(tmp_path, name) for name in ("local", "dask", "shards")}
    a_class(rooms["local"], 7)
    hand_in(rooms["local"], "noisy", "import torch\ndef half(x):\n    return x / 2 + torch.rand(())")
    hand_in(rooms["local"], "ends", "import os\ndef half(x):\n    os._exit(3)")
    run("vae-lab", "grade", "halves", "--out", "local", "--workers", "1", folder=tmp_path)
    done = run("vae-lab", "grade", "halves", "--out", "dask", "--cluster", "local:2", folder=tmp_path)
    assert "note" not in done.stderr
    for number in ("1", "2"):
        array = {"SLURM_ARRAY_TASK_ID": number, "SLURM_ARRAY_TASK_COUNT": "2", "OUT": "shards"}
        run("bash", str(SCRIPT), "halves", folder=tmp_path, **array)
    done = run("vae-lab", "merge", "halves", "shards", "--out", "shards", folder=tmp_path)
    assert "missing" not in done.stderr
    found = {name: left_behind(Classroom(room.course, room.name, room.out)) for name, room in rooms.items()}
    assert found["local"] == found["dask"] == found["shards"]
    scores = {row[0]: row[2] for row in found["local"]["gradebook"]["grades"] if row[1] == "half_tests"}
    right = {"s000", "s002", "s003", "s006"}
    assert scores == {name: 3.0 * (name in right) for name in ("ends", "noisy", *(f"s{n:03d}" for n in range(7)))}


def test_nothing_of_dask_is_loaded_without_a_cluster() -> None:
    program = (
        "import sys; import vae_lab.grading.classroom.grade, vae_lab.grading.classroom.shard, "
        "vae_lab.grading.classroom.merge, vae_lab.commands.instructor; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"distributed", "dask", "cryptography", "torch"} & set(done.stdout.split())
