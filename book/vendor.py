"""Fetch the browser files of others that the book carries, at the versions and checksums in vendor.json.

    python book/vendor.py            check what lies in book/vendor/ against vendor.json
    python book/vendor.py refresh    fetch the packages again with npm and pip, check them, and put their files in place

To move to a new version: change it in vendor.json, run `refresh`, and write down the checksums that its error names.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE / "vendor" / "_static" / "vendor"


def entries() -> list[dict]:
    """Return what vendor.json lists: package, version, licence, and path in the package -> sha256."""
    return json.loads((HERE / "vendor.json").read_text())


def place(entry: dict, name: str) -> Path:
    """Return where a file of a package lies in the book; its fonts stay in a folder, where the style sheet looks."""
    path = Path(name)
    kept = Path("fonts", path.name) if path.parent.name == "fonts" else Path(path.name)
    return FOLDER / f"{entry['package']}-{entry['version']}" / kept


def problems() -> list[str]:
    """Compare book/vendor/ with vendor.json, both ways; an empty list is good news."""
    found, known = [], set()
    for entry in entries():
        for name, wanted in entry["files"].items():
            path = place(entry, name)
            known.add(path)
            if not path.is_file():
                found.append(f"{path.relative_to(HERE)} is missing; run: python book/vendor.py refresh")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
                found.append(f"{path.relative_to(HERE)} is not the file that vendor.json describes")
    for path in FOLDER.rglob("*"):
        if path.is_file() and path not in known:
            found.append(f"{path.relative_to(HERE)} is not in vendor.json")
    return found


def fetch(entry: dict, folder: Path) -> Callable[[str], bytes]:
    """Download a package into a folder; return what reads a file of it."""
    name, version = entry["package"], entry["version"]
    if entry["source"] == "npm":
        npm = ["npm", "pack", f"{name}@{version}"]
        packed = subprocess.run(npm, cwd=folder, capture_output=True, text=True, check=True)
        with tarfile.open(folder / packed.stdout.split()[-1]) as tarball:
            tarball.extractall(folder, filter="data")
        return lambda path: (folder / "package" / path).read_bytes()
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", f"{name}=={version}"]
    subprocess.run(pip, cwd=folder, check=True)
    return zipfile.ZipFile(next(folder.glob("*.whl"))).read


def refresh() -> None:
    """Fetch every package from npm or PyPI and copy the listed files, if their checksums are right."""
    for entry in entries():
        with tempfile.TemporaryDirectory() as folder:
            read = fetch(entry, Path(folder))
            for name, wanted in entry["files"].items():
                content = read(name)
                seen = hashlib.sha256(content).hexdigest()
                if seen != wanted:
                    raise SystemExit(
                        f"{entry['package']} {entry['version']}: {name} has sha256 {seen}, vendor.json says {wanted}"
                    )
                place(entry, name).parent.mkdir(parents=True, exist_ok=True)
                place(entry, name).write_bytes(content)


if __name__ == "__main__":
    if sys.argv[1:] == ["refresh"]:
        refresh()
    elif sys.argv[1:]:
        raise SystemExit(__doc__)
    if bad := problems():
        raise SystemExit("\n".join(bad))
    print("book/vendor/ is what vendor.json says.")
