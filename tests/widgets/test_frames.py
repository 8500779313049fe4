"""What a frame of an animation does: it writes what has changed and no more, and fits into the time there is.

The frames are called by the test, and the clock is the test's too: one that stands still, or one on which everything is
slow. Nothing here depends on how fast a machine is.
"""

import pytest
from widgets.in_page import run_module

from vae_lab.widgets import Playground, YourDigit

# Press Run, call `count` frames on a clock that goes on by `tick` milliseconds whenever it is read, and pause.
# Returns for each frame which canvases were drawn, which drawings were written to, how many elements were made in them,
# how often style or size was read, and how many things were put off (what is said aloud is).
FRAMES = """([count, tick]) => {
  const root = document.querySelector(".vae-lab"), Pen = CanvasRenderingContext2D.prototype, { clearRect } = Pen;
  const { requestAnimationFrame, getComputedStyle, setTimeout } = globalThis;
  const width = Object.getOwnPropertyDescriptor(Element.prototype, "clientWidth");
  const press = (name) => [...root.querySelectorAll("button")].find((b) => b.textContent === name).click();
  let now = performance.now(), time = now, waiting = [], seen;
  const fresh = () => ({ planes: [], drawings: [], made: 0, looks: 0, later: 0 });
  seen = fresh();
  performance.now = () => (now += tick);
  globalThis.requestAnimationFrame = (call) => waiting.push(call);
  globalThis.getComputedStyle = (...given) => { seen.looks += 1; return getComputedStyle(...given); };
  globalThis.setTimeout = (...given) => { seen.later += 1; return setTimeout(...given); };
  const get = function () { seen.looks += 1; return width.get.call(this); };
  Object.defineProperty(Element.prototype, "clientWidth", { ...width, get });
  Pen.clearRect = function (...given) {
    if (this.canvas.isConnected) seen.planes.push(this.canvas.className.split("vl-").at(-1));
    return clearRect.apply(this, given);
  };
  const observer = new MutationObserver(() => {}), frames = [];
  try {
    press("Run");
    observer.observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
    for (let k = 0; k < count; k++) {
      seen = fresh();
      const calls = waiting;
      waiting = [];
      time += 1000 / 60;
      for (const call of calls) call(time);
      const records = observer.takeRecords(), drawn = new Set();
      for (const { target, addedNodes } of records) {
        const drawing = (target.nodeType === 1 ? target : target.parentElement)?.closest("svg:not(.vl-plane svg)");
        if (drawing) drawn.add(drawing.classList[0] ?? drawing.getAttribute("aria-label"));
        if (drawing) seen.made += [...addedNodes].filter((node) => node.nodeType === 1).length;
      }
      frames.push({ ...seen, drawings: [...drawn] });
    }
    observer.disconnect();
  } finally {
    Object.assign(globalThis, { requestAnimationFrame, getComputedStyle, setTimeout });
    Pen.clearRect = clearRect;
    delete performance.now;
    Object.defineProperty(Element.prototype, "clientWidth", width);
    press("Pause");
  }
  return frames;
}"""
STATE = """() => {
  const look = (node) => [node.localName, ...[...node.attributes].map((a) => `${a.name}=${a.value}`).sort()].join(" ");
  const inside = (node) => [...node.querySelectorAll(":not(input)")].map(look);
  return [...document.querySelectorAll(".vae-lab :is(svg, canvas, p, output)")].map(
    (node) => node.localName === "canvas" ? node.toDataURL() : [node.textContent, ...inside(node)]);
}"""
STANDS, SLOW = 0, 50  # milliseconds by which the clock goes on when it is read


def tall(page, settle, height=2600):
    page.set_viewport_size({"width": 1280, "height": height})
    settle(page)
    settle(page)  # what is in sight is told a frame later
    return page


def steps(page):
    return int(page.locator(".vl-status").inner_text().split(".")[0].removeprefix("Step "))


@pytest.mark.parametrize("data", ["ring", "digits"])
def test_without_time_a_frame_makes_one_step_and_draws_one_plane_and_one_reading(show, settle, data):
    page = tall(show(Playground(data=data)), settle)
    frames = page.evaluate(FRAMES, [40, SLOW])
    settle(page)
    assert 40 <= steps(page) <= 41
    assert [len(frame["planes"]) for frame in frames] == [1] * 40
    assert sorted({frame["planes"][0] for frame in frames}) == ["data", "latent"]
    assert max(len(frame["drawings"]) for frame in frames) == 1
    assert sum("vl-graph" in frame["drawings"] for frame in frames) >= 7, "the graph has no turn"
    assert sum(frame["looks"] > 0 for frame in frames) <= 2, "the browser has to lay out what was written"
    assert sum(frame["later"] for frame in frames) == 0, "a run is read aloud, frame by frame"


def test_with_time_a_frame_makes_all_its_steps_and_draws_everything(show, settle):
    page = tall(show(Playground()), settle)
    frames = page.evaluate(FRAMES, [10, STANDS])
    settle(page)
    assert 80 <= steps(page) <= 88
    assert [sorted(frame["planes"]) for frame in frames] == [["data", "latent"]] * 10
    assert min(len(frame["drawings"]) for frame in frames) == 4, "graph, two charts, bars"


def test_a_graph_that_is_drawn_again_keeps_its_elements(show, settle):
    page = tall(show(Playground()), settle)
    frames = page.evaluate(FRAMES, [60, SLOW])
    graph = [frame["made"] for frame in frames if frame["drawings"] == ["vl-graph"]]
    assert len(graph) >= 10
    assert sum(graph) == 0
    assert sum(frame["made"] for frame in frames) < 60, "the ticks of an axis that has a new scale, and little else"


def test_what_is_out_of_sight_waits_until_the_run_rests(show, settle):
    page = tall(show(Playground()), settle, height=260)
    frames = page.evaluate(FRAMES, [20, STANDS])
    settle(page)
    assert all(not frame["planes"] and not frame["drawings"] for frame in frames)
    made = f"steps: {steps(page)}"
    assert page.get_by_text(made, exact=True).count() == 2, "the charts' axes end at another step"


@pytest.mark.parametrize("data", ["ring", "digits"])
def test_a_pause_shows_the_step_that_the_run_has_come_to(show, settle, data):
    page = tall(show(Playground(data=data, follow=3)), settle)
    page.evaluate(FRAMES, [23, SLOW])
    settle(page)
    paused, made = page.evaluate(STATE), steps(page)
    page.get_by_role("button", name="Link to this state").click()
    link = page.get_by_label("Link to this state").last.input_value().split("#vae:")[1]
    again = tall(show(Playground(link=link)), settle)
    again.wait_for_function(
        "(made) => document.querySelector('.vl-status').textContent.startsWith(`Step ${made}.`)", arg=made
    )
    assert again.evaluate(STATE) == paused


def test_nothing_is_written_where_nothing_has_changed(show, settle):
    page = show(Playground())
    page.evaluate(
        """() => {
          globalThis.seen = new MutationObserver(() => {});
          const all = { subtree: true, childList: true, attributes: true, characterData: true };
          seen.observe(document.querySelector(".vae-lab"), all);
        }"""
    )
    page.get_by_role("button", name="Start over").click()
    settle(page)
    told = "() => seen.takeRecords().map((r) => `${r.type} ${r.attributeName ?? ''} of ${r.target.nodeName}`)"
    written = page.evaluate(told)
    assert [line for line in written if "data-lm-suppress-shortcuts" not in line] == []


def test_a_frame_leaves_time_to_a_browser_that_is_late(show):
    widget = Playground()
    allowed = run_module(
        show(widget),
        widget._esm,
        """() => {
          const pace = framePace(), frame = 1000 / 60;
          let time = 0;
          const after = (count, gap) => {
            let found;
            for (let i = 0; i < count; i++) found = pace((time += gap));
            return found;
          };
          return {
            quick: after(500, frame), late: after(1, 2 * frame), slow: after(50, 1.5 * frame), away: after(1, 60000),
            again: after(500, frame), fast: after(500, frame / 2),
          };
        }""",
    )
    assert allowed["quick"] == allowed["again"] == allowed["fast"] <= 1000 / 60
    assert allowed["slow"] < allowed["late"] < allowed["quick"]
    assert allowed["away"] == allowed["slow"], "a page out of sight is not a slow one"


def test_a_survey_in_parts_is_the_survey(show):
    widget = Playground()
    whole, parts, early = run_module(
        show(widget),
        widget._esm,
        """() => {
          const settings = { beta: 1, decoderSigma: 0.2, learningRate: 0.01, estimator: "pathwise" };
          const run = trainer(cloud("moons"), { hidden: [32, 32], latent: 3, seed: 1, settings });
          const read = (all) => [...all.mu, ...all.sigma, ...all.rate, all.active];
          const found = survey(run);
          for (let i = 0; i < 50; i++) run.step();
          surveyAgain(run, found, 100);
          const early = read(found);
          for (let k = 0; k < 2; k++) surveyAgain(run, found, 100);
          return [read(survey(run)), read(found), early];
        }""",
    )
    assert parts == pytest.approx(whole, abs=1e-12)
    assert early != pytest.approx(whole, abs=1e-3)


def test_a_drawing_is_brought_to_what_is_wanted(show):
    widget = Playground()
    found = run_module(
        show(widget),
        widget._esm,
        """() => {
          const root = svg("svg"), kept = svg("path", { id: "kept" }), seen = new MutationObserver(() => {});
          const space = ' xmlns="http://www.w3.org/2000/svg"', html = () => root.innerHTML.replaceAll(space, "");
          seen.observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
          const to = (...wanted) => { redraw(root, ...wanted); return [html(), seen.takeRecords().length]; };
          const dot = (x) => mark("circle", { cx: x, hidden: x > 5 }), text = (words) => mark("text", { x: 1 }, words);
          return [
            to(dot(1), kept, text("a")), to(dot(1.001), kept, text("a")), to(dot(2), kept, text("b")),
            to(dot(7), mark("g", {}, dot(1)), kept), to(kept), to(),
          ];
        }""",
    )
    kept = '<path id="kept"></path>'
    assert [html for html, _ in found] == [
        f'<circle cx="1"></circle>{kept}<text x="1">a</text>',
        f'<circle cx="1"></circle>{kept}<text x="1">a</text>',
        f'<circle cx="2"></circle>{kept}<text x="1">b</text>',
        f'<circle cx="7" hidden=""></circle><g><circle cx="1"></circle></g>{kept}',
        kept,
        "",
    ]
    assert [writes for _, writes in found][1:3] == [0, 2]


def test_a_flicker_moves_its_dots_and_one_picture(show, settle):
    page = show(YourDigit(chosen=[1, 9]))
    flicker = page.get_by_role("button", name="Draw from the cloud")
    flicker.click()
    page.locator(".vl-flick").wait_for()
    found = page.evaluate(
        """async () => {
          const records = [], pictures = [], Pen = CanvasRenderingContext2D.prototype, { putImageData } = Pen;
          const seen = new MutationObserver((list) => records.push(...list));
          seen.observe(document.querySelector(".vae-lab"), { subtree: true, childList: true, attributes: true });
          Pen.putImageData = function (...given) {
            pictures.push(this.canvas);
            return putImageData.apply(this, given);
          };
          const moved = () => records.filter((r) => r.target.matches(".vl-flick") && r.attributeName === "cx").length;
          for (let k = 0; k < 200 && moved() < 3; k++) await new Promise((done) => setTimeout(done, 50));
          seen.disconnect();
          Pen.putImageData = putImageData;
          const others = records.filter((r) => !r.target.matches(".vl-flick, .vl-near, g, .vl-spoken"));
          return { moved: moved() >= 3, others: others.length, pictures: new Set(pictures).size };
        }"""
    )
    flicker.click()
    assert found == {"moved": True, "others": 0, "pictures": 1}
