"""What Colab makes of a notebook: opened, edited, run on a GPU, and downloaded again.

Taken from notebooks that Colab wrote: nbformat 4.0 with the keys in this order, no cell ids but `metadata.id`, an
`outputId` and a `colab` entry on cells that were run, a kernelspec without language, an accelerator, the badge cell,
`deletable` and `editable` ignored, outputs with Google's own mime types, widget state with Google's keys.
"""

from __future__ import annotations

import json
import random
import string
import uuid
from collections.abc import Callable
from typing import Any, Literal

Cells = list[dict[str, Any]]
BADGE = (
    '<a href="https://colab.research.google.com/github/x/y/blob/main/z.ipynb" target="_parent"><img '
    'src="https://colab.research.google.com/assets/colab-badge.svg" alt="Open In Colab"/></a>'
)
INSTALLED = (
    "\x1b[?25l   \x1b[90m━━━━━━━━\x1b[0m \x1b[32m0.0/0.9 MB\x1b[0m \x1b[31m?\x1b[0m eta \x1b[36m-:--:--\x1b[0m\r"
)


def through_colab(
    notebook: dict[str, Any],
    *,
    nbgrader: Literal["kept", "stripped"] = "kept",
    delete: Callable[[dict[str, Any]], bool] = lambda cell: False,
    run: bool = True,
    install: str = "",
    seed: int = 0,
) -> bytes:
    """The bytes that a student downloads from Colab.

    Args:
        notebook: as it was opened there; not changed.
        nbgrader: does cell and notebook metadata that Colab does not know survive? Usually it does.
        delete: cells that the student deletes, locked or not.
        run: are there outputs and execution counts?
        install: source of a cell that the student puts first.
        seed: of the ids.
    """
    ids = random.Random(seed)
    cells: Cells = [markdown(BADGE, {"id": "view-in-github", "colab_type": "text"})]
    if install:
        cells.append({**code(install), "metadata": {"id": new_id(ids)}})
    for number, cell in enumerate(cell for cell in notebook["cells"] if not delete(cell)):
        cells.append(as_saved(cell, number, ids, nbgrader == "kept", run))
    metadata: dict[str, Any] = {
        "colab": {"provenance": [], "gpuType": "T4", "toc_visible": True, "include_colab_link": True},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
        "accelerator": "GPU",
        "widgets": {"application/vnd.jupyter.widget-state+json": {"f0": {"model_module": "@jupyter-widgets/base"}}},
    }
    if nbgrader == "kept":
        known = {"kernelspec", "language_info"}
        metadata |= {name: value for name, value in notebook["metadata"].items() if name not in known}
    saved = {"nbformat": 4, "nbformat_minor": 0, "metadata": metadata, "cells": cells}
    return json.dumps(saved, indent=2, ensure_ascii=False).encode()


def as_saved(cell: dict[str, Any], number: int, ids: random.Random, kept: bool, run: bool) -> dict[str, Any]:
    """One cell as Colab writes it."""
    source = "".join(cell["source"])
    metadata: dict[str, Any] = dict(cell["metadata"]) if kept else {}
    metadata["id"] = new_id(ids)
    if cell["cell_type"] != "code":
        return markdown(source, metadata)
    saved = code(source)
    if run:
        metadata |= {
            "colab": {"base_uri": "https://localhost:8080/", "height": 35, "referenced_widgets": ["f0"]},
            "outputId": str(uuid.UUID(int=ids.getrandbits(128), version=4)),
        }
        saved["execution_count"] = number + 1
        saved["outputs"] = outputs(number)
    return {**saved, "metadata": metadata}


def outputs(number: int) -> list[dict[str, Any]]:
    """Outputs of each kind that Colab stores, some of them on every other cell."""
    bar = {"output_type": "stream", "name": "stderr", "text": ["100%|██████████| 40/40 [00:01<00:00, 29.4it/s]\n"]}
    pip = {"output_type": "stream", "name": "stdout", "text": [INSTALLED]}
    value = {
        "output_type": "execute_result",
        "data": {
            "text/plain": ["'cuda'"],
            "application/vnd.google.colaboratory.intrinsic+json": {"type": "string"},
        },
        "metadata": {},
        "execution_count": number + 1,
    }
    raised = {"output_type": "error", "ename": "AssertionError", "evalue": "wrong", "traceback": ["\x1b[0;31mwrong"]}
    return [[], [bar], [pip, value], [raised]][number % 4]


def new_id(ids: random.Random) -> str:
    """An id as Colab invents them."""
    return "".join(ids.choices(string.ascii_letters + string.digits + "-_", k=12))


def lines(source: str) -> list[str]:
    """A source as the list of lines that Colab writes."""
    return source.splitlines(keepends=True)


def markdown(source: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """A text cell, keys in Colab's order."""
    return {"cell_type": "markdown", "source": lines(source), "metadata": metadata}


def code(source: str) -> dict[str, Any]:
    """A code cell that was not run, keys in Colab's order."""
    return {"cell_type": "code", "source": lines(source), "metadata": {}, "execution_count": None, "outputs": []}
