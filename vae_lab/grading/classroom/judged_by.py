"""What judges on a machine: the code, torch, Python, the kind of sandbox.

Two machines where it is the same give the same results; a result says what judged it.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from vae_lab.grading.classroom.records import digest
from vae_lab.grading.classroom.versions import JUDGING, digest_of
from vae_lab.grading.judge.engine import sandbox_problem

PACKAGES = ("torch", "torchvision", "numpy", "ipython", "safetensors", "matplotlib")
WORDS = {
    "rooms": "the grader's code",
    "python": "Python",
    "machine": "the processor's kind",
    "sandbox": "the kind of sandbox",
    "probe": "what the sandbox's probe says",
}


LOADED = digest_of(*JUDGING)[:16]  # when this process began; what lies on the disk may be changed under it


def judged_by(sandbox: str) -> Mapping[str, str]:
    """All that judges here, by name, as short texts.

    Args:
        sandbox: "required" or "unsafe".
    """
    rooms = digest_of(*JUDGING)[:16]
    found = {
        "rooms": rooms if rooms == LOADED else f"{LOADED}, changed since to {rooms}",
        "python": platform.python_version(),
        "machine": platform.machine(),
        "sandbox": "bubblewrap" if sandbox == "required" else "none",
        "probe": (sandbox_problem() or "stands") if sandbox == "required" else "not asked",
    }
    return found | {name: installed(name) for name in PACKAGES}


@lru_cache(maxsize=64)
def installed(package: str) -> str:
    """A package's version, or "absent"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def digest_of_judge(judge: Mapping[str, str]) -> str:
    """A digest of it, which each result carries."""
    return digest(json.dumps(dict(judge), sort_keys=True))[:32]


def difference(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """What differs, named, in one line; "" if nothing does.

    Example:
        >>> difference({"python": "3.12.1", "torch": "2.14.1"}, {"python": "3.11.9", "torch": "2.14.1"})
        'Python is 3.11.9 there and 3.12.1 here'
    """
    names = [name for name in (*here, *there) if here.get(name) != there.get(name)]
    told = (
        f"{WORDS.get(name, name)} is {there.get(name, 'not told')} there and {here.get(name, 'not asked for')} here"
        for name in dict.fromkeys(names)
    )
    return "; ".join(told)
