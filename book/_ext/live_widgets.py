"""Load what a page's interactions need, and no more; and give their models the same names in every build.

A page whose widgets are all anywidgets is brought to life by live-widgets.js, 3 kB. Any other page (a slider of
ipywidgets, a `jslink`, a `Stack`) gets the widget manager that `nb_ipywidgets_js` in _config.yml lists, 3.5 MB.
The widgets' state goes to the end of the page, so that it is painted first.
"""

from __future__ import annotations

import json
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from tools.translation.around import said

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = re.compile(r'<script type="application/vnd\.jupyter\.widget-view\+json">(.*?)</script>', re.DOTALL)
REFERENCE = re.compile(r"IPY_MODEL_(\w+)")


def models(state: dict[str, Any], views: list[str]) -> list[str]:
    """Return the ids of all models in an order that a second build has, too: as the page shows them, then the rest."""
    found: list[str] = []

    def visit(model: str) -> None:
        if model in state and model not in found:
            found.append(model)
            for inner in REFERENCE.findall(json.dumps(state[model]["state"], sort_keys=True)):
                visit(inner)

    def looks(model: str) -> str:
        text = json.dumps(state[model], sort_keys=True)
        return REFERENCE.sub(lambda m: str(found.index(m[1])) if m[1] in found else "", text)

    for view in views:
        visit(view)
    while rest := [model for model in state if model not in found]:  # a jslink, for one, is seen nowhere
        visit(min(rest, key=looks))
    return found


def are_all_anywidgets(state: dict[str, Any]) -> bool:
    """Whether no model of a page but its anywidgets has anything to do."""

    def is_plain(model: dict[str, Any]) -> bool:
        traits = {name: value for name, value in model["state"].items() if name != "layout"}
        return model["model_module"] == "anywidget" and not REFERENCE.search(json.dumps(traits))

    return all(model["model_name"] == "LayoutModel" or is_plain(model) for model in state.values())


def _on_page(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    scripts = context.get("script_files", [])
    holder = next((script for script in scripts if getattr(script, "attributes", {}).get("type") == STATE), None)
    if holder is None:
        return
    text, body = holder.attributes["body"], context["body"]
    state = json.loads(text)["state"]
    names = models(state, [json.loads(view)["model_id"] for view in VIEW.findall(body)])
    for number, model in enumerate(names, 1):
        text, body = (whole.replace(model, f"widget-{number}") for whole in (text, body))
    whole = json.loads(text)
    whole["state"] = {f"widget-{number}": whole["state"][f"widget-{number}"] for number in range(1, len(names) + 1)}
    text = json.dumps(whole).replace("</", "<\\/").replace("<!--", "<\\u0021--")
    needs = said("This interaction needs JavaScript. The figures of this page do not.", app.config.language)
    body = VIEW.sub(lambda view: f"{view[0]}<noscript><p>{needs}</p></noscript>", body)
    context["body"] = f'{body}\n<script type="{STATE}">{text}</script>\n'
    unwanted: tuple[str, ...] = ()
    if are_all_anywidgets(state):
        unwanted = tuple(app.config.nb_ipywidgets_js)
        app.add_js_file("live-widgets.js", priority=400, defer="defer")  # before the formulas
    context["script_files"] = [
        script for script in scripts if script is not holder and not str(script.filename).endswith(unwanted)
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    """Run after the notebooks' extension has put the state on the page."""
    app.connect("html-page-context", _on_page, priority=850)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
