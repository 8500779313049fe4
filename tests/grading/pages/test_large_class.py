"""The report of a class of thousands: little is drawn, all can be found, and nothing grows faster than the class."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.grading import tiny_course
from vae_lab.grading.lab.release import release_notebook
from vae_lab.grading.marks import Person
from vae_lab.grading.pages.report import MOST, SMALL_CLASS, ClassReport, html, with_copies, write_report
from vae_lab.grading.pages.tasks import outline
from vae_lab.grading.results import CellResult, SubmissionResult

RELEASED = json.loads(release_notebook(json.dumps(tiny_course.notebook()), "halves"))
EVIL = "</script><script>document.title='gone'</script><!--"


def made(number: int) -> SubmissionResult:
    good = number % 3 == 0
    cells = {
        "half_tests": CellResult(3.0 * good, 3.0, good, "" if good else f"off by {number}"),
        "half_tests_2": CellResult(1.0, 1.0, True),
        "double_tests": CellResult(0.0, 2.0, None if number % 5 == 0 else False),
        "why": CellResult(0.0, 4.0, None),
    }
    flags = ("needs pandas, which is not here",) if number % 7 == 0 else ()
    return SubmissionResult(f"s{number:05d}", "halves", "manual", cells, 0.1 + number % 10, flags)


def report_of(size: int, named: bool = False) -> ClassReport:
    results = [made(number) for number in range(size)]
    people = {result.student: Person("Ann", f"N{result.student}{EVIL}") for result in results} if named else {}
    return ClassReport("Halves", "halves", results, outline(RELEASED), people)


def drawn(page: str) -> int:
    return page.split('id="class"')[1].count("<tr>") - 1


@pytest.mark.parametrize("size", [SMALL_CLASS, SMALL_CLASS + 1, 3000])
def test_a_page_draws_a_hundred_rows_and_holds_everybody(size: int) -> None:
    page = html(report_of(size), files="", up="")
    assert drawn(page) == (size if size <= SMALL_CLASS else MOST)
    assert page.count("s00007") >= 1
    assert f"s{size - 1:05d}" in page
    data = re.search(r'<script type="application/json" id="everybody">(.*?)</script>', page)
    assert (data is not None) == (size > SMALL_CLASS)
    if data:
        assert len(json.loads(data[1])["rows"]) == size
        assert len(page) < 100_000 + 120 * size


def test_flags_of_many_are_counted_by_kind() -> None:
    report = report_of(3000)
    assert report.flag_kinds == [("needs pandas, which is not here", 429, ["s00000", "s00007", "s00014"])]
    flagged = html(report, files="", up="").split("<h3>Needs a person</h3>")[1].split("</section>")[0]
    assert flagged.count("<tr>") == 1 + 1 + 1 + MOST


def test_a_name_cannot_leave_the_data() -> None:
    page = html(report_of(400, named=True), files="", up="")
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert EVIL not in page


def test_a_thousand_copies_are_told_in_a_line_each() -> None:
    results = with_copies(
        [made(number) for number in range(1000)], {f"s{number:05d}": "same" for number in range(1000)}
    )
    assert results[0].flags[-1] == "identical answers: s00001, s00002, s00003 and 996 more"
    assert results[-1].flags[-1] == "identical answers: s00000, s00001, s00002 and 996 more"


def test_work_grows_as_the_class_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in looks at a name, not in seconds."""
    looks = 0
    name = ClassReport.name

    def counted(self: ClassReport, student: str) -> str:
        nonlocal looks
        looks += 1
        return name(self, student)

    monkeypatch.setattr(ClassReport, "name", counted)
    html(report_of(SMALL_CLASS), files="", up="")
    assert looks <= 3 * SMALL_CLASS
    looks = 0
    html(report_of(2000), files="", up="")
    assert looks <= 3 * 2000


def test_everybody_can_be_paged_sorted_and_found(browser, tmp_path: Path) -> None:
    page = browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(write_report(report_of(1050, named=True), tmp_path).as_uri())
    rows = page.locator("#class tbody tr")
    assert rows.count() == MOST
    assert page.text_content("#where") == "1 to 100 of 1050"
    page.click("#on")
    assert rows.first.locator("td").first.text_content() == "s00100"
    assert rows.first.locator("a").get_attribute("href") == "../feedback/s00100/halves/halves.html"
    assert rows.first.locator(".tag").all_text_contents() == ["0", "1", "0", "0"]
    classes = [tag.get_attribute("class") for tag in rows.first.locator(".tag").all()]
    assert classes == ["tag failed", "tag passed", "tag waits", "tag waits"]
    page.click("#class th:nth-child(3) button")
    page.click("#class th:nth-child(3) button")  # highest score first
    assert rows.first.locator("td").nth(2).text_content() == "4"
    assert rows.first.locator("td").first.text_content() == "s00000"
    page.fill("#find", "pandas")
    assert page.text_content("#where") == "1 to 100 of 150"
    page.fill("#find", "s01049")
    assert rows.count() == 1
    assert page.locator("#on").is_disabled()
    page.fill("#find", "no such")
    assert page.text_content("#where") == "nobody"
    assert page.title() != "gone"
    assert problems == []
    page.close()


def test_a_small_class_sorts_and_finds_as_before(browser, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto(write_report(report_of(20), tmp_path).as_uri())
    rows = page.locator("#class tbody tr")
    page.click("#class th:nth-child(2) button")
    page.click("#class th:nth-child(2) button")
    assert rows.first.locator("td").nth(1).text_content() == "4"
    page.fill("#find", "s00013")
    assert page.locator("#class tbody tr:visible").count() == 1
    page.close()
