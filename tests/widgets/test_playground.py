"""The playground in a page: its graph, what its switches do to a run, its links, its pen; and that it is light.

A run is brought to a state by a link, which repeats it step by step: no test waits for a number of seconds.
"""

import gzip
import json
import re

import pytest
import torch
import traitlets
from widgets.in_page import run_module

from vae_lab.widgets import Playground
from vae_lab.widgets.playground import DIGITS, small_digits

START = "data=ring&latent=2&seed=0&steps={steps}&follow=3&beta=1&decoderSigma=0.2&learningRate=0.01&estimator=pathwise"
MOST = 80_000  # bytes, compressed


def at_rest(page, steps):
    page.wait_for_function(
        "(steps) => document.querySelector('.vl-status').textContent.startsWith(`Step ${steps}.`)",
        arg=steps,
        timeout=60_000,
    )


def status(page):
    return page.locator(".vl-status").inner_text()


def restored(show, steps, changes="", start=START):
    page = show(Playground(link=start.format(steps=steps) + (f"&changes={changes}" if changes else "")))
    at_rest(page, steps)
    return page


def flows(page):
    """The length of the gradient beside each edge of the graph, as it is written there."""
    found = page.locator("[data-flow]").evaluate_all("all => all.map(t => [t.dataset.flow, t.textContent])")
    return dict(found)


def test_one_step_and_the_numbers_of_the_graph_add_up(show, settle):
    page = show(Playground(beta=4.0))
    page.get_by_role("button", name="One step").click()
    settle(page)
    at_rest(page, 1)
    number = lambda name: float(  # noqa: E731
        page.locator(f"[data-node={name}]").text_content().replace("\u2212", "-")
    )
    assert number("loss") == pytest.approx(number("distortion") + 4 * number("rate"), abs=0.03)
    assert flows(page)["rate>loss"] == "4.00"


@pytest.mark.parametrize(
    ("kind", "past_z", "through_z"), [("pathwise", False, True), ("cut", False, False), ("score", True, False)]
)
def test_the_switch_decides_which_arrows_reach_the_encoder(show, kind, past_z, through_z):
    page = show(Playground(estimator=kind))
    seen = {node.get_attribute("data-gradient") for node in page.locator("[data-gradient]").all()}
    assert ("mu>z" in seen) == ("sigma>z" in seen) == through_z
    assert ("mu<score" in seen) == ("sigma<score" in seen) == past_z
    assert page.locator(".vl-cut").count() == (0 if through_z else 2)
    assert {"mu>rate", "sigma>rate", "z>theta", "theta>xHat"} <= seen, "the rate and the decoder always get theirs"


# Nodes whose words or numbers come nearer than two pixels to the edge of their box, and numbers that are cut off.
CRAMPED = """() => {
  const graph = document.querySelector(".vl-graph"), all = graph.getBoundingClientRect(), found = [];
  for (const node of graph.querySelectorAll(":scope > g")) {
    const shape = node.querySelector("rect:not([data-of]), ellipse");
    if (!shape) continue;
    const box = shape.getBBox();
    for (const text of node.querySelectorAll("text")) {
      const { x, width } = text.getBBox();
      if (x < box.x + 2 || x + width > box.x + box.width - 2) found.push(text.textContent);
    }
  }
  for (const text of graph.querySelectorAll("[data-flow]")) {
    const { left, right } = text.getBoundingClientRect();
    if (left < all.left || right > all.right) found.push(text.textContent);
  }
  return found;
}"""


@pytest.mark.parametrize("width", [390, 600, 660, 720, 900])
@pytest.mark.parametrize("kind", ["pathwise", "score"])
def test_what_the_graph_says_stays_inside_its_boxes(show, settle, kind, width):
    page = show(Playground(estimator=kind), width=width)
    for _ in range(3):
        page.get_by_role("button", name="One step").click()
        settle(page)
        assert page.evaluate(CRAMPED) == []


def test_the_die_leaves_the_encoder_to_the_rate(show):
    page = restored(show, 350, "100*estimator*cut")
    assert "The posterior has collapsed" in status(page)
    assert "The encoder hears the rate alone" in page.locator(".vl-graph-text").inner_text()


@pytest.mark.parametrize(
    ("data", "cause"),
    [("ring", {"beta": 100}), ("moons", {"decoderSigma": 2.5}), ("clouds", {"estimator": "cut"})],
    ids=["beta", "sigma", "cut"],
)
def test_the_posterior_collapses_and_is_cured(show, data, cause):
    widget = Playground()
    found = run_module(
        show(widget),
        widget._esm,
        """(name, cause) => [0, 1, 2].map((seed) => {
             const sound = { beta: 1, decoderSigma: 0.2, learningRate: 0.01, estimator: "pathwise" };
             const run = trainer(cloud(name), { hidden: [32, 32], latent: 2, seed, settings: sound });
             return [sound, cause, sound].map((settings) => {
               for (const [name, value] of Object.entries(settings)) run.change(name, value);
               for (let i = 0; i < 400; i++) run.step();
               return survey(run).active;
             });
           })""",
        data,
        cause,
    )
    for before, during, after in found:
        assert before >= 1
        assert during == 0
        assert after >= 1


def test_a_link_leads_to_the_same_state(show, settle):
    text = START.format(steps=120) + "&changes=50*beta*4_90*estimator*score"
    page = show(Playground(link=text))
    at_rest(page, 120)
    beta = page.get_by_label("β, the weight of the rate")
    assert beta.get_attribute("aria-valuetext") == "beta: 4.00"
    assert beta.locator("xpath=../output").text_content() == "4.00"
    assert page.get_by_role("radio", name="drawn, with the score function").is_checked()
    assert page.get_by_label("Follow example").input_value() == "3"
    page.get_by_role("button", name="Link to this state").click()
    written = page.get_by_label("Link to this state").last.input_value()
    assert written.split("#vae:")[1] == text
    seen = flows(page)
    page.get_by_role("button", name="One step").click()
    settle(page)
    assert flows(page) != seen
    page.evaluate("(hash) => { location.hash = hash; }", written.split("#")[1])
    at_rest(page, 120)
    assert flows(page) == seen
    page.evaluate("() => { history.replaceState(null, '', location.pathname); }")


def test_a_link_with_nonsense_is_brought_into_range_or_left(show):
    widget = Playground()
    page = show(widget)
    read = "(text) => fromLink(text, ['ring', 'drawn'])"
    assert run_module(page, widget._esm, read, "data=nothing&steps=3") is None
    assert run_module(page, widget._esm, read, "") is None
    found = run_module(
        page,
        widget._esm,
        read,
        "data=ring&latent=99&seed=x&steps=1e9&beta=-1&learningRate=7&estimator=magic&changes=1*beta*1e9_2*steps*4_*_",
    )
    assert (found["latent"], found["seed"], found["steps"]) == (6, 0, 50_000)
    assert found["settings"] == {"estimator": "pathwise", "beta": 0, "decoderSigma": 0.03, "learningRate": 0.1}
    assert found["changes"] == [{"step": 1, "name": "beta", "value": 100}]


def test_points_are_drawn_with_mouse_and_keyboard_and_trained_on(show, settle):
    page = show(Playground())
    page.get_by_role("radio", name="draw your own").check()
    settle(page)
    assert "there are 0 so far" in status(page)
    assert page.get_by_role("button", name="Run").is_disabled()
    plane = page.locator(".vl-planes .vl-drag")
    plane.scroll_into_view_if_needed()
    area = plane.bounding_box()
    middle = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + 60, middle)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] - 60, middle, steps=20)
    page.mouse.up()
    settle(page)
    page.get_by_role("button", name="Pen").focus()
    for key in ("Shift+ArrowUp", "Space", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    settle(page)
    assert "Nothing is learned yet" in status(page)
    page.get_by_role("button", name="One step").click()
    settle(page)
    at_rest(page, 1)
    page.get_by_role("button", name="Link to this state").click()
    text = page.get_by_label("Link to this state").last.input_value().split("#vae:")[1]
    points = len(re.search(r"points=([0-9a-f]+)", text)[1]) // 4
    assert points >= 10
    seen = flows(page)
    again = show(Playground(link=text))
    at_rest(again, 1)
    assert flows(again) == seen
    again.get_by_role("button", name="Clear the points").click()
    settle(again)
    assert "there are 0 so far" in status(again)


def test_run_pause_and_slow_motion(show, settle):
    page = show(Playground(), reduced_motion=True)
    page.get_by_role("button", name="Run").click()
    page.wait_for_function("document.querySelector('.vl-status').textContent.startsWith('Step ')")
    page.get_by_role("button", name="Pause").click()
    settle(page)
    before = status(page)
    page.wait_for_timeout(700)
    assert status(page) == before, "it goes on after Pause"
    page.get_by_role("button", name="Slow motion").click()
    text = page.locator(".vl-graph-text")
    for sentence in ("An example enters", "ε is drawn", "The decoder turns z", "The loss:", "Back along", "Adam moves"):
        page.wait_for_function(
            "(s) => document.querySelector('.vl-graph-text').textContent.includes(s)", arg=sentence, timeout=20_000
        )
    page.get_by_role("button", name="Pause").click()
    settle(page)
    assert "the gradient passes z" in text.inner_text()


def test_an_example_is_chosen_in_the_plane(show, settle):
    page = show(Playground())
    plane = page.locator(".vl-planes .vl-drag")
    plane.scroll_into_view_if_needed()
    area = plane.bounding_box()
    page.mouse.click(area["x"] + 0.18 * area["width"], area["y"] + area["height"] / 2)
    settle(page)
    assert page.get_by_label("Follow example").input_value() in {str(k) for k in range(118, 139)}, "left: half round"
    chooser = page.get_by_role("button", name="Chooser")
    chooser.focus()
    for key in ["Shift+ArrowRight"] * 2 + ["Enter"]:
        page.keyboard.press(key)
    settle(page)
    assert int(page.get_by_label("Follow example").input_value()) in {*range(10), *range(246, 256)}


def test_digits_are_halves_of_bytes(show):
    kept = small_digits()
    widget = Playground()
    found = torch.tensor(
        run_module(show(widget), widget._esm, "(kept) => [...digitImages(kept).values.slice(0, 640)]", kept)
    )
    assert len(kept["labels"]) == DIGITS
    assert found.view(10, 64).amax(1).tolist() == [1.0] * 10
    assert (found * 15).frac().abs().max() < 1e-6


def test_the_playground_is_light():
    state = json.dumps(Playground().get_state(), default=repr)
    assert "small VAE" in state
    assert len(gzip.compress(state.encode(), 6)) <= MOST


def test_traits_out_of_range_are_refused():
    with pytest.raises(traitlets.TraitError, match=r"Playground: beta is 200\.0; wanted 0\.01 to 100"):
        Playground(beta=200.0)
