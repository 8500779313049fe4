"""`vae_lab.checks`: the labs' modules on top, the instruments under them, and no files that import in a circle."""

from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.graph.test_rooms import imported

FOLDER = Path(__file__).parents[2] / "vae_lab" / "checks"
PREFIX = "vae_lab.checks."
LABS = {"sampling", "elbo", "generation"}
WORDS = {"messages", "common_errors", "student_line", "passing", "untouched"}
ON_TOP = (
    LABS
    | WORDS
    | {"__init__", "lab_overview", "cell_log", "pictures", "book_address", "compute_device"}
    | {"substitution"}
)
SOURCES = {".".join(p.relative_to(FOLDER).with_suffix("").parts): p for p in sorted(FOLDER.rglob("*.py"))}


def within(path: Path) -> set[str]:
    """The files of `vae_lab.checks` that a file imports."""
    return {name.removeprefix(PREFIX) for name in imported(path)} & set(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_instruments_import_messages_and_each_other_alone(name):
    outside = {
        m
        for m in imported(SOURCES[name])
        if m.split(".")[0] == "vae_lab" and not m.startswith((PREFIX, "vae_lab.language"))
    }
    assert outside <= {"vae_lab"} if name == "__init__" else not outside, f"{name} imports {sorted(outside)}"
    if name.startswith("instruments."):
        above = {other for other in within(SOURCES[name]) if not other.startswith("instruments.")}
        assert above <= {"messages", "student_line", "compute_device"}, f"{name} imports {sorted(above)}"
    else:
        assert name in ON_TOP or name == "instruments.__init__", f"{name}.py lies on top; only what a lab calls does"


def test_no_files_import_in_a_circle():
    TopologicalSorter({name: within(path) for name, path in SOURCES.items()}).prepare()


def test_the_tests_lie_as_the_rooms_do():
    here = Path(__file__).parent
    rooms = {p.name for p in FOLDER.iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert {p.name for p in here.iterdir() if p.is_dir() and p.name != "__pycache__"} == rooms
