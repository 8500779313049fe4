"""What a submission needs that this machine has not: told from its own text, so that nothing else can be told by it.

A student's machine had pandas, a GPU, a newer Python. What cannot be judged without waits for a person.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable
from functools import lru_cache

from vae_lab.grading.judge.submitted_notebook import Step
from vae_lab.grading.lab.matching import binds
from vae_lab.grading.rpc.lacking import MODULE, OTHER_LANGUAGES, lacking

IMPORTS = re.compile(r"^[ \t]*(?:import[ \t]+([^\n#;(]+)|from[ \t]+([A-Za-z_][\w.]*)[ \t]+import\b)", re.MULTILINE)
CELL_MAGIC = re.compile(r"\s*%%(\w+)")
# Syntax that came with a version of Python: an older one calls it an error.
NEWER = (
    (
        (3, 12),
        re.compile(r"^\s*(?:type\s+\w+(?:\[[^\n]*\])?\s*=|(?:async\s+)?def\s+\w+\[|class\s+\w+\[)", re.MULTILINE),
    ),
    ((3, 12), re.compile(r"""\b[rR]?[fF][rR]?(["'])[^\n]*?\{[^}\n]*\1[^\n]*\}""")),
    ((3, 14), re.compile(r"""\bt["']|^\s*except\s+\w+\s*,\s*\w+[^\n()]*:""", re.MULTILINE)),
)


def absent_modules(source: str) -> tuple[str, ...]:
    r"""The modules that a student's text imports and that are not installed here; nothing is imported to find out.

    >>> absent_modules("import torch, no_such_package\nfrom google.colab import drive")
    ('google.colab', 'no_such_package')
    """
    names: set[str] = set()
    for plain, package in IMPORTS.findall(source):
        names |= {part.split()[0] for part in plain.split(",") if part.strip()} if plain else {package}
    colab = {"google.colab"} if any(name.startswith("google.colab") for name in names) else set()
    roots = {name.partition(".")[0] for name in names if not name.startswith("google.")}
    return tuple(sorted({root for root in roots if re.fullmatch(r"\w{1,60}", root) and not _is_here(root)} | colab))


@lru_cache(maxsize=4096)
def _is_here(root: str) -> bool:
    try:
        return root in sys.builtin_module_names or importlib.util.find_spec(root) is not None
    except (ImportError, ValueError, AttributeError):
        return True


def newer_python(source: str, written_with: str, here: tuple[int, int] | None = None) -> str:
    """The Python that a cell needs which is a syntax error here, or "".

    Args:
        source: the cell.
        written_with: the version that the notebook names, or "".
        here: this Python's version.

    Example:
        >>> newer_python("type Number = int | float", "", here=(3, 11))
        'Python 3.12'
    """
    here = here or (sys.version_info.major, sys.version_info.minor)
    for version, pattern in NEWER:
        if here < version and pattern.search(source):
            return f"Python {version[0]}.{version[1]}"
    named = re.match(r"(\d)\.(\d{1,2})", written_with)
    if named and here < (int(named[1]), int(named[2])):
        return f"Python {named[1]}.{named[2]}"
    return ""


def unrun_answers(steps: Iterable[Step]) -> list[str]:
    """A flag for each cell in another language that holds what may be an answer."""
    found = []
    for step in steps:
        magic = CELL_MAGIC.match(step.source)
        if (
            step.kind == "student"
            and magic
            and magic[1] in OTHER_LANGUAGES
            and (step.cell is not None or binds(step.source))
        ):
            found.append(f"cell not run, for it begins with %%{magic[1]}")
    return list(dict.fromkeys(found))


class Needs:
    """What one submission turned out to need, by name, and which of its names are lost with it.

    Args:
        steps: of the submission.
        python: the version of Python that its file names.
    """

    def __init__(self, steps: Iterable[Step] = (), python: str = "") -> None:
        self.found: set[str] = set()
        self.lost: dict[str, str] = {}
        self.python = python
        self.modules = sorted(
            {name for step in steps if step.kind == "student" for name in absent_modules(step.source)}
        )

    def ran(self, step: Step, asked_for: object) -> None:
        """Note what a cell's imports asked for in vain, as the student's side says; only what the cell names counts."""
        said = [name for name in asked_for if type(name) is str] if type(asked_for) is list else []
        here = {name for name in absent_modules(step.source) if any(f"{one}.".startswith(f"{name}.") for one in said)}
        self.found |= here

    def stopped(self, step: Step, kind: str, text: str) -> None:
        """Note why a cell stopped, if it is for want of something; what it would have defined is lost for that."""
        need = lacking(kind, text)
        if kind in ("SyntaxError", "IndentationError"):
            need = newer_python(step.source, self.python)
        if need == MODULE:
            need = ", ".join(absent_modules(step.source) or self.modules) or MODULE
        if need:
            self.found.add(need)
            self.lost |= dict.fromkeys(binds(step.source), need)

    def of_call(self, kind: str, text: str) -> str:
        """What a call of the student's code lacked, or ""."""
        need = lacking(kind, text)
        if need == MODULE:
            need = ", ".join(self.modules) or MODULE
        if kind == "NameError":
            name = re.search(r"name '(\w+)' is not defined", text)
            need = self.lost.get(name[1], "") if name else ""
        if need:
            self.found.add(need)
        return need

    def flags(self) -> list[str]:
        """One flag for each thing that was wanting."""
        return [f"needs {need}, which is not here" for need in sorted(self.found)]
