"""The last cell of a lab: a table in Jupyter and in Colab, nothing where nobody looks, and no hidden test."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient

from tests.grading.colab import through_colab
from vae_lab import checks
from vae_lab.checks import lab_overview
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.authoring.run_notebook import in_a_fork
from vae_lab.grading.lab.cells import text

ROOT = Path(__file__).parents[2]
LABS = [path.name for path in sorted((ROOT / "solutions").iterdir()) if path.is_dir()]
SOURCE = (ROOT / "solutions" / "sampling" / "sampling.ipynb").read_text(encoding="utf-8")
WRONG = {
    "std_from_logvar": "# vae-lab: sampling/std_from_logvar\ndef std_from_logvar(logvar):\n    return logvar.exp()"
}


@pytest.mark.parametrize("lab", LABS)
def test_the_last_cell_of_a_lab_is_the_overview_and_gives_no_points(lab):
    cell = json.loads((ROOT / "labs" / lab / f"{lab}.ipynb").read_text(encoding="utf-8"))["cells"][-1]
    assert "".join(cell["source"]) == f"# vae-lab: {lab}/overview\nchecks.overview()"
    info = cell["metadata"]["nbgrader"]
    assert (info["grade_id"], info["grade"], info["solution"], info["locked"]) == ("overview", False, False, True)


def test_where_nobody_looks_nothing_is_run(monkeypatch):
    monkeypatch.setattr(checks, "look", lambda: pytest.fail("the tests were run"))
    assert checks.overview() is None


def test_nbgraders_own_kernel_is_nobody(monkeypatch):
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)
    assert checks.in_notebook()
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert not checks.in_notebook()


def test_in_a_kernel_the_cell_shows_a_table(tmp_path):
    made = with_answers(SOURCE, "sampling", WRONG, hidden_tests=False)
    notebook = nbformat.reads(json.dumps(made), as_version=4)
    client = NotebookClient(notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(ROOT)}})
    client.execute()
    (output,) = notebook.cells[-1].outputs
    shown = output["data"]["text/plain"]
    assert "x std_from_logvar" in shown
    assert "Likely mistake: exp(logvar) is the variance" in shown
    assert "+ reparameterize " in shown
    assert output["data"]["text/html"].startswith("<table>")


def in_colab(saved: str) -> str:
    """Run a notebook in a shell that looks like Colab's, and look at it."""
    message = types.ModuleType("google.colab._message")
    message.blocking_request = lambda what, timeout_sec: {"ipynb": json.loads(saved)}
    colab = types.ModuleType("google.colab")
    colab._message = message
    sys.modules.update({"google": types.ModuleType("google"), "google.colab": colab, message.__name__: message})
    shell = InteractiveShell.instance()
    for cell in json.loads(saved)["cells"]:
        if cell["cell_type"] == "code":
            shell.run_cell(text(cell), store_history=False)
    return str(lab_overview.look())


@pytest.mark.parametrize("nbgrader", ["kept", "stripped"])
def test_in_colab_too(nbgrader):
    answers = {**WRONG, "hand_gradients": "# vae-lab: sampling/hand_gradients\n# later"}
    saved = through_colab(with_answers(SOURCE, "sampling", answers, hidden_tests=False), nbgrader=nbgrader)
    shown = in_a_fork(in_colab, saved.decode())
    assert "x std_from_logvar" in shown
    assert ". hand_gradients" in shown
    assert 'Read next: the book\'s page "Gradient paths: how the gradient reaches the encoder"' in shown
    assert ("13 of 17 points in view" in shown) == (nbgrader == "kept")


STOPS = {
    name: f"# vae-lab: sampling/{name}\n{body}"
    for name, body in {
        "std_from_logvar": "def std_from_logvar(logvar)\n    return logvar.exp()",
        "reparameterize": "use = later\n\ndef reparameterize(mu, logvar):\n    return mu",
        "hand_gradients": "def hand_gradients(logvar, eps):\n    raise NotImplementedError()",
    }.items()
}


def after_a_restart(path: str) -> tuple[str, str]:
    """What the overview says of a saved notebook of which one answer's cell has not run; then, once it has."""
    shell = InteractiveShell.instance()
    shell.kernel = object()  # somebody looks
    cells = [cell for cell in json.loads(Path(path).read_text())["cells"] if cell["cell_type"] == "code"]
    skipped = next(cell for cell in cells if "def node_kinds" in text(cell))
    for cell in cells[:-1]:
        if cell is not skipped:
            shell.run_cell(text(cell), store_history=True)
    before = str(lab_overview.look(path))
    shell.run_cell(text(skipped), store_history=True)
    fixed = "# vae-lab: sampling/reparameterize_many\ndef reparameterize_many(mu, logvar, n):\n    return 2 3"
    shell.run_cell(fixed, store_history=True)  # a slip while an older answer is still there
    return before, str(lab_overview.look(path))


def test_not_attempted_not_run_and_stopped_are_told_apart(tmp_path):
    path = tmp_path / "sampling.ipynb"
    path.write_text(json.dumps(with_answers(SOURCE, "sampling", STOPS, hidden_tests=False)))
    before, after = in_a_fork(after_a_restart, str(path))
    assert "! node_kinds" in before
    assert "its cell has not run since the kernel started" in before
    assert "x std_from_logvar" in before
    assert "its cell stopped with SyntaxError in line 2: expected ':'" in before
    assert "its cell stopped with NameError in line 2: name 'later' is not defined" in before
    assert ". hand_gradients" in before
    assert "+ node_kinds" in after
    assert "+ reparameterize_many" in after
    assert "its cell stopped with SyntaxError in line 3: invalid syntax\n    What passes is what was" in after
