"""Every `vae-lab` command that the texts tell somebody to type is one that there is."""

import re
import shlex
from pathlib import Path

import pytest

from vae_lab.cli import parser
from vae_lab.grading.lms.init_course import NEXT_STEPS

ROOT = Path(__file__).parents[2]
KNOWN = next(action.choices for action in parser()._actions if action.choices)
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "book").glob("*.md"))]


def commands(text):
    """The commands in code blocks and between backticks, in the words of a shell."""
    blocks = re.findall(r"^ *```(?:bash|sh|console)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`(vae-lab [^`\n]+)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE))
    return [shlex.split(line, comments=True) for line in lines if line.startswith("vae-lab ")]


def stands_for_all(words):
    """A command that is only named, as in "see `vae-lab grade`", is no call of it."""
    return len(words) == 2


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_the_commands_in_a_text_are_understood(path):
    for words in commands(path.read_text()):
        known = stands_for_all(words) and words[1] in KNOWN
        if not known:
            parser().parse_args(words[1:])  # ends the test with the parser's own line if it is not understood


def test_the_next_steps_of_a_new_course_are_understood():
    found = commands(NEXT_STEPS)
    assert {words[1] for words in found} >= {"collect", "grade", "verify", "doctor"}
    for words in found:
        parser().parse_args(words[1:])


def test_a_command_that_there_is_not_is_found_out():
    (words,) = commands("```bash\nvae-lab grade sampling --quickly  # soon\n```")
    with pytest.raises(SystemExit):
        parser().parse_args(words[1:])
