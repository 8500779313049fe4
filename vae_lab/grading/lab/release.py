"""Make the students' version of a lab from its source in `solutions/`, with nbgrader's steps, in memory.

The same source gives the same bytes: nothing here depends on the clock, the machine or a database.
"""

from __future__ import annotations

import json
from pathlib import Path

import nbformat

from vae_lab.grading.course import Course, write_atomically
from vae_lab.grading.lab.cells import ANCHOR, LEFTOVER
from vae_lab.grading.lab.release_steps import STEPS
from vae_lab.grading.lab.translation import translate_source, words_of
from vae_lab.language import SOURCE

# What a freshly saved notebook says about its language; Sphinx needs it to highlight the code.
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def release_notebook(source: str, lab: str, language: str = SOURCE) -> str:
    """Turn the text of `solutions/<lab>/<lab>.ipynb` into the text of `labs/<lab>/<lab>.ipynb`.

    Args:
        source: the text of the lab's source.
        lab: its name.
        language: of the version to make; its words are in the catalogue `lab-<lab>`.

    Raises:
        ValueError: if the source is no notebook, nbgrader finds fault with it, a cell has no id (nbformat would invent
            a new one at every run), or a graded cell would lose the anchor comment that names it.
    """
    try:
        cells = json.loads(source)["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"release: the source of {lab} is not a notebook: {error!r}") from error
    if not all("id" in cell for cell in cells):
        raise ValueError(f"release: a cell of {lab} has no id; save the notebook once with nbformat 4.5 or newer")
    notebook = nbformat.reads(source, as_version=4)
    if language != SOURCE:
        translate(notebook, lab, language)
    for name, step in STEPS.items():
        try:
            step(notebook.cells)
        except ValueError as error:
            raise ValueError(f"release: nbgrader's step {name} refuses {lab}: {error}") from error
    notebook.metadata.pop("celltoolbar", None)
    for cell in notebook.cells:
        grader = cell.metadata.get("nbgrader")
        if left := LEFTOVER.search(cell.source):
            raise ValueError(f"release: {lab} would be released with {left.group()!r} in cell {cell.id}")
        if grader and (grader["grade"] or grader["solution"]):
            anchor = ANCHOR.search(cell.source)
            if anchor is None or anchor.groups() != (lab, grader["grade_id"]):
                raise ValueError(
                    f"release: cell {grader['grade_id']} of {lab} begins with no anchor 'vae-lab: {lab}/"
                    f"{grader['grade_id']}' outside its solution; without its metadata it could not be found"
                )
        cell.metadata.pop("execution", None)  # run times
    notebook.metadata = nbformat.NotebookNode(
        {**{key: notebook.metadata[key] for key in notebook.metadata if key in ("vae_lab", "colab")}}
    )
    notebook.metadata.update(kernelspec=dict(KERNEL), language_info=dict(LANGUAGE))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def translate(notebook: nbformat.NotebookNode, lab: str, language: str) -> None:
    """Put a lab's text into another language, before anything is taken out of it and before checksums are made."""
    words = words_of(lab, language)
    for cell in notebook.cells:
        grader = cell.metadata.get("nbgrader", {})
        if not (grader.get("grade") and grader.get("solution")):  # a written question's cell holds the answer alone
            named = bool(grader.get("grade_id"))
            cell.source = translate_source(cell.source, cell.cell_type == "code", named, words, language)
    notebook.metadata["vae_lab"] = {**notebook.metadata.get("vae_lab", {}), "language": language}


def release(course: Course, lab: str, language: str = SOURCE) -> tuple[Path, bool]:
    """Write the released version of one lab in one language; returns its path and whether its bytes changed."""
    text = release_notebook(course.source(lab).read_text(encoding="utf-8"), lab, language)
    path = course.released(lab, language)
    before = path.read_bytes() if path.is_file() else None
    write_atomically(path, text)
    return path, before != text.encode()
