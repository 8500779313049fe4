"""What holds for each interaction: accessible in both themes, as narrow as a phone, absent from print."""

import pytest
from widgets.accessibility import violations

from vae_lab import widgets

KINDS = [getattr(widgets, name) for name in widgets.__all__ if name != "Interaction"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_accessible_narrow_and_not_in_print(show, settle, kind):
    page = show(kind(), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert "" not in page.locator("output").all_text_contents(), "a slider does not say its value"
    assert violations(page, ".vae-lab") == []
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    settle(page)
    assert page.evaluate("getComputedStyle(document.querySelector('.vae-lab')).backgroundColor") == "rgb(20, 24, 30)"
    assert violations(page, ".vae-lab") == []
    page.emulate_media(media="print")
    assert not page.locator(".vae-lab").is_visible()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_nothing_moves_on_its_own_and_no_text_is_read_as_html(kind):
    assert "innerHTML" not in kind._esm
    assert "outerHTML" not in kind._esm
    for moving in ("transition", "animation", "@keyframes"):  # so prefers-reduced-motion has nothing to stop
        assert moving not in kind._css
