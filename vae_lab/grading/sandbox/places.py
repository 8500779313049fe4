"""What of this machine is visible inside: Python, its packages wherever they lie, shared libraries and fonts.

Packages may come by a `.pth` file, by PYTHONPATH (module systems of clusters) or from a user's own folder: what this
Python finds is found inside, in the same order, with links resolved. What holds a course is left out.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]
OF_A_COURSE = ("solutions", "submitted", "gradebook.db", "nbgrader_config.py")  # a folder that holds one is not shown


def places() -> list[str]:
    """What the sandboxed Python needs to see of this machine."""
    wanted = [sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    wanted += [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *_way_to(sys.executable)]
    wanted += ["/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/share/fonts", "/usr/share/zoneinfo"]
    wanted += ["/etc/ld.so.cache", "/etc/fonts", "/etc/localtime", *libraries()]
    for folder in search_path():
        wanted += [folder, *(linked(folder) if os.path.isdir(folder) else ())]
    found: list[str] = []
    for place in wanted:
        if place == "/usr" or not os.path.exists(place):
            continue
        if not any(place == other or place.startswith(f"{other}/") for other in found):
            found.append(place)
    return found


def _way_to(path: str) -> list[str]:
    """A file and every link on the way to it: an environment's Python is often a link to /usr/bin/python3, a link."""
    way = [path]
    while os.path.islink(path):
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
        way.append(path)
    return way


def search_path() -> list[str]:
    """Where this Python looks for modules, in its order, links resolved; this package has a place of its own."""
    return _shown(sys.path)


def libraries() -> list[str]:
    """Where the loader looks for shared libraries beside the usual places: module systems say so."""
    return _shown(os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep))


def _shown(folders: Iterable[str]) -> list[str]:
    found = (os.path.realpath(folder) for folder in folders if folder)
    return [folder for folder in dict.fromkeys(found) if os.path.exists(folder) and may_be_seen(folder)]


def may_be_seen(folder: str) -> bool:
    """Whether a folder may be shown to submissions: no course and nothing in one but packages, no home, nothing above.

    >>> may_be_seen("/"), may_be_seen(os.path.expanduser("~")), may_be_seen("/proc/self")
    (False, False, False)
    """
    here, package = os.path.realpath(os.getcwd()), str(PACKAGE.parent)
    courses = [place for place in (here, package) if _holds_course(place)]
    if any(_is_in(place, folder) for place in (here, os.path.realpath(os.path.expanduser("~")), *courses)):
        return False
    if any(_is_in(folder, place) for place in ("/proc", "/sys", "/dev", "/tmp")) or _holds_course(folder):
        return False
    packages = os.path.basename(folder) in ("site-packages", "dist-packages")
    return packages or not any(_is_in(folder, course) for course in courses)


def _is_in(place: str, folder: str) -> bool:
    return f"{place}/".startswith(f"{folder.rstrip('/')}/")


def _holds_course(folder: str) -> bool:
    return any(os.path.lexists(os.path.join(folder, name)) for name in OF_A_COURSE)


def linked(folder: str) -> list[str]:
    """What links in a folder of packages lead to: of some installers a package is a link, or all of its files are."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            first = os.path.join(entry.path, "__init__.py")
            if entry.is_symlink():
                found.append(os.path.realpath(entry.path))
            elif os.path.islink(first):
                found.append(os.path.dirname(os.path.realpath(first)))
    return [place for place in dict.fromkeys(found) if os.path.exists(place) and may_be_seen(place)]
