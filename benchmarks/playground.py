"""How fast the playground learns and draws in a browser, and what it weighs. Run it with `python -m`.

Steps a second are those of the engine alone, the best of several short rounds: other work on the machine only takes
away. Frames are those of a run in the page, and the milliseconds of script in each.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path
from typing import Any

from ipywidgets.embed import embed_data
from playwright.sync_api import Page, sync_playwright

from vae_lab.doctor import find_browser
from vae_lab.widgets import Playground

SCRIPT = Path(__file__).parents[1] / "book" / "widget_pages" / "_static" / "live-widgets.js"
PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><body>{scripts}<script>{draw}</script></body></html>'
SPEED = """async ([source, kind]) => {
  const url = URL.createObjectURL(new Blob([`${source}
export const program = (kind, digits) => {
  const pixels = kind === "digits", data = pixels ? digitImages(digits) : cloud(kind);
  const hidden = pixels ? HIDDEN.digits : HIDDEN.plane;
  const settings = { beta: 1, decoderSigma: 0.2, learningRate: 0.01, estimator: "pathwise" };
  const run = trainer(data, { hidden, latent: 2, seed: 0, settings });
  for (let i = 0; i < 200; i++) run.step();
  let best = Infinity;
  for (let round = 0; round < 20; round++) {
    const begin = performance.now();
    for (let i = 0; i < 25; i++) run.step();
    best = Math.min(best, (performance.now() - begin) / 25);
  }
  return 1000 / best;
};`], { type: "text/javascript" }));
  return (await import(url)).program(...kind);
}"""
FRAMES = """async () => {
  const made = () => Number(document.querySelector(".vl-status").textContent.match(/[0-9]+/)?.[0] ?? 0);
  const times = [], script = [], before = made();
  await new Promise((done) => requestAnimationFrame(function next(t) {
    times.push(t);
    script.push(performance.now() - t); // the run's own callback came first in this frame
    if (times.length < 180) requestAnimationFrame(next); else done();
  }));
  const seconds = (times.at(-1) - times[0]) / 1000, middle = script.sort((a, b) => a - b)[90];
  return { frames: (times.length - 1) / seconds, steps: (made() - before) / seconds, script: middle };
}"""


def open_page(page: Page, widget: Playground, folder: Path) -> None:
    data = embed_data(views=[widget], drop_defaults=False, state=widget.get_manager_state(drop_defaults=False)["state"])
    parts = {"state": data["manager_state"], "view": data["view_specs"][0]}
    texts = {kind: json.dumps(part).replace("</", "<\\/") for kind, part in parts.items()}
    scripts = "".join(
        f'<script type="application/vnd.jupyter.widget-{kind}+json">{text}</script>' for kind, text in texts.items()
    )
    target = folder / "playground.html"
    target.write_text(PAGE.format(scripts=scripts, draw=SCRIPT.read_text(encoding="utf-8")), encoding="utf-8")
    page.goto(target.as_uri())
    page.locator(".vl-graph").wait_for()


def measure(page: Page, data: str, folder: Path) -> dict[str, Any]:
    widget = Playground(data=data)
    open_page(page, widget, folder)
    speed = page.evaluate(SPEED, [widget._esm, [data, widget.digits]])
    page.get_by_role("button", name="Run").click()
    return {"engine": speed, **page.evaluate(FRAMES)}


def main() -> None:
    widget = Playground()
    state = json.dumps(widget.get_state(), default=repr).encode()
    print(f"weight: {len(gzip.compress(state, 6)) / 1000:.1f} kB compressed, of 80")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        for data in ("ring", "digits"):
            found = measure(browser.new_page(viewport={"width": 900, "height": 1200}), data, Path(folder))
            print(
                f"{data}: {found['engine']:.0f} steps a second in the engine; in the page {found['steps']:.0f} steps "
                f"and {found['frames']:.0f} frames a second, {found['script']:.1f} ms of script in a frame"
            )
        browser.close()


if __name__ == "__main__":
    main()
