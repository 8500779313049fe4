"""An interaction in a live JupyterLab: what the reader moves is heard by the kernel, and the other way round."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import nbformat
import pytest

from tools.jupyter_server import running

ROOT = Path(__file__).parents[2]
CELLS = (
    "from vae_lab.widgets import Reparameterization\nwidget = Reparameterization(mu=0.0)\nwidget",
    "print(f'the kernel sees mu = {widget.mu:.2f}')\nwidget.sigma = 0.75",
)


EXPLORER = (
    "import torch\nfrom torch import nn\nfrom vae_lab.widgets import LatentExplorer\n"
    "class Mine(nn.Module):\n"
    "    def __init__(self):\n        super().__init__()\n"
    "        self.there, self.back = nn.Linear(784, 6), nn.Linear(3, 784)\n"
    "    def encode(self, x):\n        return self.there(x).chunk(2, 1)\n"
    "    def decode(self, z):\n        return self.back(z)\n"
    "widget = LatentExplorer(Mine(), z=[0.0, 0.0, 0.0])\nwidget",
    "print('moved:', any(widget.z), '; decoded:', widget.decoded['z'] == widget.z)",
)


@pytest.fixture
def lab(tmp_path, request):
    """The address of a JupyterLab of our own, with one notebook, settings and caches in a folder that goes away."""
    cells = getattr(request, "param", CELLS)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (tmp_path / "work").mkdir()
    nbformat.write(notebook, tmp_path / "work" / "live.ipynb")
    bin_folder = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": os.pathsep.join([bin_folder, os.environ.get("PATH", "")]),
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={tmp_path / 'work'}", "--LabApp.news_url="]
    with running(command, tmp_path, environment) as url:
        yield f"{url}/lab/tree/live.ipynb"


def test_page_and_kernel_hear_each_other(browser, lab):
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(lab)
    page.get_by_role("tab", name=re.compile("live.ipynb")).wait_for()
    page.get_by_text(re.compile(r"\| Idle$")).first.wait_for()  # a kernel that is not there yet runs nothing
    cell = page.locator(".jp-CodeCell .cm-content")
    cell.first.click()
    page.keyboard.press("Shift+Enter")
    slider = page.get_by_label("μ, the mean")
    slider.wait_for()
    slider.focus()
    page.keyboard.press("End")
    page.locator(".vl-formula", has_text="2.00 +").wait_for()
    cell.nth(1).click()
    page.keyboard.press("Shift+Enter")
    page.get_by_text("the kernel sees mu = 2.00", exact=False).last.wait_for()
    page.locator(".vl-formula", has_text="0.75 ·").wait_for()
    page.locator(".jp-CodeCell").nth(2).locator(".cm-focused").wait_for()  # the new last cell has taken the focus
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.locator(".vl-formula", has_text="1.99 +").wait_for()
    assert page.locator(".jp-Notebook .jp-Cell.jp-mod-active").count() == 1
    context.close()


@pytest.mark.parametrize("lab", [EXPLORER], indirect=True, ids=["explorer"])
def test_ones_own_model_decodes_what_the_page_walks_through(browser, lab):
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(lab)
    page.get_by_role("tab", name=re.compile("live.ipynb")).wait_for()
    page.get_by_text(re.compile(r"\| Idle$")).first.wait_for()
    cell = page.locator(".jp-CodeCell .cm-content")
    cell.first.click()
    page.keyboard.press("Shift+Enter")
    page.get_by_role("button", name="Walk to a new draw").click()
    page.wait_for_function(
        """() => { const z = [...document.querySelectorAll(".vae-lab input[type=range]")].map((i) => i.value).join();
             const same = z === window.lastZ; window.lastZ = z; return same && z !== "0,0"; }""",
        polling=500,
    )
    page.locator(".vl-reading", has_text="Read as").wait_for()
    cell.nth(1).click()
    page.keyboard.press("Shift+Enter")
    page.get_by_text("moved: True ; decoded: True", exact=False).last.wait_for()
    context.close()
