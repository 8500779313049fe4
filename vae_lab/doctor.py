"""What is here and what is missing, for a student, an instructor and an author, each line with its remedy.

This file stands alone, so that it runs where `import vae_lab` does not: packages are looked up by their metadata, and
torch, which may be installed and yet not start, is tried in a process of its own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal, NamedTuple

Role = Literal["student", "instructor", "author"]
State = Literal["ok", "missing", "note"]

OLDEST_PYTHON = (3, 11)
ENOUGH_MEMORY = 2.0  # GiB: a kernel with torch, and a browser beside it
ENOUGH_DISK = 1.0  # GiB: notebooks and the full MNIST
PACKAGES = ("torchvision", "numpy", "matplotlib", "ipywidgets", "tqdm")  # if the installed package does not say

# Runs where a crash, a hang or a warning does no harm, and says what it found as one line of JSON.
TRY_TORCH = """
import json, torch
found = {"version": torch.__version__, "sum": float(torch.ones(3).sum()), "gpu": "", "fails": ""}
if torch.cuda.is_available():
    memory = torch.cuda.get_device_properties(0).total_memory / 2**30
    found["gpu"] = f"{torch.cuda.get_device_name(0)}, {memory:.0f} GiB"
    try:
        ones = torch.ones(64, 64, device="cuda")
        assert float((ones @ ones).sum()) == 64**3
    except Exception as error:
        found["fails"] = f"{type(error).__name__}: {error}".strip().splitlines()[0][:200]
elif getattr(torch.backends, "mps", None) and torch.backends.mps.is_available():
    found["gpu"] = "Apple GPU (mps); the labs run on the CPU there"
print("FOUND " + json.dumps(found))
"""


class Finding(NamedTuple):
    """One line of the answer: `state` is "ok", "missing" (with a remedy) or "note" (good to know, nothing to do)."""

    role: Role
    state: State
    what: str
    remedy: str = ""


def examine(roles: tuple[Role, ...] = ("student", "instructor", "author")) -> Iterator[Finding]:
    """Look at this machine, one finding after the other; the slow ones come as they are found.

    Args:
        roles: for whom.

    Yields:
        `Finding`s, students' first.

    Example:
        >>> next(examine()).what.startswith("Python 3")
        True
    """
    for role, look in (("student", student), ("instructor", instructor), ("author", author)):
        if role in roles:
            yield from look()


def student() -> Iterator[Finding]:
    """What it takes to solve a lab."""
    here = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= OLDEST_PYTHON:
        yield Finding("student", "ok", f"Python {here}")
    else:
        yield Finding("student", "missing", f"Python {here} is too old", "install Python 3.11 or newer")
    hidden = list(hidden_modules(Path.cwd()))
    yield from hidden  # the cause before its symptoms
    torch = list(torch_works())
    for finding in torch:
        blamed = hidden and finding.state == "missing"
        yield finding._replace(remedy="rename what is named above, then ask again") if blamed else finding
    for name in needed():
        yield package("student", name, install(name))
    yield notebook()
    if torch[0].state == "ok":
        yield mnist5k()
    yield from room(Path.cwd())


def install(what: str) -> str:
    """The command that installs something into this very Python, with pip, or with uv where there is no pip.

    Example:
        >>> install("torch").endswith(" torch")
        True
    """
    quoted = f"'{what}'" if "[" in what else what
    with suppress(PackageNotFoundError):
        version("pip")
        return f"{sys.executable} -m pip install {quoted}"
    if shutil.which("uv"):
        return f"uv pip install --python {sys.executable} {quoted}"
    return f"{sys.executable} -m ensurepip && {sys.executable} -m pip install {quoted}"


def instructor() -> Iterator[Finding]:
    """What it takes to grade a class."""
    for name in ("nbgrader", "safetensors"):
        yield package("instructor", name, install("vae-lab[grade]"))
    yield sandbox()
    gradebook = Path("gradebook.db")
    if not Path("solutions").is_dir():
        yield Finding("instructor", "note", "no solutions/ here; vae-lab init-course DIR starts a course")
    elif gradebook.exists() and not os.access(gradebook, os.R_OK | os.W_OK):
        yield Finding("instructor", "missing", "gradebook.db cannot be written", "chmod u+rw gradebook.db")
    else:
        has = "there" if gradebook.exists() else "not there yet; vae-lab grade makes it"
        yield Finding("instructor", "ok", f"gradebook.db: {has}")


def author() -> Iterator[Finding]:
    """What it takes to build the book and test it."""
    yield package("author", "jupyter-book", install("vae-lab[book]"))
    browser = find_browser()
    if browser:
        yield Finding("author", "ok", f"browser for tests of the pages: {browser}")
    else:
        yield Finding("author", "missing", "no Chromium for tests of the pages", "sudo apt-get install -y chromium")


def find_browser() -> str | None:
    """Where the system's Chromium is, under any of its names, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def needed() -> tuple[str, ...]:
    """What the installed package asks for besides torch, by its own metadata, or else a list of old."""
    try:
        asked = requires("vae-lab") or []
    except PackageNotFoundError:
        return PACKAGES
    names = [re.split(r"[^\w.-]", text, maxsplit=1)[0] for text in asked if "extra ==" not in text]
    return tuple(name for name in names if name != "torch")


def package(role: Role, name: str, remedy: str) -> Finding:
    """Tell whether a package is installed, going by its metadata."""
    try:
        return Finding(role, "ok", f"{name} {version(name)}")
    except PackageNotFoundError:
        return Finding(role, "missing", f"{name} is not installed", remedy)


def torch_works(program: str = TRY_TORCH, seconds: float = 120) -> Iterator[Finding]:
    """Import torch elsewhere, add three numbers, and ask it for a GPU."""
    remedy = f"{install('torch torchvision')}, or see https://pytorch.org/get-started/locally"
    if importlib.util.find_spec("torch") is None:
        yield Finding("student", "missing", "PyTorch is not installed", remedy)
        return
    try:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        yield Finding("student", "missing", f"PyTorch does not start within {seconds:g} s", "try again; " + remedy)
        return
    answer = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    if done.returncode or not answer:
        said = (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]
        yield Finding("student", "missing", f"PyTorch is installed but does not start: {said}", remedy)
        return
    found = json.loads(answer[-1].removeprefix("FOUND "))
    yield Finding("student", "ok", f"PyTorch {found['version']}")
    wanted = os.environ.get("VAE_LAB_DEVICE", "")
    if wanted:
        yield Finding("student", "note", f"the labs run on {wanted!r}, as VAE_LAB_DEVICE says")
    if found.get("fails"):
        gpu = f"GPU: {found['gpu']} cannot compute here ({found['fails']}); the labs run on the CPU"
    else:
        gpu = f"GPU: {found['gpu']}" if found["gpu"] else "no GPU; the labs need none"
    yield Finding("student", "ok" if found["gpu"] and not found.get("fails") else "note", gpu)


def notebook() -> Finding:
    """Is there a program that opens notebooks? In Colab and in VS Code there is one outside this environment."""
    for name in ("jupyterlab", "notebook"):
        try:
            return Finding("student", "ok", f"notebooks: {name} {version(name)}")
        except PackageNotFoundError:
            continue
    if "COLAB_RELEASE_TAG" in os.environ:
        return Finding("student", "ok", "notebooks: Colab")
    if importlib.util.find_spec("ipykernel"):
        return Finding("student", "ok", "notebooks: a kernel (ipykernel) for VS Code or another editor")
    return Finding("student", "missing", "nothing here opens notebooks", install("jupyterlab"))


def mnist5k() -> Finding:
    """Is the shipped data set complete? Reads and checks it as a lab does, without torch."""
    try:
        images = len(importlib.import_module("vae_lab.mnist5k").read()[0])
    except Exception as error:  # whatever is wrong with the file or with the package, it says so itself
        return Finding("student", "missing", f"MNIST-5k: {error}", "install vae-lab again")
    return Finding("student", "ok", f"MNIST-5k: {images} images")


def hidden_modules(folder: Path) -> Iterator[Finding]:
    """Files beside the notebooks that Python would take for a library: `random.py` breaks torch, without saying so."""
    taken = {*sys.stdlib_module_names, *needed(), "torch", "vae_lab"}
    for path in sorted(folder.glob("*.py")):
        if path.stem in taken:
            what = f"{path.name} in this folder hides the library {path.stem} from your notebooks"
            yield Finding("student", "missing", what, f"rename {path.name}")


def room(folder: Path, memory: Callable[[], float | None] | None = None) -> Iterator[Finding]:
    """Tell whether there is memory and disk enough."""
    free = (memory or free_memory)()
    if free is None:
        yield Finding("student", "note", "free memory: unknown on this system")
    elif free < ENOUGH_MEMORY:
        yield Finding("student", "missing", f"only {free:.1f} GiB of memory free", "close other notebooks and programs")
    else:
        yield Finding("student", "ok", f"{free:.1f} GiB of memory free")
    disk = shutil.disk_usage(folder).free / 2**30
    if disk < ENOUGH_DISK:
        yield Finding("student", "missing", f"only {disk:.1f} GiB of disk free here", "remove what is not needed")
    else:
        yield Finding("student", "ok", f"{disk:.0f} GiB of disk free here")


def free_memory(where: Path = Path("/proc/meminfo")) -> float | None:
    """GiB that can still be had, or None where the system does not say."""
    try:
        lines = where.read_text().splitlines()
        return next(int(line.split()[1]) / 2**20 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return None


def sandbox() -> Finding:
    """Tell whether students' code can be locked in on this machine."""
    try:
        problem = importlib.import_module("vae_lab.grading.sandbox.bubblewrap").sandbox_problem()
        problem = problem or importlib.import_module("vae_lab.grading.sandbox.warm").warm_problem()
    except ImportError as error:
        return Finding("instructor", "missing", f"sandbox: {error}", install("vae-lab[grade]"))
    if problem is None:
        return Finding("instructor", "ok", "sandbox: bubblewrap works, and Python and torch start in it")
    what, _, remedy = problem.partition("; ")  # the sandbox names its own remedy
    return Finding("instructor", "missing", f"sandbox: {what}", remedy or "grade on a Linux machine with bubblewrap")


def line(finding: Finding, say: Callable[[str], str] = str) -> str:
    """A finding as it is printed, in the reader's language.

    Example:
        >>> print(line(Finding("author", "missing", "no Chromium", "sudo apt-get install -y chromium")))
          missing  no Chromium
                   -> sudo apt-get install -y chromium
    """
    arrow = f"\n           -> {say(finding.remedy)}" if finding.remedy else ""
    return f"  {say(finding.state):<8} {say(finding.what)}{arrow}"


def doctor(show: Callable[[str], None] = print, everyone: bool = False, say: Callable[[str], str] = str) -> bool:
    """Print all findings under a heading for each role, and sum up.

    Args:
        show: takes one line at a time.
        everyone: whether to look also for what instructors and authors need.
        say: puts a text into the reader's language; not imported here, for this file stands alone.

    Returns:
        True if a student has everything.
    """
    lacking: dict[Role, int] = {"student": 0, "instructor": 0, "author": 0}
    heading: dict[Role, str] = {
        "student": "To solve a lab:",
        "instructor": "To grade a class:",
        "author": "To build the book:",
    }
    shown: set[Role] = set()
    for finding in examine() if everyone else examine(("student",)):
        if finding.role not in shown:
            shown.add(finding.role)
            show(say(heading[finding.role]))
        show(line(finding, say))
        lacking[finding.role] += finding.state == "missing"
    students = lacking["student"]
    if students:
        show(say(f"Before you start: {students} of the lines above need a remedy."))
    else:
        show(say("You can solve the labs."))
    if not everyone:
        show(say("What instructors and authors need: vae-lab doctor --all"))
    return not students
