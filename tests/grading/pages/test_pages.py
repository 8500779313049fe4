"""The graded notebook, the feedback page, the report and the LMS files: what is in them, and what must never be."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from nbgrader.nbgraderformat import MetadataValidator

from tests.grading import tiny, tiny_course
from tests.grading.classroom.test_gradebook import result
from tests.grading.pages.test_sanitize import faults
from tests.hostile.bank import BANK, SCRIPT, build
from tools.words import SAY
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.lab.cells import grader, to_bytes
from vae_lab.grading.lab.handed_in import read_handed_in
from vae_lab.grading.lab.release import release_notebook
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.marks import Person
from vae_lab.grading.pages import scores_csv
from vae_lab.grading.pages.autograded import autograded
from vae_lab.grading.pages.feedback import TEMPLATES, page
from vae_lab.grading.pages.report import ClassReport, html, with_copies, write_json, write_report
from vae_lab.grading.pages.tasks import outline, tasks, title
from vae_lab.grading.results import CellResult, SubmissionResult
from vae_lab.language import phrase, speak

SOURCE = json.dumps(tiny_course.notebook())
RELEASED = json.loads(release_notebook(SOURCE, "halves"))
LAB = Lab.from_bytes("halves", SOURCE.encode())
EVIL = "</pre><script>alert(1)</script><img src=x onerror=alert(1)>"
SECRETS = ("SECRET", "7.25", "3.625", "HIDDEN")


def handed_in(cells: dict[str, str] | None = None, change=lambda notebook: None) -> bytes:
    notebook = with_answers(SOURCE, "halves", cells or {}, hidden_tests=False)
    change(notebook)
    return to_bytes(notebook)


def graded(content: bytes | None, outcome: SubmissionResult) -> nbformat.NotebookNode:
    text = autograded(RELEASED, read_handed_in(LAB, content), outcome)
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    return notebook


def ids(notebook: nbformat.NotebookNode) -> list[str]:
    return [name for cell in notebook.cells if (name := grader(cell).get("grade_id"))]


ALL = ["title", "setup", "half", "half_tests", "half_tests_2", "double", "double_tests", "why"]


def with_messages() -> SubmissionResult:
    cells = dict(result("ana").cells)
    cells["double_tests"] = CellResult(0.0, 2.0, False, f"expected 2.0, got {EVIL}")
    return SubmissionResult("ana", "halves", "manual", cells, flags=("locked cell edited: half_tests",))


def test_each_test_cell_says_its_verdict() -> None:
    notebook = graded(handed_in(), with_messages())
    assert ids(notebook) == ALL
    by_id = {grader(cell).get("grade_id"): cell for cell in notebook.cells}
    assert by_id["half_tests"].outputs[0].text == "Passed: 3 of 3 points.\n"
    assert by_id["double_tests"].outputs[0].output_type == "error"
    assert "expected 2.0" in by_id["double_tests"].outputs[0].evalue
    assert "locked cell edited" in notebook.cells[0].source


def stripped(notebook: dict) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def without_tests(notebook: dict) -> None:
    notebook["cells"] = [cell for cell in notebook["cells"] if "tests" not in cell["id"]]


def doubled(notebook: dict) -> None:
    notebook["cells"] += [dict(cell) for cell in notebook["cells"]]


def hostile_metadata(notebook: dict) -> None:
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ['"><script>alert(1)</script>', "remove-cell"]
        cell["id"] = "x"
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["points"] = 1e9
            cell["metadata"]["nbgrader"]["schema_version"] = 99
    notebook["metadata"]["language_info"] = {"name": EVIL}
    notebook["cells"].append({"cell_type": "raw", "id": "raw", "metadata": {"format": "text/html"}, "source": EVIL})


@pytest.mark.parametrize("change", [stripped, without_tests, doubled, hostile_metadata])
def test_whatever_happened_to_the_notebook_nbgrader_can_open_the_graded_one(change) -> None:
    notebook = graded(handed_in({"half": "def half(x):\n    return 'mine'"}, change), with_messages())
    assert sorted(ids(notebook)) == sorted(ALL)
    by_id = {grader(cell).get("grade_id"): cell for cell in notebook.cells}
    assert "return 'mine'" in by_id["half"].source
    assert grader(by_id["half_tests"])["points"] == 3
    assert "script" not in json.dumps([cell.metadata for cell in notebook.cells])
    assert not any(cell.cell_type == "raw" for cell in notebook.cells)


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"{",
        b"[" * 100_000,
        b"null",
        b'{"cells": 5}',
        b'{"cells": [1, {}, {"cell_type": "code", "source": 3}]}',
    ],
)
def test_a_file_that_is_no_notebook_still_gives_one_to_open(content: bytes | None) -> None:
    assert ids(graded(content, result("ana", (False,) * 4))) == ALL


def test_no_hidden_test_is_in_the_graded_notebook_or_the_page() -> None:
    made = with_messages()
    text = json.dumps(graded(handed_in(), made)) + feedback(handed_in(), made)
    for secret in SECRETS:
        assert secret not in text


def test_forged_outputs_of_test_cells_are_gone() -> None:
    def forge(notebook: dict) -> None:
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["outputs"] = [{"output_type": "execute_result", "data": {"text/plain": "3"}, "metadata": {}}]

    notebook = graded(handed_in(change=forge), with_messages())
    by_id = {grader(cell).get("grade_id"): cell for cell in notebook.cells}
    assert [output.output_type for output in by_id["half_tests"].outputs] == ["stream"]
    assert [output.output_type for output in by_id["half"].outputs] == ["display_data"]


def feedback(content: bytes | None, made: SubmissionResult, comments: dict[str, str] | None = None) -> str:
    shown = tasks(outline(RELEASED), read_handed_in(LAB, content), made)
    return page(made, shown, title(RELEASED), comments or {})


def test_the_page_shows_points_messages_answers_and_comments() -> None:
    html = feedback(handed_in({"half": "def half(x):\n    return x / 2.0"}), with_messages(), {"why": "Well put."})
    for words in (
        "Halves and doubles",
        "4 <small>of 10 points",
        "expected 2.0",
        "not yet",
        "Well put.",
        "waits for a person",
    ):
        assert words in html
    assert re.search(r"return</span>.*2\.0", html)
    assert "vae-lab: halves" not in html


def test_nothing_active_gets_into_the_page() -> None:
    made = with_messages()
    evil = SubmissionResult(f"ana{EVIL}", "halves", "manual", made.cells, reason=EVIL)
    html = feedback(handed_in({"half": f"def half(x):\n    return '{EVIL}'", "why": EVIL}), evil, {"why": EVIL})
    assert "<script" not in html
    assert "<img" not in html
    assert "default-src &#39;none&#39;" in html
    assert not re.search(r"<[^>]*(?:src|href)=", html)


def test_an_answer_in_another_cell_is_shown_to_the_student_and_to_the_marker() -> None:
    def below(notebook: dict) -> None:
        notebook["cells"][-1]["source"] = "<!-- vae-lab: halves/why -->\nYOUR ANSWER HERE"
        notebook["cells"].append({"cell_type": "raw", "id": "x", "metadata": {}, "source": "Two halves, a whole."})

    content = handed_in(change=below)
    html = feedback(content, with_messages())
    assert "Two halves, a whole." in html
    assert "found in another cell" in html
    why = next(cell for cell in graded(content, with_messages()).cells if grader(cell).get("grade_id") == "why")
    assert "Two halves, a whole." in why.source


def test_pictures_that_cannot_be_shown_are_named_to_both() -> None:
    def pasted(notebook: dict) -> None:
        notebook["cells"][-1] |= {
            "source": "See ![a](attachment:IMG_1.HEIC), ![b](photo.jpg), <img src='https://x.example/y.png'> "
            "and ![c](attachment:good.gif).",
            "attachments": {"IMG_1.HEIC": {"image/heic": "AAAA"}, "good.gif": {"image/gif": "R0lGODlh"}},
        }

    content = handed_in(change=pasted)
    named = "IMG_1.HEIC, photo.jpg, https://x.example/y.png"
    assert f"cannot be shown here: {named}." in feedback(content, with_messages())
    notes = graded(content, with_messages()).cells[0].source
    assert "pictures of why that cannot be shown here: IMG_1.HEIC, photo.jpg" in notes
    assert "good.gif" not in notes


def test_what_could_not_be_judged_here_waits_and_the_report_counts_what_was_wanting() -> None:
    cells = {**result("a").cells, "half_tests": CellResult(0.0, 3.0, None, "Not judged here: your code needs pandas.")}
    flags = ("needs pandas, which is not here", "needs a GPU, which is not here")
    made = [
        SubmissionResult("a", "halves", "manual", cells, flags=flags),
        SubmissionResult("b", "halves", "manual", cells, flags=("needs numba, pandas, which is not here",)),
    ]
    report = class_report(made)
    assert dict(report.needs) == {"pandas": 2, "a GPU": 1, "numba": 1}
    html = feedback(handed_in(), made[0])
    assert "Not judged here: your code needs pandas." in html
    assert html.count("waits for a person to read it") == 2
    assert "Not judged here" in json.dumps(graded(handed_in(), made[0]))
    assert "Parts are still to be marked." in scores_csv.moodle("halves", made, {})


def test_an_error_is_told_to_the_student_without_its_details() -> None:
    html = feedback(handed_in(), SubmissionResult("ana", "halves", "error", {}, reason="/srv/grader/engine.py broke"))
    assert "the grader&#39;s fault" in html or "the grader's fault" in html
    assert "/srv/grader" not in html


def made_class() -> list[SubmissionResult]:
    made = [result(f"s{number}", (number % 2 == 0, True, number % 3 == 0, None)) for number in range(12)]
    cells = {**made[1].cells, "half_tests": CellResult(0.0, 3.0, False, "spread 1.7\nLikely mistake: it is 2 & not 1.")}
    made[1] = SubmissionResult("=1+1", "halves", "graded", cells, seconds=1.5, resources={"memory_mb": 300.0})
    cells = {**made[3].cells, "half_tests": CellResult(0.0, 3.0, False, "spread 1.8\nLikely mistake: it is 3 & not 1.")}
    made[3] = SubmissionResult("s3", "halves", "graded", cells, flags=(EVIL,))
    made[5] = SubmissionResult("s5", "halves", "error", {}, reason="died")
    return made


def class_report(results: list[SubmissionResult]) -> ClassReport:
    return ClassReport("Halves", "halves", results, outline(RELEASED), {"s0": Person("Zoë", "O'Hara")})


def test_the_report_counts_what_happened() -> None:
    report = class_report(made_class())
    assert sum(bar.value for bar in report.distribution) == 11
    assert report.pass_rates[0] == ("half_tests", 6, 11)
    assert report.misconceptions[0][1:3] == ("it is 2 & not 1.", 2)
    assert [found.student for found in report.errors] == ["s5"]
    assert [found.student for found in report.flagged] == ["s3"]
    assert report.summary["wait for a person"] == "9"


def test_the_report_needs_nothing_but_itself(tmp_path: Path) -> None:
    path = write_report(class_report(made_class()), tmp_path)
    html = path.read_text()
    assert path == tmp_path / "index.html"
    assert html.count("<script>") == 1
    assert EVIL not in html
    assert "http://" not in html
    assert "https://" not in html
    assert not [
        where for where in re.findall(r'(?:src|href)="([^"]*)"', html) if not re.match(r"\.\./feedback/|halves/", where)
    ]
    assert 'href="../feedback/%3D1%2B1/halves/halves.html"' in html
    assert sorted(file.name for file in (tmp_path / "halves").iterdir()) == ["canvas.csv", "index.html", "moodle.csv"]


def test_a_report_of_a_class_without_a_score_can_be_made(tmp_path: Path) -> None:
    write_report(class_report([SubmissionResult("a", "halves", "error", {}, reason="died")]), tmp_path)


def test_identical_answers_are_flagged_for_both() -> None:
    found = with_copies([result("a"), result("b"), result("c")], {"a": "1", "b": "1", "c": ""})
    assert [each.flags for each in found] == [("identical answers: b",), ("identical answers: a",), ()]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "\r=", "\n@", "\u00a0=", "\ufeff="])
def test_no_field_of_the_csv_is_a_formula(start: str) -> None:
    evil = f'{start}HYPERLINK("http://evil.example","x"),;'
    people = {evil: Person(evil, evil, evil, evil)}
    made = [SubmissionResult(evil, "halves", "manual", result("x").cells)]
    for text in (scores_csv.canvas("halves", 10.0, made, people), scores_csv.moodle("halves", made, people)):
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert len({len(row) for row in rows}) == 1
        for field in rows[-1]:
            assert not field.lstrip(" \t\u00a0\ufeff").startswith(("=", "+", "-", "@"))


def test_the_csv_has_scores_and_leaves_out_errors() -> None:
    people = {"s0": Person("Zoë", "O'Hara", "z@x.org", "77")}
    made = [result("s0"), SubmissionResult("s5", "halves", "error", {})]
    canvas = list(csv.reader(io.StringIO(scores_csv.canvas("halves", 10.0, made, people))))
    assert canvas[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "halves"]
    assert canvas[1] == ["    Points Possible", "", "", "", "", "10"]
    assert canvas[2] == ["O'Hara, Zoë", "77", "", "s0", "", "4"]
    assert canvas[3] == ["s5", "", "", "s5", "", ""]
    moodle = list(csv.reader(io.StringIO(scores_csv.moodle("halves", made, people))))
    assert moodle == [  # an empty grade would take one away that is there
        ["Username", "Email address", "First name", "Last name", "halves", "halves feedback"],
        ["s0", "z@x.org", "Zoë", "O'Hara", "4", "Written answers are still to be read."],
    ]


@pytest.mark.parametrize("name", ["out.jsonl", "out.txt", "out.json", "OUT.JSON"])
def test_json_is_one_object_a_submission_in_the_promised_shape(tmp_path: Path, name: str) -> None:
    write_json(made_class(), tmp_path / name)
    text = (tmp_path / name).read_text()
    found = json.loads(text) if name.lower().endswith(".json") else [json.loads(line) for line in text.splitlines()]
    assert [each["student"] for each in found] == sorted(each["student"] for each in found)
    assert len(found) == 12
    keys = {"student", "lab", "status", "score", "max_score", "seconds", "flags", "cells"}
    for each in found:
        assert keys <= set(each) <= keys | {"reason"}
        for cell in each["cells"].values():
            assert set(cell) == {"points", "max_points", "passed", "message"}


def test_whatever_a_hostile_submission_holds_its_pages_are_harmless() -> None:
    cells_with_ids = [{**cell, "id": f"cell-{number}"} for number, cell in enumerate(tiny.cells())]
    cells_with_ids[-1]["source"] = "<!-- vae-lab: tiny/why -->\n### BEGIN SOLUTION\nx\n### END SOLUTION"
    released = json.loads(release_notebook(tiny.notebook(cells_with_ids).decode(), "tiny"))
    graded_cells = tiny.lab().graded
    for case in BANK:
        cells = {cell.grade_id: CellResult(0.0, cell.points, False, SCRIPT) for cell in graded_cells}
        made = SubmissionResult("mallory", "tiny", "graded", cells, flags=(SCRIPT,))
        found = read_handed_in(tiny.lab(), build(case))
        text = autograded(released, found, made)
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
        MetadataValidator().validate_nb(notebook)
        for cell in notebook.cells:
            assert cell.cell_type == "code" or faults(markdown2html_mistune(cell.source)) == [], case.name
        html = page(made, tasks(outline(released), found, made), "Tiny", {})
        assert [fault for fault in faults(html) if not fault.startswith("tag")] == ["declaration"], case.name
        assert "<script" not in html
        assert "HIDDEN" not in html + text


def in_vietnamese(outcome: SubmissionResult, comments: dict[str, str], content: bytes) -> str:
    handed = read_handed_in(LAB, content)
    return page(outcome, tasks(outline(RELEASED), handed, outcome), "Một nửa", comments, "vi")


def test_a_feedback_page_is_in_the_language_of_its_notebook() -> None:
    """Our words are translated; a person's comment, the student's code and what it raised are not."""
    cells = dict(result("ana").cells)
    cells["double_tests"] = CellResult(
        0.0, 2.0, False, f"double: z has shape [3]. Wanted [2].\ndouble(3) raised ValueError: Wanted one. {EVIL}"
    )
    outcome = SubmissionResult("ana", "halves", "manual", cells)
    own = "def double(x):\n    # passed: Wanted one.\n    return 2 * x"
    html = in_vietnamese(outcome, {"double": "Your answer: not yet. Wanted one."}, handed_in({"double": own}))
    assert '<html lang="vi">' in html
    for words in ("Lời giải của bạn", "chưa đạt", "Phản hồi cho ana, bài thực hành halves", "z có shape [3]. Cần [2]."):
        assert words in html
    assert "double(3) báo ValueError: Wanted one. &lt;/pre&gt;&lt;script&gt;" in html
    assert "Your answer: not yet. Wanted one." in html
    assert "# passed: Wanted one." in re.sub(r"<[^>]*>", "", html)
    assert "<script" not in html


def test_an_error_of_the_graders_is_told_in_vietnamese_too() -> None:
    html = in_vietnamese(SubmissionResult("ana", "halves", "error", {}, reason="none"), {}, handed_in())
    assert "Đây là lỗi của bộ chấm, không phải của bạn" in html
    text = re.sub(r"<style>.*?</style>|<pre.*?</pre>|<[^>]*>", " ", html, flags=re.DOTALL)
    assert not re.search(r"\b(?:the|your|was|points|answer)\b", text)


@pytest.fixture
def vietnamese() -> Iterator[None]:
    speak("vi")
    yield
    speak("en")


def test_the_report_is_in_the_language_that_is_spoken(vietnamese: None) -> None:
    """Every one of the page's own words; students' names and what they wrote stay."""
    shown = html(class_report(made_class()), files="", up="")
    speak("en")
    english = html(class_report(made_class()), files="", up="")
    assert '<html lang="vi">' in shown
    assert "Zoë O&#39;Hara" in shown
    own = [text for text in SAY.findall((TEMPLATES / "report.html").read_text()) if "{" not in text]
    seen = [text for text in own if f">{text}<" in english]
    assert len(seen) > 15
    for text in seen:
        assert f">{text}<" not in shown
        assert f">{phrase(text, 'vi')}<" in shown
    for what in class_report(made_class()).summary:
        assert f">{what}<" not in shown
