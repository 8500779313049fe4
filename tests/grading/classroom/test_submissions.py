from __future__ import annotations

import os
from pathlib import Path

import pytest

from vae_lab.grading.classroom import submissions
from vae_lab.grading.classroom.submissions import find_students, read_submitted_file
from vae_lab.grading.course import CourseError


def hand_in(submitted: Path, student: str, content: bytes = b"{}", name: str = "halves.ipynb") -> Path:
    path = submitted / student / "halves" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_students_are_found_and_everything_else_is_noted(tmp_path: Path) -> None:
    for student in ("bo", "Ána Ünal", "a.b", "-x", "学生"):
        hand_in(tmp_path, student)
    (tmp_path / "other" / "doubles").mkdir(parents=True)
    (tmp_path / "grades.xlsx").write_text("")
    (tmp_path / ".DS_Store").write_text("")
    (tmp_path / ".git" / "halves").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "bo")
    (tmp_path / ("x" * 129) / "halves").mkdir(parents=True)
    os.makedirs(os.fsencode(tmp_path) + b"/caf\xe9/halves")
    found = find_students(tmp_path, "halves")
    assert found.students == ["-x", "a.b", "bo", "Ána Ünal", "学生"]
    told = "\n".join(found.notes)
    for words in (
        "grades.xlsx: not a student's folder",
        "link: a link, not followed",
        ".git: hidden",
        "xxx: the gradebook",
    ):
        assert words in told
    assert "'caf\\udce9': the gradebook cannot hold this name" in told
    assert len(found.notes) == 5


@pytest.mark.parametrize("name", ["a\x1b[31mb", "bo\u202egnp", "a\nb", "a\u200fb", "\x85", "a\u2028b", "\u2066x"])
def test_a_name_that_moves_text_is_noted_and_does_not_move_it(tmp_path: Path, name: str) -> None:
    hand_in(tmp_path, name)
    hand_in(tmp_path, "bo")
    found = find_students(tmp_path, "halves")
    assert found.students == ["bo"]
    (note,) = found.notes
    assert note.isprintable()
    assert note.endswith("control characters or marks of direction in the name; rename the folder")


def test_a_hard_link_is_read_and_noted(tmp_path: Path) -> None:
    path = hand_in(tmp_path, "bo", b"mine")
    other = hand_in(tmp_path, "mallory")
    other.unlink()
    os.link(path, other)
    found = find_students(tmp_path, "halves")
    assert found.students == ["bo", "mallory"]
    assert [note.partition(":")[0] for note in found.notes] == ["bo", "mallory"]
    assert all("hard link" in note for note in found.notes)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_text("")])
def test_nothing_handed_in_is_one_line(tmp_path: Path, make) -> None:
    make(tmp_path / "submitted")
    with pytest.raises(CourseError, match=r"submitted/<student>/halves/halves\.ipynb"):
        find_students(tmp_path / "submitted", "halves")


def test_a_plain_file_is_read_with_its_timestamp(tmp_path: Path) -> None:
    hand_in(tmp_path, "bo", b"content").with_name("timestamp.txt").write_text("2026-05-04 10:00:00 UTC\n")
    found = read_submitted_file(tmp_path, "bo", "halves")
    assert (found.content, found.problem, found.timestamp) == (b"content", "", "2026-05-04 10:00:00 UTC")


def test_links_pipes_and_folders_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the solutions")
    hand_in(tmp_path, "link").unlink()
    (tmp_path / "link/halves/halves.ipynb").symlink_to(secret)
    hand_in(tmp_path, "pipe").unlink()
    os.mkfifo(tmp_path / "pipe/halves/halves.ipynb")
    (tmp_path / "folder/halves/halves.ipynb").mkdir(parents=True)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/halves").symlink_to(tmp_path / "link/halves")
    (tmp_path / "file").mkdir()
    (tmp_path / "file/halves").write_text("x")
    for student in ("link", "pipe", "folder", "linked", "file", "nobody"):
        found = read_submitted_file(tmp_path, student, "halves")
        assert found.content is None
        assert found.problem


def test_a_file_under_another_name_is_named(tmp_path: Path) -> None:
    hand_in(tmp_path, "bo", name="halves (1).ipynb")
    assert read_submitted_file(tmp_path, "bo", "halves").problem == (
        "no file halves.ipynb; handed in instead: halves (1).ipynb"
    )


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submissions, "LARGEST", 10)
    hand_in(tmp_path, "bo", b"x" * 11)
    assert "at most 0 MB" in read_submitted_file(tmp_path, "bo", "halves").problem


def test_a_change_between_two_steps_of_reading_cannot_be_used(tmp_path: Path) -> None:
    """Each folder is opened relative to the one before, so a link put in its place is refused."""
    hand_in(tmp_path, "bo", b"mine")
    hand_in(tmp_path, "eve")
    (tmp_path / "eve/halves/halves.ipynb").unlink()
    (tmp_path / "eve/halves").rmdir()
    (tmp_path / "eve/halves").symlink_to(tmp_path / "bo/halves")
    assert read_submitted_file(tmp_path, "eve", "halves").content is None
