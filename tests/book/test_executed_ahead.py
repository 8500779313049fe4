"""Pages' cells are executed side by side before they are read; what a page shows does not change by it."""

from __future__ import annotations

import subprocess
import sys

from book.sources import ROOT

SETTINGS = f"""
import os, sys
os.cpu_count = lambda: 2
sys.path.insert(0, {str(ROOT / "book/_ext")!r})
extensions = ["myst_nb", "executed_ahead", "whole_lines"]
nb_execution_mode = "cache"
nb_execution_cache_path = "cache"
nb_execution_raise_on_error = True
root_doc = "one"
"""
ONE_STORES = """
import threading
from jupyter_cache.cache.main import JupyterCacheBase

store, storing = JupyterCacheBase.cache_notebook_bundle, set()

def by_one(*bundle, **options):
    storing.add(threading.get_ident())
    assert len(storing) == 1, "two threads store: one may delete as too old what the other is storing"
    return store(*bundle, **options)

JupyterCacheBase.cache_notebook_bundle = by_one
"""
PAGE = """---
file_format: mystnb
kernelspec:
  name: python3
---
{orphan}
# A page

```{{code-cell}} python3
import os, pathlib, time
pathlib.Path("{mine}.begun").touch()
for _ in range(600):
    if pathlib.Path("{other}.begun").exists():
        break
    time.sleep(0.1)
else:
    raise RuntimeError("the other page has not begun")
with open("{mine}.runs", "a") as runs:
    print("once", file=runs)
print("threads", os.environ["OMP_NUM_THREADS"], end=" ", flush=True)
time.sleep(1)  # a kernel sends what it has five times a second
print(6 * 7)
```
"""


def built(folder):
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(folder), str(folder / "html")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)


def test_two_pages_that_wait_for_each_other_are_both_executed_once(tmp_path):
    (tmp_path / "conf.py").write_text(SETTINGS + ONE_STORES)
    for mine, other in (("one", "two"), ("two", "one")):
        (tmp_path / f"{mine}.md").write_text(PAGE.format(mine=mine, other=other, orphan="% a page of its own"))
    (tmp_path / "three.md").write_text("# No cells\n\nWords.\n")
    done = built(tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("one", "two"):
        assert (tmp_path / f"{name}.runs").read_text().split() == ["once"]
        assert "threads 1 42" in (tmp_path / "html" / f"{name}.html").read_text()
    assert built(tmp_path).returncode == 0
    assert (tmp_path / "one.runs").read_text().split() == ["once"], "the second build finds it in the cache"


def test_a_cell_that_fails_fails_the_build(tmp_path):
    (tmp_path / "conf.py").write_text(SETTINGS)
    cell = "```{code-cell} python3\n1 / 0\n```\n"
    (tmp_path / "one.md").write_text(PAGE.partition("{orphan}")[0].format() + "# A page\n\n" + cell)
    done = built(tmp_path)
    assert done.returncode != 0
    assert "ExecutionError" in done.stderr
    assert "one.md" in done.stderr
