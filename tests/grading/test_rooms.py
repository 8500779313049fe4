"""The rooms of the grader: who may import whom, as vae_lab/grading/README.md says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

GRADING = Path(__file__).parents[2] / "vae_lab" / "grading"

# Each room may import the rooms and shared files that it names; "/" begins what is outside of grading.
MAY_IMPORT = {
    "lms": {"classroom", "lab", "course", "marks", "/language"},
    "classroom": {"judge", "executors", "pages", "lab", "results", "marks", "course", "limits", "/language"},
    "authoring": {"judge", "executors", "lab", "course", "stand_ins", "/checks", "/language"},
    "pages": {"lab", "results", "marks", "course", "/language"},
    "judge": {"rpc", "sandbox", "lab", "limits", "results", "/checks"},
    "executors": set(),
    "lab": {"course", "/language"},
    "sandbox": {"limits"},
    "student": {"rpc", "sandbox"},
    "rpc": {"/checks"},
    "course": set(),
    "limits": set(),
    "results": set(),
    "marks": {"results"},
    "stand_ins": set(),
}
INSIDE_THE_WALLS = {"seccomp", "namespaces", "rights", "rlimits", "syscalls"}  # what `student` may import of `sandbox`
DOWNWARDS = ("lms", "authoring", "classroom", "pages", "executors", "judge", "student", "sandbox", "rpc", "lab")


def files() -> list[Path]:
    return [path for path in sorted(GRADING.rglob("*.py")) if path != GRADING / "__init__.py"]


def room_of(path: Path) -> str:
    return path.relative_to(GRADING).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """All modules of the package that a file names, in functions and for type checking too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                place = GRADING.parents[1] / deeper.replace(".", "/")
                is_module = place.is_dir() or place.with_suffix(".py").is_file()
                found.add(deeper if is_module else str(node.module))
    return {name for name in found if name.partition(".")[0] == "vae_lab"}


def seen_from(name: str) -> str:
    """The room of grading that a module is in; of other modules "/" and the first part."""
    parts = name.split(".")
    return parts[2] if parts[1:2] == ["grading"] else "/" + (parts[1] if parts[1:] else "")


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(GRADING)))
def test_a_room_imports_what_it_may(path: Path) -> None:
    room = room_of(path)
    assert room in MAY_IMPORT, f"{room} is in no row of the table"
    rooms = {seen_from(name) for name in imports(path)} - {room}
    assert rooms <= MAY_IMPORT[room], f"{path.name} imports {sorted(rooms - MAY_IMPORT[room])}"


def test_the_untrusted_side_reaches_only_walls_that_are_put_on_from_inside() -> None:
    reached = {name.split(".")[3] for path in (GRADING / "student").glob("*.py") for name in imports(path)
               if name.startswith("vae_lab.grading.sandbox.")}  # fmt: skip
    assert reached <= INSIDE_THE_WALLS
    for name in INSIDE_THE_WALLS:  # and those stand on nothing else
        below = {module.split(".")[3] for module in imports(GRADING / "sandbox" / f"{name}.py")}
        assert below <= INSIDE_THE_WALLS


def test_student_is_started_by_name_and_by_the_sandbox_alone() -> None:
    by_name = {path for path in files() if "grading.student" in path.read_text() and room_of(path) != "student"}
    assert by_name == {GRADING / "sandbox" / "warm.py"}
    assert not any("vae_lab.grading.student" in name for path in by_name for name in imports(path))


def test_no_room_imports_upwards() -> None:
    for room, may in MAY_IMPORT.items():
        if room in DOWNWARDS:
            above = DOWNWARDS[: DOWNWARDS.index(room)]
            assert not may & set(above), f"{room} imports {may & set(above)}, which is above it"


def test_no_circle_of_files() -> None:
    package = GRADING.parent
    paths = {".".join(path.relative_to(package.parent).with_suffix("").parts): path for path in package.rglob("*.py")}
    paths = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    arrows = {
        name: {other for other in imports(path) if other in paths and other != name} for name, path in paths.items()
    }
    while free := [name for name, others in arrows.items() if not others & arrows.keys()]:
        for name in free:
            del arrows[name]
    assert not arrows, f"circles among {sorted(arrows)}"


def test_every_room_says_what_it_is_and_what_it_may_import() -> None:
    for room in sorted(path for path in GRADING.iterdir() if path.is_dir() and path.name != "__pycache__"):
        said = ast.get_docstring(ast.parse((room / "__init__.py").read_text())) or ""
        assert re.search(r"[Tt]rusted|untrusted|[Rr]uns", said), room.name
        for word in MAY_IMPORT[room.name]:
            assert f"`{word.removeprefix('/')}`" in said, f"{room.name} does not say that it may import {word}"


def test_the_readme_has_the_same_table() -> None:
    rows = re.findall(r"^\| `(\w+)/` \|.*\| ([^|]*)\|$", (GRADING / "README.md").read_text(), re.MULTILINE)
    told = {room: set(re.findall(r"`(\w+)`", may)) for room, may in rows}
    assert told == {
        room: {word.removeprefix("/") for word in may} for room, may in MAY_IMPORT.items() if room in DOWNWARDS
    }
