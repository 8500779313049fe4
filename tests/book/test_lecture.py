"""The lecture's table: every minute has a page, and every test that it names exists."""

from __future__ import annotations

import re

from book.sources import ROOT

TEXT = (ROOT / "book" / "lecture.md").read_text()


def rows_of(text: str) -> list[list[str]]:
    return [row.split("|")[1:-1] for row in text.splitlines() if re.match(r"\| \d+:\d\d ", row)]


ROWS = rows_of(TEXT)
HELD = rows_of((ROOT / "book" / "status.md").read_text())  # out of a student's way


def test_every_statement_of_the_lecture_is_there_in_order():
    minutes = [int(m) * 60 + int(s) for m, s in (row[0].strip().split(":") for row in ROWS)]
    assert len(minutes) == 18
    assert minutes == sorted(minutes)
    assert minutes[0] == 23
    assert minutes[-1] == 13 * 60 + 15


def test_every_statement_has_a_page_and_a_test_that_exists():
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert [row[0] for row in HELD] == [row[0] for row in ROWS]
    for row, held in zip(ROWS, HELD, strict=True):
        assert "[](" in row[2], row[0]
        names = re.findall(r"`(test_\w+)`", held[1])
        assert names, row[0]
        for name in names:
            assert f"def {name}(" in tests, f"{row[0]}: there is no test called {name}"


def test_the_lab_tasks_it_names_exist():
    labs = "\n".join(path.read_text() for path in (ROOT / "solutions").glob("*/*.ipynb"))
    known = {lab.name for lab in (ROOT / "solutions").iterdir()} if (ROOT / "solutions").is_dir() else set()
    for row in ROWS:
        for task in re.findall(r"`(\w+)`", row[3]):
            of_generation = task in {"VAE", "train", "generate", "interpolate", "recognisable_fraction"}
            if of_generation and "generation" not in known:
                continue
            assert f"/{task}" in labs, f"{row[0]}: no lab has a task called {task}"
