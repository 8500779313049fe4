"""`vae-lab doctor`: each thing that can be missing is named with its remedy, and the doctor itself always answers."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import vae_lab_command
from vae_lab import doctor
from vae_lab.cli import main

ROOT = Path(__file__).parents[1]


def states(findings):
    return [finding.state for finding in findings]


def test_here_a_student_has_everything(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "free_memory", lambda: 8.0)
    assert doctor.doctor(everyone=True) is True
    shown = capsys.readouterr().out
    assert "MNIST-5k: 5000 images" in shown
    for heading in ("To solve a lab:", "To grade a class:", "To build the book:"):
        assert heading in shown
    assert shown.rstrip().endswith("You can solve the labs.")


def test_a_student_with_everything_reads_of_nothing_missing(monkeypatch, tmp_path):
    """With no grader, no sandbox, no browser and no jupyter-book here, as after `pip install vae-lab jupyterlab`."""
    monkeypatch.setattr(doctor, "free_memory", lambda: 8.0)
    monkeypatch.setattr(doctor, "instructor", lambda: pytest.fail("an instructor's needs"))
    monkeypatch.setattr(doctor, "author", lambda: pytest.fail("an author's needs"))
    monkeypatch.chdir(tmp_path)
    lines = []
    assert doctor.doctor(lines.append) is True
    assert not [line for line in lines if "missing" in line]
    assert lines[-2:] == ["You can solve the labs.", "What instructors and authors need: vae-lab doctor --all"]


def test_a_remedy_names_the_python_that_needs_it(monkeypatch):
    assert doctor.install("x") == f"{sys.executable} -m pip install x"
    assert doctor.install("vae-lab[grade]").endswith(" 'vae-lab[grade]'")

    def nothing(name):
        raise doctor.PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "version", nothing)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: "/usr/bin/uv")
    assert doctor.install("x") == f"uv pip install --python {sys.executable} x"
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert "-m ensurepip" in doctor.install("x")


def test_whatever_is_missing_has_a_remedy(monkeypatch, tmp_path):
    def nothing(name):
        raise doctor.PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "version", nothing)
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    monkeypatch.chdir(tmp_path)
    missing = [finding for finding in doctor.examine() if finding.state == "missing"]
    assert len(missing) >= 10
    assert all(finding.remedy for finding in missing)
    lines = []
    assert doctor.doctor(lines.append) is False
    assert "need a remedy" in lines[-2]


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("raise OSError('libcudart.so.12: cannot open shared object file')", "libcudart.so.12"),
        ("import os; os.abort()", "status -6"),
        ("import sys; sys.exit(3)", "status 3"),
        ("print('FOUNDATION')", "status 0"),
        ("import time; time.sleep(60)", "does not start within 0.5 s"),
    ],
)
def test_a_torch_that_does_not_start_is_reported(program, says):
    (found,) = doctor.torch_works(program, seconds=0.5 if "sleep" in program else 30)
    assert found.state == "missing"
    assert says in found.what
    assert found.remedy


def test_what_is_needed_is_what_the_package_asks_for(monkeypatch):
    asked = ["torch>=2.4", "anywidget>=0.9", "numpy", "tomli; python_version < '3.12'", "x>1; extra == 'book'"]
    monkeypatch.setattr(doctor, "requires", lambda name: asked)
    assert doctor.needed() == ("anywidget", "numpy", "tomli")
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert set(doctor.PACKAGES) <= {re.split("[<>=]", text)[0] for text in dependencies}


@pytest.mark.parametrize("problem", ["bubblewrap is not installed; install it with `apt-get`.", "no Linux"])
def test_a_missing_sandbox_has_the_sandboxs_own_remedy(monkeypatch, problem):
    from vae_lab.grading.sandbox import bubblewrap

    monkeypatch.setattr(bubblewrap, "sandbox_problem", lambda: problem)
    found = doctor.sandbox()
    assert found.state == "missing"
    assert found.what == f"sandbox: {problem.split('; ')[0]}"
    assert found.remedy


def test_a_gpu_is_named():
    program = """print('noise'); print('FOUND {"version": "2.9", "gpu": "NVIDIA T4, 15 GiB"}')"""
    torch, gpu = doctor.torch_works(program)
    assert (torch.state, gpu.state) == ("ok", "ok")
    assert "T4" in gpu.what


def test_a_gpu_that_cannot_compute_is_a_note_and_the_device_that_is_asked_for_is_told(monkeypatch):
    program = """print('FOUND {"version": "2.9", "gpu": "Tesla K80, 12 GiB", "fails": "no kernel image"}')"""
    monkeypatch.setenv("VAE_LAB_DEVICE", "cpu")
    _, asked, gpu = doctor.torch_works(program)
    assert (asked.state, gpu.state) == ("note", "note")
    assert "'cpu', as VAE_LAB_DEVICE says" in asked.what
    assert "cannot compute here (no kernel image); the labs run on the CPU" in gpu.what


def test_a_damaged_data_file_is_reported(monkeypatch, tmp_path):
    from vae_lab import mnist5k

    broken = tmp_path / "mnist5k.npz"
    broken.write_bytes(mnist5k.FILE.read_bytes()[:1000])
    monkeypatch.setattr(mnist5k, "FILE", broken)
    found = doctor.mnist5k()
    assert found.state == "missing"
    assert "cannot be read" in found.what


def test_a_file_that_hides_a_library_is_reported(tmp_path):
    for name in ("random.py", "torch.py", "my_lab.py", "notes.txt"):
        (tmp_path / name).touch()
    assert [found.remedy for found in doctor.hidden_modules(tmp_path)] == ["rename random.py", "rename torch.py"]


def test_memory_and_disk(monkeypatch, tmp_path):
    assert states(doctor.room(tmp_path, lambda: 8.0)) == ["ok", "ok"]
    assert states(doctor.room(tmp_path, lambda: 0.5)) == ["missing", "ok"]
    assert states(doctor.room(tmp_path, lambda: None)) == ["note", "ok"]
    monkeypatch.setattr(doctor, "ENOUGH_DISK", 1e12)
    assert states(doctor.room(tmp_path, lambda: 8.0)) == ["ok", "missing"]


def test_free_memory_is_read_or_unknown(tmp_path):
    given = tmp_path / "meminfo"
    given.write_text("MemTotal: 9 kB\nMemAvailable:    3145728 kB\n")
    assert doctor.free_memory(given) == 3.0
    given.write_text("MemAvailable: plenty\n")
    assert doctor.free_memory(given) is None
    assert doctor.free_memory(tmp_path / "none") is None


def command(*words, path):
    """The command as installed, with `path` before everything else that can be imported."""
    program = (
        f"import sys; sys.path[:0] = {[str(path), str(ROOT)]!r}; from vae_lab_command import main; sys.exit(main())"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=120, cwd=path, check=False
    )


def test_it_answers_where_torch_is_broken(tmp_path):
    (tmp_path / "torch.py").write_text("raise OSError('libgomp.so.1 is missing')")
    done = command("doctor", path=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "libgomp.so.1 is missing" in done.stdout
    assert done.stdout.index("rename torch.py") < done.stdout.index("libgomp.so.1")  # the cause first
    assert "pip install torch" not in done.stdout
    release = command("release", path=tmp_path)  # needs no torch, and says what it would say with one
    assert release.returncode == 2
    assert "no solutions/ folder" in release.stderr


@pytest.mark.parametrize("words", [["grade", "sampling"], ["doctor"]])
def test_a_command_that_fails_for_a_library_sends_to_the_doctor(words, monkeypatch, capsys):
    def broken():
        raise ImportError("libgomp.so.1 is missing")

    monkeypatch.setattr("vae_lab.cli.main", broken)
    monkeypatch.setattr(sys, "argv", ["vae-lab", *words])
    status = vae_lab_command.main()
    said = capsys.readouterr()
    if words == ["doctor"]:
        assert "To solve a lab:" in said.out
    else:
        assert (status, said.err.count("\n")) == (2, 1)
        assert "libgomp.so.1 is missing" in said.err
        assert "vae-lab doctor" in said.err


def test_its_exit_status_is_the_students(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(doctor, "free_memory", lambda: 8.0)
    monkeypatch.chdir(tmp_path)
    assert main(["doctor"]) == 0
    (tmp_path / "random.py").touch()
    assert main(["doctor"]) == 1
    assert "rename random.py" in capsys.readouterr().out
