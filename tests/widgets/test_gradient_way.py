"""The recorded graph in the page: what is said of each node is what the recording measured."""

import pytest
import torch

from vae_lab.graph import record, vae_views
from vae_lab.widgets import GradientWay


def lit(page):
    """Titles of the edges that are not dimmed."""
    return page.locator(".vae-graph g").evaluate_all(
        "all => all.filter(g => g.style.opacity === '1').map(g => g.querySelector('title').textContent)"
    )


def choose(page, settle, node):
    page.locator(f".vl-nodes input[value='{node}']").check()
    settle(page)
    return page.locator(".vl-explanation").inner_text()


def test_every_verdict_is_the_recordings(show, settle):
    page = show(GradientWay())
    for label, graph in zip(("z is drawn", "z is computed"), vae_views(), strict=True):
        page.get_by_label(label).check()
        settle(page)
        reached = graph.reaches("loss")
        asked = {"phi", "theta", *(edge.source for edge in graph.picture().edges if edge.verdict != "unasked")}
        for node in graph.kinds():
            said = choose(page, settle, node)
            if node == "loss":
                assert said.startswith("The gradient starts here")
            elif node in asked:
                begin = "The gradient reaches" if node in reached else "No gradient reaches"
                assert said.startswith(begin), (label, said)
            else:
                assert "was never asked for a gradient" in said, (label, said)
                assert all(title.split(":")[0].startswith(f"{node} → ") for title in lit(page)), (label, node)


def test_the_way_is_lit_and_ends_at_the_die(show, settle):
    page = show(GradientWay(node="phi"))
    assert {title.split(":")[0] for title in lit(page)} == {"x_hat → loss", "z → x_hat", "mu → z", "sigma → z"}
    assert "ends between z and μ" in page.locator(".vl-explanation").inner_text()
    page.get_by_label("z is computed").check()
    settle(page)
    assert {"phi → mu", "phi → sigma", "mu → z", "sigma → z"} <= {title.split(":")[0] for title in lit(page)}
    assert not any("eps" in title or "theta" in title for title in lit(page))


def test_a_node_is_chosen_by_click_and_by_keyboard(show, settle):
    page = show(GradientWay(node="phi"))
    page.locator(".vae-graph g", has=page.locator("title", has_text="theta: ")).click()
    settle(page)
    assert page.locator(".vl-explanation").inner_text().startswith("The gradient reaches θ")
    page.keyboard.press("Tab")
    page.locator(".vl-nodes input[value=theta]").focus()
    page.keyboard.press("ArrowLeft")
    settle(page)
    assert page.locator(".vl-nodes input[value=z]").is_checked()


def test_a_name_that_looks_like_html_stays_text(show):
    with record() as graph:
        x = torch.ones(2, requires_grad=True)
        y = (x * torch.randn(2)).sum()
        graph.mark(**{"<img src=x onerror=alert(1)>": x, "loss": y})
    page = show(GradientWay({"own": graph}, node=""))
    assert page.locator("img").count() == 0
    assert page.get_by_text("<img src=x onerror=alert(1)>").count() >= 1


def test_no_graph_and_no_such_graph_are_refused():
    with pytest.raises(ValueError, match="GradientWay: graphs is empty"):
        GradientWay({})
    with pytest.raises(ValueError, match="GradientWay: shown is 2; wanted 0 to 1"):
        GradientWay(shown=2)
