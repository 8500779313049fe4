"""The page for instructors is typed, command by command, and prints what it says that it prints."""

import re
from pathlib import Path

import pytest

from tools.walk_instructors import PAGE, Step, differs, environment_with, steps, walk
from vae_lab.grading.sandbox.bubblewrap import sandbox_problem

PROMISED = ("doctor", "init-course", "collect moodle", "collect canvas", "vae-lab grade")
PROMISED += ("jupyter lab", "send-back", "verify", "release", "appeal")


def test_every_command_of_the_page_is_in_a_block_that_is_typed():
    page = PAGE.read_text(encoding="utf-8")
    typed = "".join(step.commands for step in steps(page))
    places = [typed.index(word) for word in PROMISED]
    assert places == sorted(places)
    assert page.count("\n```bash\n") == len(steps(page))
    alone = re.sub(
        r"^## Grade on many machines\n.*?(?=^## )", "", page, flags=re.MULTILINE | re.DOTALL
    )  # has its own tests
    assert not re.search(r"^ +```bash|^~~~|^```(sh|console|shell)", alone, re.MULTILINE), "a block that is not typed"


def test_what_a_page_says_is_held_against_what_is_printed():
    assert differs(Step("x", "a ... b\n"), "a 17 b\n") == ""
    assert "it printed" in differs(Step("x", "a ... b\n"), "a 17 c\n")
    assert differs(Step("x", ""), "anything") == ""


@pytest.mark.skipif(sandbox_problem() is not None, reason=str(sandbox_problem()))
@pytest.mark.long
def test_a_term_from_the_class_list_to_the_appeal(tmp_path: Path):
    term = tmp_path / "term"
    term.mkdir()
    said = {}
    for step, printed, _, wrong in walk(term, environment_with(tmp_path / "bin"), whole=False):
        assert not wrong, f"{step.commands}\n{wrong}"
        said[step.commands] = printed
    assert len(said) == len(steps(PAGE.read_text(encoding="utf-8")))
    marked = next(printed for commands, printed in said.items() if commands.startswith("jupyter lab"))
    assert sorted(line.split(":")[0] for line in marked.splitlines()) == ["al01", "at02", "gh03"]
    course = term / "vae-2027"
    graded = (course / "report" / "sampling" / "moodle.csv").read_text(encoding="utf-8")
    assert '"gh03","grace@example.org","Grace","Hopper"' in graded
    assert "still to be read" not in graded, "a mark that was given by hand was lost when all was graded again"
    feedback = (course / "feedback" / "at02" / "sampling" / "sampling.html").read_text(encoding="utf-8")
    assert "Say which arrow leads back to a weight." in feedback
    assert "exp(logvar) is the variance" in feedback
