"""A term walked in each of the ways a class is collected, from the zip to what the LMS makes of what goes back."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.grading import tiny_course
from tests.grading.lms.importers import CanvasCourse, CanvasUser, MoodleCourse, MoodleUser
from tests.grading.lms_zip import make_zip
from vae_lab.cli import main
from vae_lab.grading.classroom.database import database_url
from vae_lab.grading.classroom.gradebook import LabGradebook

SOLVED = {"half": "def half(x):\n    return x / 2", "double": "def double(x):\n    return 2 * x", "why": "Two halves."}
ROOT = {**SOLVED, "half": "def half(x):\n    return x ** 0.5"}
ADA, ALAN, GRACE = 6.0, 2.0, 6.0  # of 10 points; the written answer still waits

CANVAS_USERS = [
    CanvasUser(2001, "Ada Lovelace", "Lovelace, Ada", "al01", "007"),
    CanvasUser(2002, "Alan Turing", "Turing, Alan", "at02"),
    CanvasUser(2003, "Grace Hopper", "Hopper, Grace", "gh03"),
]
MOODLE_USERS = [
    MoodleUser(1, "Ada Lovelace", "al01", "ada@example.org", "7001"),
    MoodleUser(2, "Alan Turing", "at02", "alan@example.org", "7002"),
    MoodleUser(3, "Grace Hopper", "gh03", "grace@example.org", "7003"),
]
PARTICIPANTS = {101: 1, 102: 2, 103: 3}
OURS = (
    "id,first_name,last_name,email,lms_user_id\nal01,Ada,Lovelace,ada@example.org,2001\n"
    "at02,Alan,Turing,alan@example.org,2002\ngh03,Grace,Hopper,grace@example.org,2003\n"
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,halves (9)\n    Points Possible,,,,,10\n"
    '"Lovelace, Ada",2001,007,al01,A,\n"Turing, Alan",2002,,at02,A,\n"Hopper, Grace",2003,,gh03,A,\n'
    '"Student, Test",2999,,0a1b2c,A,\n'
)


def worksheet(
    names: bool = True, group: Mapping[int, str] = {}, maximum: str = "10.00", words: tuple[str, ...] = ()
) -> str:
    """Moodle's grading worksheet as it exports it."""
    identifier, hidden, grade, modified = words or ("Identifier", "Participant ", "Grade", "Last modified (grade)")
    head = [identifier, *(["Full name", "ID number", "Email address"] if names else []), "Status"]
    head += (["Group"] if group else []) + [grade, "Maximum Grade", "Grade can be changed"]
    head += ["Last modified (submission)", modified, "Feedback comments"]
    lines = [",".join(f'"{cell}"' for cell in head)]
    for number, user in zip(PARTICIPANTS, MOODLE_USERS, strict=True):
        row = [f"{hidden}{number}", *([user.full_name, user.idnumber, user.email] if names else []), "Submitted"]
        row += ([group[number]] if group else []) + ["", maximum, "Yes"]
        row += [f"Friday, 20 November 2026, 1{number % 10}:00 PM".replace("PM", "AM"), "-", ""]
        lines.append(",".join(f'"{cell}"' for cell in row))
    return "\ufeff" + "\n".join(lines) + "\n"


@pytest.fixture
def term(tmp_path, monkeypatch):
    """Collect a zip and grade it, in a course of one's own; gives back the folder with the files for the LMS."""
    theirs = tiny_course.make(tmp_path / "theirs")
    monkeypatch.chdir(theirs.root)
    assert main(["init-course", str(tmp_path / "mine")]) == 0
    course = tmp_path / "mine"
    (course / "gradebook.db").write_bytes(tiny_course.empty_gradebook())
    monkeypatch.chdir(course)
    monkeypatch.setattr("vae_lab.grading.classroom.places.run_all", in_this_process)

    def notebook(answers):
        made = json.loads((course / "labs/halves/halves.ipynb").read_text())
        for cell in made["cells"]:
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if grade_id in answers:
                anchor = "# {}" if cell["cell_type"] == "code" else "<!-- {} -->"
                cell["source"] = f"{anchor.format(f'vae-lab: halves/{grade_id}')}\n{answers[grade_id]}"
        return json.dumps(made).encode()

    def walked(files, students="", collected=0):
        make_zip(tmp_path / "all.zip", {name: notebook(answers) for name, answers in files.items()})
        arguments = ["collect", "../all.zip", "halves"]
        if students:
            (course / "list.csv").write_text(students, encoding="utf-8")
            arguments += ["--students", "list.csv"]
        assert main(arguments) == collected
        assert main(["grade", "halves", "--workers", "1"]) == 0
        return course / "report" / "halves"

    return walked


def in_this_process(function, jobs, **settings):
    """Judge by the functions that are defined alone: what is tested here is on both sides of grading."""
    from vae_lab.grading.results import CellResult, SubmissionResult

    for job in jobs:
        right = b"x / 2" in job.content
        cells = {cell.grade_id: CellResult(cell.points, cell.points, True) for cell in job.lab.graded}
        for name in () if right else ("half_tests", "half_tests_2"):
            cells[name] = CellResult(0.0, cells[name].max_points, False, "wrong")
        cells["why"] = CellResult(0.0, cells["why"].max_points, None)
        yield job, SubmissionResult(job.student, job.lab.name, "manual", cells)


def canvas_files(order: int = 0):
    return {
        f"lovelaceada_2001_{71 + order}_halves.ipynb": SOLVED,
        f"turingalan_LATE_2002_{72 + order}_halves-1.ipynb": ROOT,
        f"hoppergrace_2003_{73 + order}_halves.ipynb": SOLVED,
    }


def into_canvas(folder) -> CanvasCourse:
    course = CanvasCourse(CANVAS_USERS, {9: "halves"})
    course.import_gradebook((folder / "canvas.csv").read_text())
    return course


WANTED = {2001: "6", 2002: "2", 2003: "6"}


@pytest.mark.parametrize("students", ["", OURS, CANVAS], ids=["no list", "our list", "Canvas's gradebook"])
def test_canvas(term, students):
    course = into_canvas(term(canvas_files(), students))
    assert course.scores == WANTED
    assert course.asked == []


def test_canvas_anonymous_and_named_later_keeps_marks_and_finds_everybody(term, capsys):
    hidden = {
        "anon_aB3xY_71_halves.ipynb": SOLVED,
        "LATE_anon_23456_72_halves-1.ipynb": ROOT,
        "anon_m4TtR_73_halves.ipynb": SOLVED,
    }
    folder = term(hidden)
    assert "canvas.csv leaves out 3" in capsys.readouterr().err
    assert into_canvas(folder).scores == {}  # nobody gets somebody else's grade
    folder = term(canvas_files(), CANVAS)  # Canvas shows the names now; the uploads are the same
    assert sorted(path.name for path in (folder.parents[1] / "feedback").iterdir()) == [
        "anon_23456",
        "anon_aB3xY",
        "anon_m4TtR",
    ]
    assert into_canvas(folder).scores == WANTED


def moodle_files(names=("Ada Lovelace", "Alan Turing", "Grace Hopper")):
    answers = (SOLVED, ROOT, SOLVED)
    return {f"{name}_{number}_assignsubmission_file/halves.ipynb": answer
            for name, number, answer in zip(names, PARTICIPANTS, answers, strict=True)}  # fmt: skip


GRADES = {1: ADA, 2: ALAN, 3: GRACE}


@pytest.mark.parametrize(
    ("students", "by"),
    [(worksheet(), ["ID number", "Email address"]), (OURS, ["Username", "Email address"]), ("", [])],
    ids=["worksheet", "our list", "no list"],
)
def test_moodle(term, students, by):
    folder = term(moodle_files(), students)
    for column in by:
        course = MoodleCourse(MOODLE_USERS, PARTICIPANTS)
        course.import_grades((folder / "moodle.csv").read_text(), column, "halves")
        assert course.grades == GRADES
    head = (folder / "moodle.csv").read_text().splitlines()[0]
    assert all(column in head for column in by)
    course = MoodleCourse(MOODLE_USERS, PARTICIPANTS, maximum=10.0)
    course.import_worksheet((folder / "moodle-worksheet.csv").read_text())
    assert course.grades == GRADES


@pytest.mark.parametrize("names", [True, False], ids=["named", "blind"])
def test_moodle_in_another_language_and_with_another_maximum(term, names, capsys):
    words = ("ID", "Teilnehmer/in", "Bewertung", "Zuletzt geändert (Bewertung)")
    called = ("Ada Lovelace", "Alan Turing", "Grace Hopper") if names else ("Teilnehmerin",) * 3
    folder = term(moodle_files(called), worksheet(names, maximum="20,00".replace(",", "."), words=words))
    assert "scores are multiplied by 2" in capsys.readouterr().err
    course = MoodleCourse(MOODLE_USERS, PARTICIPANTS, maximum=20.0)
    course.import_worksheet(
        (folder / "moodle-worksheet.csv").read_text(),
        ("ID", "Bewertung", "Zuletzt geändert (Bewertung)", "Teilnehmer/in"),
    )
    assert course.grades == {user: 2 * grade for user, grade in GRADES.items()}


def test_moodle_groups(term):
    """Group 101's number is also Ada's, who is in another group."""
    files = {
        "Group B_101_assignsubmission_file/halves.ipynb": ROOT,
        "Default group_assignsubmission_file/halves.ipynb": SOLVED,
    }
    folder = term(files, worksheet(group={101: "Default group", 102: "Group B", 103: "Group B"}))
    course = MoodleCourse(MOODLE_USERS, PARTICIPANTS, maximum=10.0)
    course.import_worksheet((folder / "moodle-worksheet.csv").read_text())
    assert course.grades == {1: 6.0, 2: 2.0, 3: 2.0}
    main(["send-back", "../all.zip", "halves", "--students", "list.csv"])


def test_groups_without_a_list_are_nobodys(term):
    files = {
        "Group B_101_assignsubmission_file/halves.ipynb": ROOT,
        "Default group_assignsubmission_file/halves.ipynb": SOLVED,
    }
    folder = term(files, collected=1)
    assert not (folder / "moodle-worksheet.csv").exists()
    assert len((folder / "moodle.csv").read_text().splitlines()) == 1


def test_names_and_ids_reach_the_gradebook_by_collecting_alone(term):
    folder = term(canvas_files(), CANVAS)
    course = folder.parents[1]
    source = (course / "solutions/halves/halves.ipynb").read_text()
    with LabGradebook(database_url(None, course), "halves", source) as book:
        people = book.people()
    assert people["al01"][:4] == ("Ada", "Lovelace", "", "2001")
    assert people["gh03"][:4] == ("Grace", "Hopper", "", "2003")
