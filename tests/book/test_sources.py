"""The pages as they are written: complete by the course's pattern, short cells, nothing generated in git."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from book.sources import ROOT, Cell, cells, toc_pages

from vae_lab.architecture import PARTS

PAGES = toc_pages()
LESSONS = [
    page
    for page in PAGES
    if page.stem not in {"references", "labs", "instructors", "lecture", "notation", "questions", "speed", "status"}
]
DRAWS = re.compile(r"plots\.(?!use_course_style|panels)\w+\(|plt\.")  # a recorded graph describes itself

PADDED = re.compile(r"\{[^}]*:[<>]?\d+(?:\.\d)?[a-z]?\}")  # {loss:8.3f}


def by_name(page: Path) -> str:
    return page.stem


def test_the_table_of_contents_and_the_files_match_both_ways():
    assert sorted(PAGES) == sorted((ROOT / "book").glob("*.md"))


@pytest.mark.parametrize("page", LESSONS, ids=by_name)
def test_a_lesson_is_complete(page):
    text = page.read_text()
    assert text.count(":::{objectives}") == 1
    assert 2 <= text.count(":::{quiz}") <= 3
    assert "\n## Exercises\n" in text
    exercises = text.split("\n## Exercises\n")[1]
    numbered = len(re.findall(r"^\d+\. ", exercises, re.MULTILINE))
    assert numbered == exercises.count(":::{solution}") >= 2
    assert "**Covers the lecture**" in text
    assert ":::{div} course-next" in text
    assert "**Next:**" in text
    assert re.search(r"^    alt: ", text, re.MULTILINE), "no figure with alt text"


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_cells_are_short_and_fit_a_page(page):
    for cell in cells(page):
        assert len(cell.lines) <= 15, f"{len(cell.lines)} lines:\n{cell.code}"
        too_wide = [line for line in cell.lines if len(line) > 88]
        assert not too_wide, f"{page.stem}: these lines run out of the page:\n" + "\n".join(too_wide)
        assert not re.search(r"^class ", cell.code, re.MULTILINE), "classes belong into the package"


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_a_cell_that_draws_has_alt_text(page):
    for cell in cells(page):
        if DRAWS.search(cell.code):
            alt = cell.options.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt) > 60, f"{page.stem}: say what is to be seen in\n{cell.code}"


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_a_page_has_one_hidden_set_up_and_no_code_for_an_interaction(page):
    all_cells, shown = cells(page), re.compile(r"^widgets\.\w+\(", re.MULTILINE)
    computed = [cell for cell in all_cells if not shown.search(cell.code)]
    set_ups = [cell for cell in all_cells if "set-up" in str(cell.options.get("mystnb", {}).get("code_prompt_show"))]
    assert set_ups == computed[:1]
    assert all("hide-input" in cell.options["tags"] for cell in set_ups)
    for cell in all_cells:
        if shown.search(cell.code):
            assert cell.options["tags"] == ["remove-input"], cell.code
            assert cell.options["mystnb"]["figure"]["caption"].startswith("Interactive: "), cell.code


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_figure_has_a_number_and_is_referred_to_by_it(page):
    text = page.read_text()
    for cell in cells(page):
        figure = cell.options.get("mystnb", {}).get("figure")
        if DRAWS.search(cell.code) or "widgets." in cell.code:
            assert figure, f"{page.stem}: a name and a caption for\n{cell.code}"
        if figure:
            assert f"{{numref}}`{figure['name']}`" in text, f"{page.stem}: the text does not mention {figure['name']}"


@pytest.mark.parametrize("page", LESSONS, ids=by_name)
def test_a_lesson_says_which_part_of_the_model_it_is_about(page):
    found = re.search(r"^model_part: (.+)$", page.read_text(), re.MULTILINE)
    assert found, page.stem
    assert set(found[1].split()) <= set(PARTS)


def printed_in_a_loop(code: str) -> list[str]:
    """The prints of a loop that write formatted numbers or padded names: the rows of a table."""
    loops = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.For)]
    calls = [node for loop in loops for node in ast.walk(loop) if isinstance(node, ast.Call)]
    prints = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
    return [
        ast.unparse(call)
        for call in prints
        if any(isinstance(part, ast.FormattedValue) and part.format_spec for part in ast.walk(call))
    ]


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_numbers_that_form_a_table_are_one(page):
    """A loop that prints numbers is a table which nothing reads as one: see vae_lab/tables.py."""
    for cell in cells(page):
        padded = [line for line in cell.lines if "print(" in line and len(PADDED.findall(line)) > 1]
        assert not padded, f"{page.stem}:\n{cell.code}"
        assert not printed_in_a_loop(cell.code), f"{page.stem}:\n{cell.code}"


def test_the_search_for_printed_tables_can_fail():
    assert printed_in_a_loop("for a in b:\n    print(f'step {a}: {a:.3f} nats')\n")
    assert printed_in_a_loop("for a in b:\n    print(f'{a:20s}', a)\n")
    assert not printed_in_a_loop("for a in b:\n    print(a)\nprint(f'{a:.3f} nats')\n")


def repeated(all_cells: list[Cell]) -> list[str]:
    """Code of five lines or more that more than one cell holds."""
    seen: dict[str, list[str]] = defaultdict(list)
    for cell in all_cells:
        if len(cell.lines) >= 5:
            seen["\n".join(line.strip() for line in cell.lines)].append(cell.page)
    return [f"{pages}:\n{code}" for code, pages in seen.items() if len(pages) > 1]


def test_no_cell_of_five_lines_is_written_twice():
    assert not repeated([cell for page in PAGES for cell in cells(page)])


def test_the_search_for_repeated_cells_can_fail():
    code = "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\n"
    assert repeated([Cell("p", {}, code), Cell("q", {}, "\n" + code)])
    assert not repeated([Cell("p", {}, "a = 1\n"), Cell("q", {}, "a = 1\n")])


def test_no_page_keeps_outputs_or_generated_files_in_git():
    tracked = subprocess.run(["git", "ls-files", "book"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    generated = [name for name in tracked.split() if name.endswith((".ipynb", ".png"))]
    assert generated == ["book/_static/picture-book.png", "book/_static/picture-report.png"]  # tools/pictures.py
    for page in PAGES:
        assert "execution_count" not in page.read_text()


def test_random_numbers_are_seeded_so_that_figures_stay_the_same():
    for page in PAGES:
        for cell in cells(page):
            for line in cell.lines:
                if re.search(r"torch\.(randn|rand|randint|randperm)\(", line) and "generator=" not in line:
                    assert "torch.manual_seed(" in page.read_text(), f"{page.stem}: {line}"
