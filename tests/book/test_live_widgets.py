"""What brings a page's widgets to life: a few lines for anywidgets, the widget manager for anything else."""

from __future__ import annotations

import subprocess
import sys
import uuid

import nbformat
import pytest
from book.sources import ROOT

from vae_lab.widgets import Reparameterization

SETTINGS = f"""
import sys
sys.path.insert(0, {str(ROOT / "book/_ext")!r})
extensions = ["myst_nb", "live_widgets"]
nb_execution_mode = "off"
html_extra_path = [{str(ROOT / "book/vendor")!r}, {str(ROOT / "book/widget_pages")!r}]
nb_ipywidgets_js = {{
    "vendor/requirejs-2.3.8/require.js": {{}},
    "widget-modules.js": {{}},
    "vendor/@jupyter-widgets/html-manager-1.0.15/embed-amd.js": {{"data-jupyter-widgets-cdn": "http://nowhere.invalid/"}},
}}
"""
VIEW, STATE = (f"application/vnd.jupyter.widget-{kind}+json" for kind in ("view", "state"))


def notebook(*shown):
    """A notebook that was run: one cell for each widget, the state of all of them in its metadata."""
    from ipywidgets.embed import dependency_state, embed_data

    data = embed_data(views=list(shown), state=dependency_state(shown, drop_defaults=False))
    cells = []
    for view in data["view_specs"]:
        output = nbformat.v4.new_output("display_data", {"text/plain": "a widget", VIEW: view})
        cells.append(nbformat.v4.new_code_cell("widget", outputs=[output]))
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A page"), *cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made.metadata["language_info"] = {"name": "python"}
    made.metadata["widgets"] = {STATE: data["manager_state"]}
    return made


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A book of two pages: one whose widgets are all anywidgets, and one with a slider linked to a row of frames."""
    import ipywidgets

    folder = tmp_path_factory.mktemp("two pages")
    frames = ipywidgets.Stack([ipywidgets.Label("frame one"), ipywidgets.Label("frame two")], selected_index=0)
    slider = ipywidgets.IntSlider(min=0, max=1, description="frame")
    ipywidgets.jslink((slider, "value"), (frames, "selected_index"))
    nbformat.write(notebook(Reparameterization(), Reparameterization(mu=-1)), folder / "index.ipynb")
    nbformat.write(notebook(slider, frames), folder / "other.ipynb")
    (folder / "conf.py").write_text(SETTINGS)
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(folder), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html"


def opened(browser, built, name):
    page = browser.new_page()
    page.context.set_offline(True)
    troubles = []
    page.on("console", lambda line: troubles.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else troubles.append(r.url))
    page.goto((built / name).as_uri())
    return page, troubles


def test_anywidgets_come_to_life_without_the_manager(browser, built):
    assert "embed-amd.js" not in (built / "index.html").read_text()
    page, troubles = opened(browser, built, "index.html")
    page.locator(".vae-lab svg").nth(1).wait_for()
    formulas = page.locator(".vl-formula")
    page.locator(".vl-formula", has_text=" = −1.00 +").wait_for()
    first = formulas.nth(0).inner_text()
    page.get_by_label("μ, the mean").nth(1).press("End")
    page.locator(".vl-formula", has_text=" = 2.00 +").wait_for()
    assert formulas.nth(0).inner_text() == first, "each widget has traits of its own"
    assert page.evaluate("document.querySelectorAll('head style').length") == 1, "one style for both"
    assert not troubles
    page.close()


def test_other_widgets_get_the_manager(browser, built):
    assert "live-widgets.js" not in (built / "other.html").read_text()
    page, troubles = opened(browser, built, "other.html")
    page.get_by_text("frame one").wait_for()
    page.locator(".noUi-handle").press("ArrowRight")
    page.get_by_text("frame two").wait_for()
    assert not page.get_by_text("frame one").is_visible()
    assert not troubles
    page.close()


MODEL = """() => {
  const script = (kind, json) => Object.assign(document.createElement("script"),
    { type: `application/vnd.jupyter.widget-${kind}+json`, textContent: JSON.stringify(json) });
  const _esm = `export default () => ({
    initialize({ model }) { globalThis.began = (globalThis.began ?? 0) + 1; },
    render({ model, el }) {
      if (globalThis.heard) return;
      const heard = globalThis.heard = [], tell = (name) => (...news) => heard.push([name, news.length]);
      const a = tell("a");
      model.on("change:a change:b", a);
      model.on("change", tell("any"));
      model.set("a", 1);            // as it was: nobody is told
      model.set("list", [1, 2]);    // the same list, written anew
      model.set("a", 2);
      model.off("change:a", a);
      model.set("a", 3);
      model.set("b", 3);
      model.off();
      model.set("b", 4);
      model.save_changes();
      el.textContent = [model.get("a"), model.get("b"), new Float32Array(model.get("bytes").buffer)[1]].join();
    } })`;
  const root = document.createElement("div");
  root.append(script("view", { model_id: "w" }), script("view", { model_id: "w" }), script("state", { state: { w: {
    model_module: "anywidget", model_name: "AnyModel", state: { _esm, a: 1, b: 0, list: [1, 2] },
    buffers: [{ path: ["bytes"], encoding: "base64", data: "AAAAAAAAwD8=" }] } } }));
  document.body.append(root);
  return drawWidgets(root).then(() => [root.innerText, heard, began]);
}"""


def test_a_widget_sees_of_its_model_what_anywidget_promises(browser, built):
    page, troubles = opened(browser, built, "index.html")
    page.wait_for_function("() => Boolean(globalThis.drawWidgets)")
    text, heard, began = page.evaluate(MODEL)
    assert began == 1, "two views share a model"
    assert heard == [["a", 2], ["any", 1], ["any", 1], ["a", 2], ["any", 1]], "off('change:a') after a = 2"
    assert text.strip() == "3,4,1.5"
    assert not troubles
    page.close()


def test_two_builds_give_a_model_the_same_name(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book/_ext")
    import live_widgets

    inner = {"model_module": "@jupyter-widgets/controls", "model_name": "LabelModel", "state": {"value": "a"}}
    other = {"model_module": "@jupyter-widgets/controls", "model_name": "LabelModel", "state": {"value": "b"}}

    def made():
        ids = [uuid.uuid4().hex for _ in range(4)]
        box = {
            "model_module": "m",
            "model_name": "BoxModel",
            "state": {"children": [f"IPY_MODEL_{i}" for i in ids[:2]]},
        }
        link = {"model_module": "m", "model_name": "LinkModel", "state": {"source": [f"IPY_MODEL_{ids[0]}", "value"]}}
        state = dict(zip(ids, (other, inner, box, link), strict=True))
        shuffled = dict(sorted(state.items()))
        return [ids.index(model) for model in live_widgets.models(shuffled, [ids[2]])]

    assert made() == made() == [2, 0, 1, 3]
