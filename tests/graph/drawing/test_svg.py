"""The drawings: as they are kept, well formed, accessible, and narrow enough for a telephone."""

import re
from xml.etree import ElementTree

import pytest

from tests.graph.pictures import GOLDEN, PICTURES, drawn
from vae_lab.graph import vae_views
from vae_lab.graph.drawing.picture import Edge, Node, Picture
from vae_lab.graph.drawing.style import STYLE
from vae_lab.graph.drawing.svg import to_svg

SVG = "{http://www.w3.org/2000/svg}"
each = pytest.mark.parametrize("name", PICTURES)


@each
def test_golden(name: str) -> None:
    assert drawn(name) == (GOLDEN / f"{name}.svg").read_text(encoding="utf-8"), (
        "the drawing has changed; if that is meant, look at it and run: python -m tests.graph.pictures"
    )


def test_no_golden_is_left_over() -> None:
    assert {p.stem for p in GOLDEN.glob("*.svg")} == set(PICTURES)


@each
def test_well_formed_and_accessible(name: str) -> None:
    root = ElementTree.fromstring(PICTURES[name]().svg)
    assert root.get("role") == "img"
    assert [child.tag for child in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
    assert "The gradient of" in (root[1].text or "")
    assert not [e for e in root.iter() if "id" in e.attrib]  # nothing for two pictures of a page to collide on
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|url\(|<script|href", PICTURES[name]().svg)


@pytest.mark.parametrize("name", [n for n in PICTURES if n.startswith("vae_") and "every" not in n])
def test_the_lectures_pictures_fit_a_telephone_unscaled(name: str) -> None:
    root = ElementTree.fromstring(PICTURES[name]().svg)
    assert float(root.attrib["width"]) <= 344


def test_verdicts_differ_in_form_and_not_only_in_colour() -> None:
    nodes = {n: Node(n, "result") for n in "abcdef"}
    edges = [Edge("a", "b", "passes"), Edge("b", "c", "cut"), Edge("c", "d", "zero"), Edge("d", "e", "unasked")]
    svg = to_svg(Picture(nodes, edges, "e"), legend=False)
    body = re.sub(r"<style>.*</style>", "", svg)
    shapes = [re.sub(r"-?\d+(\.\d+)?", "", g) for g in re.findall(r"<g><title>. → .*?</g>", body)]
    colourless = [re.sub(r"<title>.*?</title>", "", re.sub(r'class="\w+"', "", s)) for s in shapes]
    assert len(colourless) == 4
    # an arrow back; a dotted line (by class); nothing at all
    assert colourless[0] != colourless[3]
    assert colourless[1] != colourless[3]


def test_text_is_escaped() -> None:
    node = Node("a<b>&\"'", "result", caption="x < y & z")
    root = ElementTree.fromstring(to_svg(Picture({node.id: node}, [], None)))
    assert "a<b>&\"'" in [t.text for t in root.iter(f"{SVG}text")]


def test_the_same_graph_gives_the_same_text_and_two_can_share_a_page() -> None:
    first, second = vae_views(), vae_views()
    assert first.as_written.to_svg() == second.as_written.to_svg()
    assert first.as_written._repr_svg_() == first.as_written.draw().svg
    assert first.as_written.to_svg() in first.as_written._repr_html_()


def test_numbers_and_shapes_are_shown_on_request() -> None:
    graph = vae_views().reparameterized
    assert 'class="num"' not in graph.to_svg().split("</style>")[1]
    svg = graph.to_svg(numbers=True, shapes=True)
    assert len(re.findall('class="num"', svg)) == sum(v == "passes" for v in graph.gradient().values())
    assert ">4×2<" in svg
    assert ">scalar<" in svg


def test_saving(tmp_path) -> None:
    path = vae_views().as_written.draw().save(tmp_path / "before.svg")
    assert ElementTree.parse(path).getroot().tag == f"{SVG}svg"


def test_dot() -> None:
    dot = vae_views().as_written.to_dot()
    assert dot.startswith("digraph computation {")
    assert '"z" [shape=ellipse' in dot
    assert '"mu" -> "z" [style=dotted color=red label="cut"];' in dot
    assert '"z" -> "x_hat" [color=blue penwidth=2];' in dot
    assert dot.count("{") == dot.count("}") == 1


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", ["#ffffff", "#121212", "#14181e"])
def test_lines_stand_out_on_light_and_dark_pages(page: str) -> None:
    accents = set(re.findall(r"var\(--vae-graph-\w+,(#\w{6})\)", STYLE))
    assert len(accents) == 3
    for accent in accents:
        lighter, darker = sorted((luminance(accent), luminance(page)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 3, accent  # WCAG 2.1, 1.4.11


def test_the_two_views_show_both_pictures() -> None:
    views = vae_views()
    shown = views._repr_html_()
    assert shown.index(views.as_written.to_svg()) < shown.index(views.reparameterized.to_svg())
