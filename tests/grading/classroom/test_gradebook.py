from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from nbgrader.api import Grade, Gradebook

from tests.grading import tiny_course
from vae_lab.grading.classroom.database import database_url
from vae_lab.grading.classroom.gradebook import LabGradebook
from vae_lab.grading.course import CourseError
from vae_lab.grading.marks import GradebookEntry, Person, with_marks
from vae_lab.grading.results import CellResult, SubmissionResult

NAMES = ["half_tests", "half_tests_2", "double_tests", "why"]
POINTS = {"half_tests": 3.0, "half_tests_2": 1.0, "double_tests": 2.0, "why": 4.0}


def result(student: str, passed: tuple[bool | None, ...] = (True, True, False, None)) -> SubmissionResult:
    cells = {
        name: CellResult(POINTS[name] if good else 0.0, POINTS[name], good)
        for name, good in zip(NAMES, passed, strict=True)
    }
    return SubmissionResult(student, "halves", "manual" if None in passed else "graded", cells)


@pytest.fixture
def source(tmp_path: Path) -> str:
    return tiny_course.make(tmp_path / "course").source("halves").read_text()


@pytest.fixture
def url(tmp_path: Path):
    (tmp_path / "gradebook.db").write_bytes(tiny_course.empty_gradebook())
    return database_url(None, tmp_path)


def test_nbgrader_reads_what_was_written(source: str, url) -> None:
    with LabGradebook(url, "halves", source) as book:
        book.write(
            [GradebookEntry(result("ana")), GradebookEntry(result("bo", (False,) * 4), "2026-05-04 10:00:00 UTC")]
        )
    with Gradebook(str(url)) as gradebook:
        notebook = gradebook.find_notebook("halves", "halves")
        assert notebook.max_score == 10.0
        assert {cell.name for cell in notebook.grade_cells} == set(NAMES)
        assert {cell.name for cell in notebook.solution_cells} == {"half", "double", "why"}
        assert "SECRET" in gradebook.find_source_cell("half_tests", "halves", "halves").source
        ana = gradebook.find_submission("halves", "ana")
        assert (ana.score, ana.max_score, ana.needs_manual_grade) == (4.0, 10.0, True)
        bo = gradebook.find_submission("halves", "bo")
        assert (bo.score, bo.needs_manual_grade, bo.timestamp.hour) == (0.0, False, 10)
        assert gradebook.find_submission_notebook("halves", "halves", "ana").failed_tests
        gradebook.find_comment("half", "halves", "halves", "ana")


def test_marks_given_by_hand_survive_a_regrade(source: str, url) -> None:
    with LabGradebook(url, "halves", source) as book:
        book.write([GradebookEntry(result("ana"))])
    with Gradebook(str(url)) as gradebook:
        grade = gradebook.find_grade("why", "halves", "halves", "ana")
        grade.manual_score, grade.needs_manual_grade = 3.5, False
        gradebook.find_grade("half_tests", "halves", "halves", "ana").extra_credit = 0.5
        gradebook.find_comment("why", "halves", "halves", "ana").manual_comment = "Well put."
        gradebook.db.commit()
    with LabGradebook(url, "halves", source) as book:
        again = result("ana", (True, True, True, None))
        book.write([GradebookEntry(again, look_again=False)])
        marks = book.marks()["ana"]
        assert (marks["why"].manual, marks["why"].waits, marks["why"].comment) == (3.5, False, "Well put.")
        counted = with_marks(again, marks)
        assert (counted.status, counted.score) == ("graded", 10.0)
        book.write([GradebookEntry(again, look_again=True)])
        marks = book.marks()["ana"]
        assert (marks["why"].manual, marks["why"].waits) == (3.5, True)
        assert with_marks(again, marks).status == "manual"


def test_writing_the_same_twice_leaves_one_row_each(source: str, url) -> None:
    with LabGradebook(url, "halves", source) as book:
        book.write([GradebookEntry(result(name)) for name in ("ana", "bo")])
        before = book.marks()
        book.write([GradebookEntry(result(name)) for name in ("bo", "ana", "ana")])
        assert book.marks() == before
    with Gradebook(str(url)) as gradebook:
        assert gradebook.db.query(Grade).count() == 8


def test_a_result_in_error_waits_for_a_person(source: str, url) -> None:
    with LabGradebook(url, "halves", source) as book:
        book.write([GradebookEntry(SubmissionResult("ana", "halves", "error", {}, reason="no answer"))])
        assert all(mark.waits and mark.auto is None for mark in book.marks()["ana"].values())


def test_odd_names_are_kept_as_they_are(source: str, url) -> None:
    names = ["Zoë O'Hara; DROP TABLE student;--", "a.b c", "学生", "🦊", "x" * 128, "-n", "%s{0}", "line\nbreak"]
    with LabGradebook(url, "halves", source) as book:
        book.write([GradebookEntry(result(name)) for name in names])
        assert set(book.marks()) == set(names)
        assert set(book.people()) == set(names)


def test_a_cell_added_to_the_lab_later_gets_its_rows(source: str, url) -> None:
    with LabGradebook(url, "halves", source) as book:
        book.write([GradebookEntry(result("ana"))])
    longer = source.replace('"half_tests_2"', '"half_tests_3"').replace("halves/half_tests_2", "halves/half_tests_3")
    with LabGradebook(url, "halves", longer) as book:
        cells = {("half_tests_3" if name == "half_tests_2" else name): c for name, c in result("ana").cells.items()}
        book.write([GradebookEntry(SubmissionResult("ana", "halves", "manual", cells))])
        assert set(book.marks()["ana"]) == {"half_tests", "half_tests_3", "double_tests", "why"}


def test_a_cell_with_marks_given_by_hand_is_never_dropped(source: str, url) -> None:
    with LabGradebook(url, "halves", source) as book:
        book.write([GradebookEntry(result("ana"))])
    with Gradebook(str(url)) as gradebook:
        gradebook.find_grade("half_tests_2", "halves", "halves", "ana").manual_score = 1.0
        gradebook.db.commit()
    other = source.replace('"half_tests_2"', '"half_tests_3"')
    with pytest.raises(CourseError, match="marks given by hand for half_tests_2"):
        LabGradebook(url, "halves", other)
    with LabGradebook(url, "halves", source) as book:
        assert book.marks()["ana"]["half_tests_2"].manual == 1.0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("gradebook.db", "no database URL"),
        ("nosuch://host/db", "cannot be used"),
        ("mysql://host/db", "cannot be used"),
        ("sqlite:////no/such/folder/gradebook.db", "unable to open database file"),
        ("postgresql://ann:sesame@127.0.0.1:1/grades", "cannot be used"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line_without_its_password(url: str, says: str, source: str) -> None:
    with pytest.raises(CourseError, match=says) as caught:
        LabGradebook(database_url(url, Path()), "halves", source)
    assert "\n" not in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_a_file_that_is_no_database_is_one_line(source: str, tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_text("this is no database" * 100)
    with pytest.raises(CourseError, match="not a database"):
        LabGradebook(database_url(None, tmp_path), "halves", source)


def test_a_gradebook_of_an_older_nbgrader_is_told_in_one_line_with_the_remedy(source: str, tmp_path: Path) -> None:
    path = tmp_path / "gradebook.db"
    path.write_bytes(tiny_course.empty_gradebook())
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("ALTER TABLE grade DROP COLUMN extra_credit")
        database.commit()
    with pytest.raises(CourseError, match="nbgrader db upgrade") as raised:
        with LabGradebook(database_url(None, tmp_path), "halves", source) as book:
            book.marks()
    assert "\n" not in str(raised.value)


def test_names_from_collecting_reach_the_gradebook_and_change_nothing_that_stands_there(source: str, url) -> None:
    with LabGradebook(url, "halves", source) as book:
        book.write([GradebookEntry(result("ana")), GradebookEntry(result("bo"))])
        book.introduce({"ana": Person("Ana", "Alvarez", "a@x.org", "7"), "nobody": Person("No", "Body")})
        book.introduce({"ana": Person("Anna", "A.", "", "8")})
        people = book.people()
    assert people["ana"][:4] == ("Ana", "Alvarez", "a@x.org", "7")
    assert people["bo"][:4] == ("", "", "", "")
    assert "nobody" not in people


def test_a_batch_reads_no_table_as_a_whole(source: str, url) -> None:
    """Else the cost of writing one more submission would grow with the class: seen in SQLite's plan of each query."""
    with LabGradebook(url, "halves", source) as book:
        book.write([GradebookEntry(result("ana"))])
        asked: list[str] = []
        kept = book.gradebook.engine
        sa.event.listen(kept, "before_cursor_execute", lambda *about: asked.append(about))
        book.write([GradebookEntry(result(name)) for name in ("ana", "bo", "cy")])
        with contextlib.closing(sqlite3.connect(url.database)) as connection:
            plans = [
                connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
                for _, _, statement, values, *_ in asked
                if statement.startswith("SELECT")
            ]
    assert len(plans) >= 5
    scanned = {step[3].split()[1] for plan in plans for step in plan if step[3].startswith("SCAN")}
    assert not scanned & {"student", "submitted_assignment", "submitted_notebook", "grade", "comment"}
