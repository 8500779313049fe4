"""What is done again after a change of the code: grading for a room that judges, pages for the room that makes them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vae_lab.grading.classroom import versions

ROOMS = sorted(path.name for path in (versions.PACKAGE / "grading").iterdir() if path.is_dir() and path.name[0] != "_")
JUDGING_ROOMS = {"judge", "rpc", "student", "sandbox", "lab"}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package's code, which a test may change."""
    copy = shutil.copytree(
        versions.PACKAGE, tmp_path / "vae_lab", ignore=shutil.ignore_patterns("assets", "widgets", "__pycache__")
    )
    monkeypatch.setattr(versions, "PACKAGE", copy)
    return copy


def changed(path: Path) -> tuple[bool, bool]:
    """Whether a change in a file grades again, and whether it writes the pages again."""
    before = versions.grader_version(), versions.pages_version()
    path.write_text(path.read_text() + "\n# changed\n")
    after = versions.grader_version(), versions.pages_version()
    return before[0] != after[0], before[1] != after[1]


def test_every_room_is_tried() -> None:
    assert JUDGING_ROOMS | {"pages", "classroom", "executors", "authoring", "lms"} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_change_in_a_room_does_again_what_depends_on_it(package: Path, room: str) -> None:
    for path in sorted((package / "grading" / room).rglob("*.py")):
        assert changed(path) == (room in JUDGING_ROOMS, room == "pages"), path.name


def test_templates_are_part_of_the_pages(package: Path) -> None:
    for path in (package / "grading" / "pages" / "templates").iterdir():
        assert changed(path) == (False, True), path.name


@pytest.mark.parametrize("name", ["grading/limits.py", "checks/messages.py", "sampling.py", "data.py"])
def test_what_a_verdict_may_rest_on_grades_again(package: Path, name: str) -> None:
    assert changed(package / name) == (True, False)


def test_a_file_that_is_moved_or_added_counts(package: Path) -> None:
    before = versions.grader_version()
    (package / "grading" / "judge" / "new.py").write_text("")
    assert versions.grader_version() != before
    before = versions.grader_version()
    (package / "grading" / "judge" / "new.py").rename(package / "grading" / "judge" / "newer.py")
    assert versions.grader_version() != before


def test_bytecode_does_not_count(package: Path) -> None:
    before = versions.grader_version()
    (package / "grading" / "judge" / "__pycache__").mkdir()
    (package / "grading" / "judge" / "__pycache__" / "judge.pyc").write_bytes(b"x")
    assert versions.grader_version() == before
