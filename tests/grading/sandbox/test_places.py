"""What Python sees the sandbox sees, wherever packages lie; what holds a course it does not see."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from vae_lab.grading.sandbox import places
from vae_lab.grading.sandbox.bubblewrap import bubblewrap

ROOT = places.PACKAGE.parent
PROBE = """
import json, time
from vae_lab.grading.limits import Limits
from vae_lab.grading.sandbox.warm import WarmSandbox, warm_problem

problem = warm_problem()
found = {"problem": problem}
if problem is None:
    from vae_lab.grading.rpc.peer import Peer
    from vae_lab.grading.rpc.wire import Channel

    warm = WarmSandbox(())
    warm.wait()
    peer = Peer(Channel(warm.start(Limits().for_student())[0]), lambda op, values: None, trusted=True)
    peer.ask("begin", 1, [], "probe")
    peer.ask("cell", "import by_path, by_link, by_pth; seen = [by_path.N, by_link.N, by_pth.N]", 60)
    found["seen"] = peer.ask("names", ["seen"])["seen"]
    warm.close()
print(json.dumps(found))
"""


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder that is neither in a course nor under /tmp, which is empty inside."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    yield folder
    shutil.rmtree(folder)


def package(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(text)
    return folder


def run(python: Path | str, path: list[Path]) -> dict[str, object]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, timeout=300, env=environment, cwd="/")
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_packages_by_pythonpath_by_a_link_and_by_a_pth_file_are_found_inside(elsewhere: Path) -> None:
    venv.create(elsewhere / "env", with_pip=False, symlinks=True)
    own = next((elsewhere / "env").glob("lib/python*/site-packages"))
    pth = package(elsewhere / "store" / "pth", "by_pth", "N = 3")
    theirs = next(Path(place) for place in sys.path if place.endswith("site-packages"))
    (own / "modules.pth").write_text(f"{pth}\n{theirs}\n")
    by_path = package(elsewhere / "store" / "path", "by_path", "N = 1")
    (elsewhere / "modules").mkdir()
    (elsewhere / "modules" / "now").symlink_to(package(elsewhere / "store" / "v2", "by_link", "N = 2"))
    found = run(elsewhere / "env" / "bin" / "python", [ROOT, by_path, elsewhere / "modules" / "now"])
    assert found == {"problem": None, "seen": [1, 2, 3]}


def test_a_python_that_cannot_start_inside_is_told_in_one_line(elsewhere: Path) -> None:
    broken = package(elsewhere / "broken", "safetensors", "raise ImportError('libodd.so.3: not for this machine')")
    problem = run(sys.executable, [ROOT, broken])["problem"]
    assert "libodd.so.3: not for this machine" in str(problem)
    assert "\n" not in str(problem)


@pytest.mark.parametrize("name", places.OF_A_COURSE)
def test_a_course_on_the_path_is_not_shown(elsewhere: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    course, tools = elsewhere / "course", elsewhere / "tools"
    (course / name).mkdir(parents=True)
    package(course / "lib", "secret", "N = 1")
    tools.mkdir()
    monkeypatch.chdir(course)
    monkeypatch.setattr(sys, "path", [*sys.path, "", *map(str, (course, course / "lib", elsewhere, tools, ROOT))])
    shown = places.search_path()
    assert str(tools) in shown
    assert not {str(course), str(course / "lib"), str(elsewhere), str(ROOT)} & set(shown)
    assert str(course) not in bubblewrap(())


def test_packages_that_are_links_bring_what_they_lead_to(elsewhere: Path) -> None:
    store = elsewhere / "store"
    (store / "one").mkdir(parents=True)
    package(store / "two", "__init__", "")
    packages = elsewhere / "site-packages"
    (packages / "two").mkdir(parents=True)
    (packages / "two" / "__init__.py").symlink_to(store / "two" / "__init__.py")
    (packages / "one").symlink_to(store / "one")
    assert set(places.linked(str(packages))) == {str(store / "one"), str(store / "two")}
