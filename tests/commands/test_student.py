"""`vae-lab check`, its `--hand-in`, and `vae-lab lab`: nothing hangs, nothing is installed, nothing is written over."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path

import nbformat
import pytest

from tests.grading import tiny_course
from vae_lab import lab_files
from vae_lab.cli import main
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.authoring.guards import TookTooLong, limited, without_installs
from vae_lab.grading.lab.cells import to_bytes

SOURCE = json.dumps(tiny_course.notebook())


def save(folder: Path, cells: dict[str, str], extra: str = "") -> Path:
    notebook = with_answers(SOURCE, "halves", cells, hidden_tests=False)
    if extra:
        cell = {"cell_type": "code", "source": extra, "metadata": {}, "outputs": [], "execution_count": None}
        notebook["cells"].insert(1, {**cell, "id": "extra"})
    path = folder / "halves.ipynb"
    path.write_bytes(to_bytes(notebook))
    return path


def check(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    """Check a notebook by the path that leads there from here, as one types it."""
    status = main(["check", os.path.relpath(path), *options])
    return status, capsys.readouterr().out


def test_a_cell_without_an_end_is_stopped_and_the_next_ones_run(tmp_path, capsys):
    path = save(tmp_path, {"half": "while True:\n    pass"})
    status, shown = check(path, capsys, "--seconds", "30")
    assert status == 1
    assert "half stopped: stopped after 30 s" in shown
    assert "+ double" in shown


def test_a_question_to_nobody_is_refused(tmp_path, capsys):
    status, shown = check(save(tmp_path, {}, "answer = input('name? ')"), capsys)
    assert status == 0
    assert "code cell" in shown
    assert "input() waits for somebody to type" in shown


def test_nothing_is_installed_unasked(tmp_path, capsys):
    status, shown = check(save(tmp_path, {}, "%pip install no-such-package-anywhere\nx = 1"), capsys)
    assert status == 0
    assert "Lines that install packages were left out" in shown
    assert "stopped" not in shown


@pytest.mark.parametrize(
    "line",
    [
        "!pip install x",
        "%pip install x",
        "! python -m pip install -q x",
        "!python3 -mpip install x",
        "%conda install x",
        "!{sys.executable} -m pip install x",
        '!"{sys.executable}" -m pip install x',
        "!$sys.executable -m pip install x",
        "!uv pip install x",
        "!pip -q --no-input install x",
        "!pip3.12 install x",
        "!!pip install x",
        "!cd /tmp && pip install x",
        "!sudo apt-get install -y x",
        "!apt install x",
        "!pip install x \\\n    y",
    ],
)
@pytest.mark.parametrize("indent", ["", "    "])
def test_a_line_that_installs_is_known(line, indent):
    block = "if True:\n" if indent else ""
    found = without_installs(f"a = 1\n{block}{indent}{line}\nb = 2")
    assert found == (f"a = 1\n{block}{indent}pass  # not installed by vae-lab check\nb = 2", True)
    compile(found[0], "cell", "exec")


@pytest.mark.parametrize("head", ["%%bash", "%%sh", "%%script bash", "\n%%bash -e"])
def test_a_shell_cell_installs_nothing(head):
    found, changed = without_installs(f"{head}\nls\n  pip install x\nls")
    assert changed
    assert found == f"{head}\nls\n  :  # not installed by vae-lab check\nls"


@pytest.mark.parametrize(
    "text",
    [
        "pip = 3",
        "!ls",
        "# !pip install x",
        "%matplotlib inline",
        "print('pip install x')",
        "x = 5 % uv\ninstall = 3",
        "!pip list\ninstall = 1",
        "%%bash\n# pip install x\nls",
        "%time fit(model)\n# then pip install x",
    ],
)
def test_other_lines_stay(text):
    assert without_installs(text) == (text, False)


def test_files_beside_the_notebook_are_seen_and_told(tmp_path, capsys):
    (tmp_path / "helper_of_mine.py").write_text("def halve(x):\n    return x / 2\n")
    path = save(tmp_path, {"half": "from helper_of_mine import halve as half"})
    status, shown = check(path, capsys)
    assert status == 0
    assert "helper_of_mine.py lies beside the notebook and is not handed in" in shown


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=["in a terminal", "in the background"])
def ctrl_c(request):
    """What a process does on Ctrl-C; a shell's background jobs begin with it ignored."""
    before = signal.signal(signal.SIGINT, request.param)
    yield request.param
    signal.signal(signal.SIGINT, before)


def test_what_is_over_is_interrupted_and_ones_own_interrupt_passes(ctrl_c):
    with pytest.raises(TookTooLong, match=r"after 0\.2 s"), limited(0.2):
        all(True for _ in iter(int, 1))  # without an end
    with pytest.raises(KeyboardInterrupt), limited(60):
        raise KeyboardInterrupt
    with limited(60):
        pass
    assert signal.getsignal(signal.SIGINT) is ctrl_c


def test_an_interrupted_check_says_what_is_true(tmp_path, capsys, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("vae_lab.grading.authoring.run_notebook.in_a_fork", interrupted)
    assert main(["check", str(save(tmp_path, {}))]) == 130
    said = capsys.readouterr().err
    assert "your notebook is as it was" in said
    assert "goes on where it was" not in said


def test_hand_in_runs_saves_and_gives_a_receipt(tmp_path, capsys):
    path = save(tmp_path, {"double": "def double(x):\n    return x"}, "print('shown')\n1 / 0")
    status, shown = check(path, capsys, "--hand-in")
    assert status == 1
    assert "x double" in shown
    assert "+ half" in shown
    saved = nbformat.read(path, as_version=4)
    assert saved.cells[1].outputs[0].text == "shown\n"
    kept = (tmp_path / "halves.receipt.txt").read_text()
    assert kept.strip() in shown
    assert f"Upload this one file: {path.resolve()}" in kept
    assert hashlib.sha256(path.read_bytes()).hexdigest() in kept
    assert " of 6 in view" in kept


def test_hand_in_stops_at_no_cell_installs_nothing_and_names_what_stays_behind(tmp_path, capsys):
    (tmp_path / "helper_of_mine.py").write_text("def halve(x):\n    return x / 2\n")
    (tmp_path / "another.py").write_text("")
    answers = {
        "half": "%pip install no-such-package-anywhere\nfrom helper_of_mine import halve as half",
        "double": "def double(x):\n    while True:\n        pass",
    }
    path = save(tmp_path, answers, "answer = input('name? ')")
    notebook = json.loads(path.read_text())
    notebook["metadata"]["kernelspec"] = {"name": "of-another-machine", "display_name": "x", "language": "python"}
    path.write_text(json.dumps(notebook))
    status, shown = check(path, capsys, "--hand-in", "--seconds", "30")
    assert status == 1
    assert "+ half" in shown
    assert "x double" in shown
    assert "stopped after 30 s: a loop without an end" in shown
    assert "code cell 1 stopped: StdinNotImplementedError" in shown
    assert "Lines that install packages were left out" in shown
    assert "helper_of_mine.py lies beside the notebook and is not handed in" in shown
    assert "another.py" not in shown
    saved = path.read_text()
    assert "%pip install no-such-package-anywhere" in saved
    assert "not installed by" not in saved


@pytest.mark.parametrize("options", [(), ("--hand-in",)])
def test_a_cell_that_ends_python_is_named_and_nothing_is_saved(tmp_path, capsys, options):
    path = save(tmp_path, {"half": "import os\nos._exit(3)"})
    before = path.read_bytes()
    assert main(["check", str(path), *options]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "Python ended" in line]
    assert "half" in line.partition("Python ended")[2]
    assert path.read_bytes() == before
    assert not (tmp_path / "halves.receipt.txt").exists()


def test_a_lab_is_fetched_once_and_never_written_over(tmp_path, capsys):
    assert main(["lab", "sampling", "--to", str(tmp_path), "--fetch-only"]) == 0
    path = tmp_path / "sampling.ipynb"
    assert capsys.readouterr().out.strip() == str(path)
    assert "../../book" not in path.read_text()
    path.write_text("my work")
    assert main(["lab", "sampling", "--to", str(tmp_path), "--fetch-only"]) == 0
    assert path.read_text() == "my work"
    assert main(["lab", "pottery", "--to", str(tmp_path)]) == 2
    assert "the labs are: elbo, generation, sampling" in capsys.readouterr().err


@pytest.mark.parametrize("lab", ["elbo", "generation", "sampling"])
def test_a_fetched_labs_links_lead_to_the_published_book(lab):
    text = lab_files.with_live_links(lab_files.labs()[lab].read_text(), "https://x.org")
    assert "](../" not in text
    assert "](https://x.org/book/" in text
