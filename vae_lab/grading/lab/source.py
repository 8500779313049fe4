"""Reading an instructor's lab: the one trusted notebook, `solutions/<lab>/<lab>.ipynb`."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from vae_lab.grading.lab.cells import STUB as STUB
from vae_lab.grading.lab.translation import translate_source, translated_into, words_of

Role = Literal["setup", "solution", "tests", "written", "text"]

ANCHOR = re.compile(r"^\s*(?:#|<!--)\s*vae-lab:\s*([\w.-]+)/([\w.-]+)\s*(?:-->)?\s*$")
OPTIMIZERS = "vae_lab.grading.rpc.optimizers"  # loads what is slow to load, for labs whose own text points to it
USES_THEM = re.compile(r"optim|\bvmap\b|torch\.func\b|\bjac(?:rev|fwd)\b")
MAY_USE_THEM = re.compile(r"optim|vmap|torch\.func\b|\bjac|gradient|derivative|train", re.IGNORECASE)
IN_A_NOTEBOOK = re.compile(rb"optim|vmap|torch\.func\b|functorch|jac|hessian|checkpoint|compile|dynamo", re.IGNORECASE)


def points_to_optimizers(notebook: bytes) -> bool:
    """Whether a notebook that was handed in may load them; if it does all the same, its own process takes the time.

    Example:
        >>> points_to_optimizers(b"torch.optim.SGD(w, 0.1)"), points_to_optimizers(b"z = mu + sigma * eps")
        (True, False)
    """
    return IN_A_NOTEBOOK.search(notebook) is not None


@dataclass(frozen=True)
class LabCell:
    """One cell of a lab.

    Args:
        role: "setup" (the instructor's own code), "solution", "tests", "written" (a person marks it) or "text".
        grade_id: nbgrader's name of the cell; "" where it has none.
        points: what a test cell or a written answer gives.
        source: as the instructor wrote it.
        released: as a student receives it: without hidden tests, and without the solution.
        code: whether it is a code cell.
        locked: whether nbgrader restores it from the instructor's version.
        defines: the names that a code cell binds at its top level.
        hidden: the numbers (from 1) of the lines of `source` inside hidden tests.
        also: (language, the cell as students of that language receive it), for each language but the lab's own.
    """

    role: Role
    grade_id: str
    points: float
    source: str
    released: str
    code: bool
    locked: bool
    defines: tuple[str, ...] = ()
    hidden: frozenset[int] = frozenset()
    also: tuple[tuple[str, str], ...] = ()

    @property
    def as_released(self) -> tuple[str, ...]:
        """The cell as students receive it, in each language."""
        return (self.released, *(text for _, text in self.also))


@dataclass(frozen=True)
class Lab:
    """A lab: its cells in order, and the names of `vae_lab` that a student must not use for it."""

    name: str
    cells: tuple[LabCell, ...]
    reserves: tuple[str, ...] = ()
    digest: str = ""

    @property
    def graded(self) -> tuple[LabCell, ...]:
        """The cells that give points: tests and written answers, in order."""
        return tuple(cell for cell in self.cells if cell.role in ("tests", "written"))

    @property
    def imports(self) -> tuple[str, ...]:
        """What the instructor's code imports at top level, to load beforehand; some may turn out to be no modules."""
        found: set[str] = set()
        for cell in self.cells:
            tree = parse(cell.source) if cell.code else None
            for node in tree.body if tree is not None else []:
                if isinstance(node, ast.Import):
                    found.update(alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module)
                    found.update(f"{node.module}.{alias.name}" for alias in node.names)
        if any(USES_THEM.search(cell.source) for cell in self.cells if cell.role in ("setup", "tests")):
            found.add(OPTIMIZERS)
        return tuple(sorted(found))

    @property
    def students_imports(self) -> tuple[str, ...]:
        """What to load beforehand where students' code runs: also optimizers, if a cell speaks of gradients."""
        may = any(MAY_USE_THEM.search(cell.source) for cell in self.cells)
        return tuple(sorted({*self.imports, OPTIMIZERS} if may else self.imports))

    @staticmethod
    def from_bytes(name: str, data: bytes) -> Lab:
        """Read a lab from the bytes of its notebook.

        Raises:
            ValueError: if the notebook is malformed; one line says how.
        """
        try:
            notebook = json.loads(data)
            raw_cells = notebook["cells"]
            metadata = notebook.get("metadata", {})
            cells = tuple(_read_cell(name, number, cell) for number, cell in enumerate(raw_cells, 1))
        except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"lab {name}: not a notebook of nbformat 4 ({type(error).__name__}: {error}).") from None
        ids = [cell.grade_id for cell in cells if cell.grade_id]
        twice = sorted({grade_id for grade_id in ids if ids.count(grade_id) > 1})
        if twice:
            raise ValueError(
                f"lab {name}: grade_id {twice[0]!r} names {ids.count(twice[0])} cells; each must name one."
            )
        if not any(cell.role == "tests" or cell.role == "written" for cell in cells):
            raise ValueError(f"lab {name}: no cell gives points.")
        own = metadata.get("vae_lab", {}) if isinstance(metadata, dict) else {}
        reserves = own.get("reserves", []) if isinstance(own, dict) else []
        if not isinstance(reserves, list) or not all(isinstance(item, str) for item in reserves):
            raise ValueError(f"lab {name}: metadata vae_lab.reserves must be a list of dotted names.")
        return Lab(name, cells, tuple(reserves), hashlib.sha256(data).hexdigest())


def in_all_languages(lab: Lab) -> Lab:
    """The lab, with what each cell looks like in the other languages that it is released in."""
    others = {language: words_of(lab.name, language) for language in translated_into(lab.name)}
    if not others:
        return lab

    def also(cell: LabCell) -> tuple[tuple[str, str], ...]:
        named = bool(cell.grade_id)
        return tuple(
            (language, translate_source(cell.released, cell.code, named, words, language))
            for language, words in others.items()
        )

    return replace(lab, cells=tuple(replace(cell, also=also(cell)) for cell in lab.cells))


def load_lab(path: Path) -> Lab:
    """Read a lab from its notebook, in all its languages; the lab's name is the file's.

    Raises:
        ValueError: if it cannot be read or is malformed; one line says how.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"lab {path.stem}: cannot read {path}: {error.strerror}.") from None
    return in_all_languages(Lab.from_bytes(path.stem, data))


def text_of(source: Any) -> str:
    """A cell's source, which nbformat allows to be a text or a list of lines."""
    if isinstance(source, str):
        return source
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    raise TypeError("a cell's source is neither a text nor a list of texts")


def anchor_of(source: str) -> tuple[str, str] | None:
    r"""The lab and grade_id that a cell's first lines name, if they do.

    >>> anchor_of("# vae-lab: tiny/double\ndef double(x): ...")
    ('tiny', 'double')
    """
    for line in source.splitlines()[:5]:
        match = ANCHOR.match(line[:300])
        if match:
            return match.group(1), match.group(2)
    return None


def parse(source: str) -> ast.Module | None:
    """The syntax tree of an instructor's cell, IPython's own syntax included; None if it has none."""
    with contextlib.suppress(SyntaxError):
        return ast.parse(source)
    from IPython.core.inputtransformer2 import TransformerManager  # here, for few cells need it and it loads much

    with contextlib.suppress(SyntaxError):
        return ast.parse(TransformerManager().transform_cell(source))
    return None


@lru_cache(maxsize=4096)
def bound_names(source: str) -> tuple[str, ...]:
    r"""The names that a trusted cell binds at its top level.

    >>> bound_names("import torch\ndef f(): pass\na, b = 1, 2")
    ('a', 'b', 'f', 'torch')
    """
    tree = parse(source)
    names: set[str] = set()
    for node in tree.body if tree is not None else []:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                names.add(inner.id)
            elif isinstance(inner, ast.alias):
                names.add((inner.asname or inner.name).partition(".")[0])
    return tuple(sorted(names))


def _read_cell(lab: str, number: int, cell: dict[str, Any]) -> LabCell:
    source = text_of(cell["source"])
    code = cell["cell_type"] == "code"
    info = cell.get("metadata", {}).get("nbgrader")
    if info is None:
        defines = bound_names(source) if code else ()
        return LabCell("setup" if code else "text", "", 0.0, source, source, code, locked=False, defines=defines)
    if not isinstance(info, dict) or not isinstance(info.get("grade_id"), str) or not info["grade_id"]:
        raise ValueError(f"lab {lab}: cell {number} has nbgrader metadata without a grade_id.")
    grade_id = info["grade_id"]
    grade, solution, locked = (info.get(key) is True for key in ("grade", "solution", "locked"))
    if info.get("task") is True:
        grade, solution = True, True
    points = info.get("points", 0.0) if grade else 0.0
    if not isinstance(points, int | float) or isinstance(points, bool) or not 0 <= points < 1e6:
        raise ValueError(f"lab {lab}: cell {grade_id!r} has points {points!r}; wanted a number of at least 0.")
    defines = bound_names(source) if code else ()
    shown, hidden = _without_region(source, "HIDDEN TESTS", lab, grade_id)
    if grade and solution:
        return LabCell("written", grade_id, float(points), source, _blank(source, lab, grade_id), code, False, defines)
    if grade:
        if not code:
            raise ValueError(f"lab {lab}: test cell {grade_id!r} is no code cell.")
        if parse(source) is None:
            raise ValueError(f"lab {lab}: test cell {grade_id!r} is no valid Python.")
        return LabCell("tests", grade_id, float(points), source, shown, True, True, defines, hidden)
    if solution:
        return LabCell("solution", grade_id, 0.0, source, _blank(source, lab, grade_id), code, False, defines)
    return LabCell("setup" if code else "text", grade_id, 0.0, source, source, code, locked, defines)


def _without_region(source: str, mark: str, lab: str, grade_id: str) -> tuple[str, frozenset[int]]:
    """A source without its `### BEGIN mark` ... `### END mark` regions, and the numbers of the lines left out."""
    kept: list[str] = []
    gone: set[int] = set()
    inside = False
    for number, line in enumerate(source.split("\n"), 1):
        begins, ends = f"BEGIN {mark}" in line, f"END {mark}" in line
        if (begins and inside) or (ends and not inside):
            raise ValueError(f"lab {lab}: cell {grade_id!r} has unmatched BEGIN and END {mark}.")
        if begins or inside:
            gone.add(number)
        else:
            kept.append(line)
        inside = (inside or begins) and not ends
    if inside:
        raise ValueError(f"lab {lab}: cell {grade_id!r} has BEGIN {mark} without END.")
    return "\n".join(kept), frozenset(gone)


def _blank(source: str, lab: str, grade_id: str) -> str:
    """A solution as released: without its solution regions, or only its anchor where it has none."""
    kept, gone = _without_region(source, "SOLUTION", lab, grade_id)
    return kept if gone else "\n".join(line for line in source.split("\n") if ANCHOR.match(line))
