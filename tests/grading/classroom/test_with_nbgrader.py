"""nbgrader's own tools beside ours: the same scores from its autograde, and its pages open on what we wrote."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from nbgrader.api import Gradebook
from playwright.sync_api import Browser

from tests.grading.pages.test_sanitize import PIXEL, faults
from tools.jupyter_server import running
from vae_lab.checks import pictures
from vae_lab.grading.authoring.accidents import from_colab
from vae_lab.grading.authoring.sample_class import Maker
from vae_lab.grading.classroom.grade import grade_class
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.course import Course
from vae_lab.grading.lab.cells import to_bytes
from vae_lab.grading.sandbox.bubblewrap import sandbox_problem

ROOT = Path(__file__).parents[3]
EVIL = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
# What a kernel saves of a picture that the lab's own helper has drawn.
FORMATS, _ = DisplayFormatter().format(pictures.draws_and_density(torch.linspace(-2, 2, 50), 0.0, 1.0))
DRAWN = {**FORMATS, "image/png": base64.b64encode(FORMATS["image/png"]).decode()}
HONEST = ("solved", "unusual", "mistaken", "colab")

pytestmark = [pytest.mark.skipif(sandbox_problem() is not None, reason=str(sandbox_problem())), pytest.mark.long]


def environment() -> dict[str, str]:
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "JUPYTER_NO_CONFIG": ""}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course with a small class: four honest students and one who attacks whoever reads."""
    made = Course(tmp_path_factory.mktemp("course"))
    shutil.copytree(ROOT / "solutions" / "sampling", made.root / "solutions" / "sampling")
    shutil.copy(ROOT / "nbgrader_config.py", made.root)
    maker = Maker(Course(ROOT), "sampling")
    right, wrong = maker.bank.right, maker.bank.wrong
    spread = next(answer for answer in wrong if "std_from_logvar_tests" in answer.loses)
    many = next(answer for answer in wrong if "reparameterize_many_tests" in answer.loses)
    notebooks = {
        "solved": maker.solved({}, 0),
        "unusual": maker.solved(dict(right[0].cells), 1),
        "mistaken": maker.solved({**spread.cells, **many.cells}, 2),
        "colab": maker.solved({}, 4),
        "evil": maker.solved(
            {"std_from_logvar": f"def std_from_logvar(logvar):\n    raise ValueError('''{EVIL}''')"}, 5
        ),
    }
    from_colab(notebooks["colab"])
    written = next(cell for cell in notebooks["evil"]["cells"] if "why_eps" in str(cell["metadata"]))
    written["source"] = f"{EVIL}\n\n[x](javascript:document.title='taken')\n\n![drawn](attachment:a.png)"
    written["attachments"] = {"a.png": {"image/png": PIXEL}}
    shown = next(cell for cell in notebooks["mistaken"]["cells"] if "pictures.draws_and_density" in str(cell["source"]))
    shown["outputs"] = [{"output_type": "display_data", "data": DRAWN, "metadata": {}}]
    for student, notebook in notebooks.items():
        path = made.root / "submitted" / student / "sampling" / "sampling.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(to_bytes(notebook))
    return made


@pytest.fixture(scope="module")
def graded(course: Course) -> Course:
    grade_class(Classroom(course, "sampling", course.root), course.root / "submitted", workers=2)
    return course


def scores(database: Path) -> dict[str, dict[str, float | None]]:
    with Gradebook(f"sqlite:///{database}") as gradebook:
        return {
            submission.student.id: {grade.name: grade.auto_score for grade in submission.notebooks[0].grades}
            for submission in gradebook.assignment_submissions("sampling")
        }


def test_stock_autograde_gives_honest_submissions_the_same_scores(graded: Course, tmp_path: Path) -> None:
    for name in ("solutions", "submitted"):
        shutil.copytree(graded.root / name, tmp_path / name)
    shutil.rmtree(tmp_path / "submitted" / "evil")
    shutil.copy(graded.root / "nbgrader_config.py", tmp_path)
    with Classroom(Course(tmp_path), "sampling", tmp_path).book():
        pass  # the gradebook as `vae-lab grade` prepares it, without a result
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", "sampling"],
        cwd=tmp_path,
        env=environment(),
        check=True,
        timeout=400,
        capture_output=True,
    )
    ours, theirs = scores(graded.root / "gradebook.db"), scores(tmp_path / "gradebook.db")
    assert set(theirs) == set(HONEST)
    for student in HONEST:
        assert ours[student] == theirs[student]
    assert sum(score == 0 for score in ours["mistaken"].values()) >= 2
    assert all(score != 0 for score in ours["colab"].values())


def test_generate_feedback_on_our_output_is_safe(graded: Course, browser: Browser, tmp_path: Path) -> None:
    """Also without our nbgrader_config.py, whose sanitizer is a second lock."""
    for name in ("solutions", "autograded"):
        shutil.copytree(graded.root / name, tmp_path / name)
    shutil.copy(graded.root / "gradebook.db", tmp_path)
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_feedback", "sampling"],
        cwd=tmp_path,
        env=environment(),
        check=True,
        timeout=300,
        capture_output=True,
    )
    pages = {student: tmp_path / "feedback" / student / "sampling" / "sampling.html" for student in (*HONEST, "evil")}
    for student, page in pages.items():
        html = page.read_text()
        assert "HIDDEN TESTS" not in html
        assert "by_autograd" not in html, f"{student}: a hidden test is in nbgrader's feedback"
    assert shows(pages["mistaken"].read_text()), "nbgrader's feedback lacks a picture of the lab's helper"
    body = pages["evil"].read_text().split("</head>")[1]
    cells = re.sub(
        r"<script(?: src=[^>]*)?>.*?</script>", "", body.split('<div class="container"')[-1], flags=re.DOTALL
    )
    assert [fault for fault in faults(cells) if "onerror" in fault or "javascript" in fault] == []
    assert EVIL not in body
    assert open_page(browser, pages["evil"].as_uri()) != "taken"


def open_page(browser: Browser, url: str) -> str:
    """Open a page with its scripts, click what can be clicked, and return its title."""
    tab = browser.new_page()
    tab.goto(url)
    for link in tab.locator("a:has-text('x')").all()[:3]:
        if link.is_visible() and (link.get_attribute("href") or "").startswith("javascript"):
            link.click()
    tab.wait_for_timeout(300)
    title = tab.title()
    tab.close()
    return title


def shows(html: str) -> bool:
    """Whether a page has the drawn picture; base64 text may be broken into lines."""
    return DRAWN["image/png"] in re.sub(r"\s|\\n|&#10;", "", html)


def test_a_picture_drawn_by_the_labs_helper_reaches_who_marks_it(
    graded: Course, jupyter: str, browser: Browser
) -> None:
    assert shows((graded.root / "autograded" / "mistaken" / "sampling" / "sampling.ipynb").read_text())
    with Gradebook(f"sqlite:///{graded.root}/gradebook.db") as gradebook:
        notebook = gradebook.find_submission_notebook("sampling", "sampling", "mistaken").id
    tab = browser.new_page()
    tab.goto(f"{jupyter}/formgrader/submissions/{notebook}/")
    tab.get_by_text("Passed: 2 of 2 points.").first.wait_for(timeout=60_000)
    sources = tab.locator("img").evaluate_all("images => images.map((image) => [image.src, image.naturalWidth])")
    assert any(shows(source) and width > 100 for source, width in sources)
    tab.close()


def test_our_feedback_pages_run_nothing_in_a_browser(graded: Course, browser: Browser) -> None:
    page = graded.root / "feedback" / "evil" / "sampling" / "sampling.html"
    html = page.read_text()
    assert [fault for fault in faults(html) if fault == "tag script" or not fault.startswith("tag")] == ["declaration"]
    assert f'src="data:image/png;base64,{PIXEL}"' in html
    assert open_page(browser, page.as_uri()).endswith("evil")


@pytest.fixture(scope="module")
def jupyter(graded: Course) -> Iterator[str]:
    """A Jupyter server with formgrader on the graded course."""
    with running([sys.executable, "-m", "jupyter", "server"], graded.root, environment()) as url:
        yield url


def test_formgrader_opens_on_the_result(graded: Course, jupyter: str, browser: Browser) -> None:
    with Gradebook(f"sqlite:///{graded.root}/gradebook.db") as gradebook:
        ids = {
            student: gradebook.find_submission_notebook("sampling", "sampling", student).id
            for student in ("mistaken", "evil")
        }
    tab = browser.new_page()
    tab.goto(f"{jupyter}/formgrader/gradebook/sampling/sampling")
    tab.get_by_text("Submission #5").wait_for(timeout=60_000)
    assert tab.locator("tbody tr").count() == 5
    tab.goto(f"{jupyter}/formgrader/submissions/{ids['mistaken']}/")
    tab.get_by_text("Passed: 2 of 2 points.").first.wait_for(timeout=60_000)
    assert tab.get_by_text("Failed: 0 of 2 points.").count() == 1
    assert tab.locator("input.score").count() == 8
    tab.goto(f"{jupyter}/formgrader/submissions/{ids['evil']}/")
    tab.get_by_text("Failed: 0 of 2 points.").first.wait_for(timeout=60_000)
    assert "taken" not in tab.title()
    assert tab.locator("img[alt=drawn]").get_attribute("src") == f"data:image/png;base64,{PIXEL}"
    tab.close()
