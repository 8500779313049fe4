"""The wheel that students install: what is in it, what it asks for, and that it works away from this folder."""

import base64
import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# What the package may be made of: code and its types, what widgets and reports are drawn with, data, weights, and their
# provenance.
SUFFIXES = {
    ".po",
    ".py",
    ".ipynb",
    ".pyi",
    ".typed",
    ".js",
    ".css",
    ".html",
    ".npz",
    ".safetensors",
    ".svg",
    ".json",
    ".md",
}
LARGEST = 10 * 2**20  # bytes: a student in Colab downloads it at the start of every sitting

# A runtime as Colab gives it to a student; none of these may move when the course is installed beside them.
COLAB = {
    "python": "3.12.11",
    "torch": "2.8.0+cu126",
    "torchvision": "0.23.0+cu126",
    "numpy": "2.0.2",
    "matplotlib": "3.10.0",
    "ipywidgets": "7.7.1",
    "tqdm": "4.67.1",
    "lazy_loader": "0.4",
}


def run(*command, cwd):
    """Run without anything of this checkout on the path, and give back what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_", "COV_"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", *offline, "--wheel-dir", folder, ROOT, cwd=folder)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def metadata(contents):
    return message_from_bytes(next(data for name, data in contents.items() if name.endswith(".dist-info/METADATA")))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The Python of a fresh environment: the wheel is installed, everything else is borrowed from the one in use."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "env", cwd=folder)
    scripts = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    pip = (sys.executable, "-m", "pip", "--python", scripts / "python", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    packages = run(scripts / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    # A plain line of a .pth file comes after the environment's own packages, and the .pth files in there are not read:
    # torch is found, and an editable install of this checkout is not.
    borrowed = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (Path(packages.strip()) / "borrowed.pth").write_text("\n".join(borrowed) + "\n")
    return scripts


def test_it_holds_the_package_and_nothing_else(contents):
    packed = {name for name in contents if ".dist-info/" not in name}
    there = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "vae_lab").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    labs = {f"vae_lab/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "labs").rglob("*.ipynb")}
    words = {
        f"vae_lab/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "locale").rglob("*.po")
        if path.stem in ("messages", "widgets") or path.stem.startswith("lab-")
    }
    assert packed == {*there, *labs, *words, "vae_lab_command.py"}
    assert not {name for name in packed if Path(name).suffix not in SUFFIXES}
    assert not {name for name in contents if re.search(r"solution|misconception|(^|/)tests?(/|_)", name)}
    assert not {name for name in packed - labs if name.endswith(".ipynb")}
    assert not {name for name in labs if re.search(rb"BEGIN (SOLUTION|HIDDEN)", contents[name])}


def test_its_names_are_known_to_python_and_to_type_checkers(contents):
    assert {"vae_lab/__init__.pyi", "vae_lab/py.typed"} <= set(contents)


def test_it_is_small_and_names_no_machine(wheel, contents):
    assert wheel.stat().st_size < LARGEST
    home = re.compile(rb"/(?:home|root|work|Users)/\w+/")
    assert not [name for name, data in contents.items() if not name.endswith(".npz") and home.search(data)]


def test_its_record_matches_its_files(contents):
    record = next(name for name in contents if name.endswith("/RECORD"))
    lines = dict(line.rsplit(",", 1)[0].rsplit(",", 1) for line in contents[record].decode().splitlines())
    assert set(lines) == set(contents)
    for name, digest in lines.items():
        if name != record:
            right = base64.urlsafe_b64encode(hashlib.sha256(contents[name]).digest()).rstrip(b"=").decode()
            assert digest == f"sha256={right}", name


def test_building_it_again_gives_the_same_bytes(wheel, tmp_path):
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", *offline, "--wheel-dir", tmp_path, ROOT, cwd=tmp_path)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_it_carries_its_licences(contents, metadata):
    kept = {name.split("/licenses/")[1] for name in contents if "/licenses/" in name}
    assert {"LICENSE", "vae_lab/assets/README.md"} <= kept
    assert metadata["License-Expression"] == PROJECT["license"]


def test_it_fits_beside_what_colab_has(metadata):
    """Installing it there moves nothing: each requirement is either met by what Colab has or not there at all."""
    needed = [Requirement(text) for text in metadata.get_all("Requires-Dist") if "extra ==" not in text]
    assert {"torch", "torchvision", "numpy"} <= {need.name for need in needed}
    moved = [str(need) for need in needed if need.name in COLAB and not need.specifier.contains(COLAB[need.name])]
    assert not moved, f"pip would replace Colab's own versions for {moved}"
    capped = [str(need) for need in needed if any(part.operator in ("<", "<=", "==", "~=") for part in need.specifier)]
    assert not capped, f"an upper bound ages badly in somebody else's environment: {capped}"
    assert Requirement(f"python{metadata['Requires-Python']}").specifier.contains(COLAB["python"])


@pytest.mark.parametrize("extra", ["grade", "book", "dev"])
def test_each_reader_of_it_has_one_extra(metadata, extra):
    assert extra in metadata.get_all("Provides-Extra")


def test_it_works_away_from_this_folder(installed, tmp_path):
    program = """
import pathlib, sys, vae_lab
from vae_lab.data import load_images
where = pathlib.Path(vae_lab.__file__)
assert pathlib.Path(sys.prefix) in where.parents, f"{where} is not the installed one"
assert not {"matplotlib", "nbgrader"} & set(sys.modules)
print(*load_images(train=True).images.shape)
"""
    assert run(installed / "python", "-c", program, cwd=tmp_path).split() == ["4000", "1", "28", "28"]


def test_its_command_answers(installed, tmp_path):
    shown = run(installed / "vae-lab", "--help", cwd=tmp_path)
    assert "release" in shown
    assert "check" in shown


def test_the_pinned_versions_run_on_the_first_release_of_each_python_that_is_promised():
    """A system's Python is often an early one: Debian 12 has 3.11.2."""
    promised = [c.rsplit(" ", 1)[1] + ".0" for c in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", c)]
    too_new = {
        f"{it.name}=={it.version}": it.metadata.get("Requires-Python")
        for it in importlib.metadata.distributions()
        if any(not SpecifierSet(it.metadata.get("Requires-Python") or "").contains(python) for python in promised)
    }
    assert promised
    assert not too_new


def test_an_installed_course_speaks_vietnamese(installed, tmp_path):
    program = "from vae_lab.language import languages, translate; print(*languages(), translate('Wanted one.', 'vi'))"
    assert run(installed / "python", "-X", "utf8", "-c", program, cwd=tmp_path).strip() == "en vi Cần có."
    run(installed / "vae-lab", "lab", "elbo", "--language", "vi", "--fetch-only", cwd=tmp_path)
    assert 'checks.start(\\"elbo\\", language=\\"vi\\")' in (tmp_path / "elbo.ipynb").read_text(encoding="utf-8")
