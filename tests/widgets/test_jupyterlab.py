"""Interactions in a live JupyterLab: what the reader moves is heard by the kernel, and the other way round."""

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


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a JupyterLab of our own, and its folder of notebooks; settings and caches go away with it."""
    tmp_path = tmp_path_factory.mktemp("lab")
    (tmp_path / "work").mkdir()
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
        yield url, tmp_path / "work"


@pytest.fixture
def opened(browser, server):
    """A function that opens a new notebook with some cells in JupyterLab, and runs the first."""
    contexts, (url, folder) = [], server

    def open_notebook(name, sources):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, folder / f"{name}.ipynb")
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 1000}))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{url}/lab/workspaces/{name}/tree/{name}.ipynb")
        page.get_by_role("tab", name=re.compile(f"{name}.ipynb")).wait_for()
        page.get_by_text(re.compile(r"\| Idle$")).first.wait_for()  # a kernel that is not there yet runs nothing
        page.locator(".jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        return page

    yield open_notebook
    for context in contexts:
        for kernel in context.request.get(f"{url}/api/kernels").json():
            context.request.delete(f"{url}/api/kernels/{kernel['id']}")
        context.close()


def test_page_and_kernel_hear_each_other(opened):
    page = opened("live", CELLS)
    cell = page.locator(".jp-CodeCell .cm-content")
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


# Widget, a slider's label, its trait; what the kernel sees after the key End; what it sets, and the slider then says.
SLIDERS = [
    ("BoundInOneDimension", "q's μ", "mu", 3.0, -1.5, "\u22121.50"),
    ("GumbelSimplex", "temperature τ", "temperature", 5.0, 0.5, "0.50"),
    ("Playground", "β, the weight of the rate", "beta", 100.0, 4.0, "4.00"),
    ("SumOverPaths", "θ", "theta", 3.0, -1.5, "\u22121.5"),
    ("TrainingFilm", "Epoch", "epoch", 25, 7, "7 of 25"),
    ("YourDigit", "On the way from A to B", "mix", 1.0, 0.25, "25 percent"),
]


@pytest.mark.parametrize(("name", "label", "trait", "end", "given", "says"), SLIDERS, ids=[case[0] for case in SLIDERS])
def test_a_slider_is_heard_by_the_kernel_and_the_kernel_by_the_slider(opened, name, label, trait, end, given, says):
    page = opened(
        name.lower(),
        [
            f"from vae_lab.widgets import {name}\nwidget = {name}()\nwidget",
            f"print('the kernel sees', widget.{trait})\nwidget.{trait} = {given}",
        ],
    )
    slider = page.get_by_label(label, exact=True)
    slider.wait_for()
    slider.focus()
    page.keyboard.press("End")
    if name == "Playground":  # it trains in JupyterLab as well
        page.get_by_role("button", name="One step").click()
        page.locator(".vl-status", has_text="Step 1.").wait_for()
    page.locator(".jp-CodeCell .cm-content").nth(1).click()
    page.keyboard.press("Shift+Enter")
    page.get_by_text(f"the kernel sees {end}", exact=True).last.wait_for()
    page.locator(f'.vae-lab input[aria-valuetext*="{says}"]').first.wait_for()


def test_ones_own_model_decodes_what_the_page_walks_through(opened):
    page = opened("explorer", EXPLORER)
    cell = page.locator(".jp-CodeCell .cm-content")
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
