"""How fast the playground learns and draws in a browser, and what it weighs. Run it with `python -m`.

    python -m benchmarks.playground [CHECKOUT ...]

The playground of each checkout of the project that is named is measured beside this one's, in turns, three times each.

Steps a second are those of the engine alone, the best of several short rounds: other work on the machine only takes
away. Frames are those of a run in the page. The milliseconds in each are processor time of the page's main thread: of
its script, of layout and style, and all of it. The rest of a frame is painting, which a browser without a GPU does on
the same cores; so does whatever else runs there, and the page trains less where frames come late.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from vae_lab.doctor import find_browser

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "book" / "widget_pages" / "_static" / "live-widgets.js"
RUNS, COUNTED, TRACED = 3, 180, 60  # the last two are frames
LAYOUT = ("Layout", "UpdateLayoutTree")
# What a checkout's playground is: its state in a page, its script, its digits, and its weight as the tests take it.
WIDGET = """
import gzip, json, sys
from ipywidgets.embed import embed_data
from vae_lab.widgets import Playground
widget = Playground(data=sys.argv[1])
data = embed_data(views=[widget], drop_defaults=False, state=widget.get_manager_state(drop_defaults=False)["state"])
weight = len(gzip.compress(json.dumps(widget.get_state(), default=repr).encode(), 6))
parts = {"state": data["manager_state"], "view": data["view_specs"][0]}
print(json.dumps({"parts": parts, "script": widget._esm, "digits": widget.digits, "weight": weight}))
"""
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
FRAMES = """async (count) => {
  const made = () => Number(document.querySelector(".vl-status").textContent.match(/[0-9]+/)?.[0] ?? 0);
  const times = [], before = made();
  await new Promise((done) => requestAnimationFrame(function next(t) {
    times.push(t);
    if (times.length <= count) requestAnimationFrame(next); else done();
  }));
  const seconds = (times.at(-1) - times[0]) / 1000;
  return { frames: count / seconds, steps: (made() - before) / seconds };
}"""


def playground(checkout: Path, data: str) -> dict[str, Any]:
    command = [sys.executable, "-c", WIDGET, data]
    written = subprocess.run(command, cwd=checkout, capture_output=True, check=True).stdout
    found: dict[str, Any] = json.loads(written)
    return found


def open_page(page: Page, parts: dict[str, Any], folder: Path) -> None:
    texts = {kind: json.dumps(part).replace("</", "<\\/") for kind, part in parts.items()}
    scripts = "".join(
        f'<script type="application/vnd.jupyter.widget-{kind}+json">{text}</script>' for kind, text in texts.items()
    )
    target = folder / "playground.html"
    target.write_text(PAGE.format(scripts=scripts, draw=SCRIPT.read_text(encoding="utf-8")), encoding="utf-8")
    page.goto(target.as_uri())
    page.locator(".vl-graph").wait_for()


def measure(browser: Browser, data: str, widget: dict[str, Any], folder: Path) -> dict[str, float]:
    page = browser.new_page(viewport={"width": 900, "height": 1200})
    open_page(page, widget["parts"], folder)
    speed = page.evaluate(SPEED, [widget["script"], [data, widget["digits"]]])
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    used = lambda: {one["name"]: 1000 * one["value"] for one in session.send("Performance.getMetrics")["metrics"]}  # noqa: E731
    page.get_by_role("button", name="Run").click()
    page.wait_for_timeout(1000)  # the run finds its pace
    before = used()["ThreadTime"]
    found = page.evaluate(FRAMES, COUNTED)
    whole = (used()["ThreadTime"] - before) / COUNTED
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    page.evaluate(FRAMES, TRACED)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    page.close()
    of = lambda *names: sum(one.get("tdur", 0) for one in events if one["name"] in names) / 1000 / TRACED  # noqa: E731
    return {"engine": speed, **found, "script": of("FireAnimationFrame"), "layout": of(*LAYOUT), "all": whole}


def main() -> None:
    checkouts = [ROOT, *(Path(name).resolve() for name in sys.argv[1:])]
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        for data in ("ring", "digits"):
            widgets = {checkout: playground(checkout, data) for checkout in checkouts}
            found: dict[Path, list[dict[str, float]]] = {checkout: [] for checkout in checkouts}
            for _ in range(RUNS):
                for checkout, widget in widgets.items():
                    found[checkout].append(measure(browser, data, widget, Path(folder)))
            for checkout, runs in found.items():
                middle = lambda name, runs=runs: median(run[name] for run in runs)  # noqa: E731
                spread = " ".join(f"{run['frames']:.0f}" for run in runs)
                print(
                    f"{data}, {checkout.name}: {widgets[checkout]['weight'] / 1000:.1f} kB compressed, of 80; "
                    f"{middle('engine'):.0f} steps a second in the engine; in the page {middle('steps'):.0f} steps and "
                    f"{middle('frames'):.0f} frames a second ({spread}); a frame: {middle('script'):.1f} ms of script, "
                    f"{middle('layout'):.1f} of layout and style, {middle('all'):.1f} of the main thread in all",
                    flush=True,
                )
        browser.close()


if __name__ == "__main__":
    main()
