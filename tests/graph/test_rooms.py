"""The rooms of `vae_lab.graph`: who may import whom, that each says so, and that no files import in a circle."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "vae_lab" / "graph"
PREFIX = "vae_lab.graph."
ON_TOP = {"record", "explain", "graph", "vae"}

# Each room may import the rooms it names, and itself.
MAY_IMPORT = {"recording": set(), "gradient": {"recording"}, "drawing": {"gradient", "recording"}}

SOURCES = {".".join(p.relative_to(FOLDER).with_suffix("").parts): p for p in sorted(FOLDER.rglob("*.py"))}


def imported(path: Path) -> set[str]:
    """The modules that a file imports, also inside functions and under `TYPE_CHECKING`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(str(node.module))
            found |= {f"{node.module}.{alias.name}" for alias in node.names}  # `from room import file`
    return found


def within(path: Path) -> set[str]:
    """The files of `vae_lab.graph` that a file imports."""
    return {name.removeprefix(PREFIX) for name in imported(path)} & set(SOURCES)


@pytest.mark.parametrize("name", [n for n in SOURCES if n != "__init__"])
def test_a_room_imports_only_the_rooms_before_it(name: str) -> None:
    room, _, file = name.rpartition(".")
    outside = {
        m
        for m in imported(SOURCES[name])
        if m.split(".")[0] == "vae_lab" and not m.startswith((PREFIX, "vae_lab.language"))
    }
    assert not outside, f"{name} imports {sorted(outside)}"
    if not room:
        assert file in ON_TOP, f"{file}.py lies on top; only what a reader calls does"
        return
    assert room in MAY_IMPORT, f"{room} is not in the table of who may import whom"
    for other in within(SOURCES[name]):
        theirs = other.rpartition(".")[0]
        assert theirs in MAY_IMPORT[room] | {room}, f"{name} imports {other}"


def test_no_files_import_in_a_circle() -> None:
    TopologicalSorter({name: within(path) for name, path in SOURCES.items()}).prepare()


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_each_room_says_what_it_is_and_what_it_may_import(room: str) -> None:
    text = ast.get_docstring(ast.parse((FOLDER / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    rule = text.splitlines()[-1]
    assert len(text.splitlines()) <= 5
    assert rule.startswith("May import: ")
    assert {other for other in MAY_IMPORT if f"`{other}`" in rule} == MAY_IMPORT[room]


def test_the_tests_lie_as_the_rooms_do() -> None:
    here = Path(__file__).parent
    assert {p.name for p in here.iterdir() if p.is_dir() and p.name not in {"golden", "__pycache__"}} == set(MAY_IMPORT)
