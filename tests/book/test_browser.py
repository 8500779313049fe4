"""The built pages in a real browser that has no network: over http:// and from file://."""

from __future__ import annotations

import functools
import gzip
import http.server
import re
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from book.sources import has_widgets, toc_pages
from playwright.sync_api import Browser, Page

ENGLISH = [*(f"book/{page.stem}.html" for page in toc_pages()), "search.html", "genindex.html"]
PAGES = [*ENGLISH, *(f"vi/{name}" for name in ENGLISH)]
SLUGS = [f"{book}{page.stem}" for book in ("book/", "vi/book/") for page in toc_pages()]
# What the console may say, and why.
ALLOWED: tuple[tuple[str, str], ...] = (
    ("use allowUnionTypes", "the widget manager's JSON schema checker speaks of its own schema, not of the page"),
)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
AXE_ALLOWED: dict[str, str] = {}  # rule -> why it may be broken
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WITH_WIDGETS = {page.stem for page in toc_pages() if has_widgets(page)}
# Bytes over the wire for a first page: everything it asks for, fonts and icons included, each as gzip -6 makes it.
MOST, MOST_WITH_WIDGETS = 700_000, 950_000


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def addresses(html: Path) -> Iterator[dict[str, str]]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"http": f"http://127.0.0.1:{server.server_port}", "file": html.as_uri()}
    server.shutdown()
    server.server_close()


def watch(page: Page, home: str) -> list[str]:
    """Keep a list of whatever goes wrong in a page, and of what it asks for outside the book."""
    troubles: list[str] = []

    def console(message: Any) -> None:
        if message.type in {"error", "warning"} and not any(known in message.text for known, _ in ALLOWED):
            troubles.append(f"console: {message.text}")

    def request(request: Any) -> None:
        if not request.url.startswith((home, "data:", "blob:")):
            troubles.append(f"asked for {request.url}")

    def failed(request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left before its icon had come
            troubles.append(f"failed: {request.url}")

    page.on("request", request)
    page.on("console", console)
    page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
    page.on("requestfailed", failed)
    page.on(
        "response", lambda answer: troubles.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
    )
    return troubles


@pytest.fixture(scope="module")
def tabs(browser: Browser, addresses: dict[str, str]) -> Iterator[dict[str, tuple[Page, list[str]]]]:
    """One page for each way to open the book, with the list of its troubles."""
    opened = {}
    for scheme, home in addresses.items():
        page = browser.new_page(viewport=DESK, reduced_motion="reduce")  # no colour is caught half-way
        opened[scheme] = page, watch(page, home)
    yield opened
    for page, _ in opened.values():
        page.close()


def open_in(page: Page, home: str, name: str) -> None:
    """Open a page and wait until its interaction, if it has one, is there."""
    page.goto(f"{home}/{name}", wait_until="load")
    if Path(name).stem in WITH_WIDGETS:
        page.locator(".vae-lab svg").first.wait_for(timeout=30_000)


def undrawn(page: Page) -> list[str]:
    """Formulas that are still text, or that have an error in them."""
    return page.eval_on_selector_all(
        ".math",
        "all => all.filter(m => !m.querySelector('.katex') || m.querySelector('.katex-error'))"
        ".map(m => `formula: ${m.textContent}`)",
    )


def inaccessible(page: Page, options: dict[str, Any]) -> list[str]:
    """What axe-core finds against WCAG 2.1 AA."""
    violations = Axe().run(page, options={**options, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"axe, {violation['id']}: {[node['target'] for node in violation['nodes']][:3]}"
        for violation in violations
        if violation["id"] not in AXE_ALLOWED
    ]


@functools.cache
def compressed(file: Path) -> int:
    return len(gzip.compress(file.read_bytes(), 6))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_from_a_server_is_sound_light_accessible_and_narrow(tabs, html, addresses, name):
    page, troubles = tabs["http"]
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")
    troubles.clear()
    fetched: set[str] = set()

    def note(request: Any) -> None:
        if not request.url.startswith(("data:", "blob:")):
            fetched.add(urlsplit(request.url).path)

    page.on("request", note)
    open_in(page, addresses["http"], name)
    page.evaluate("document.fonts.ready")
    page.remove_listener("request", note)

    sizes = {path: compressed(html / unquote(path).lstrip("/")) for path in fetched}
    most = MOST_WITH_WIDGETS if Path(name).stem in WITH_WIDGETS else MOST
    found = undrawn(page) + [f"{sum(sizes.values())} bytes: {sizes}"] * (sum(sizes.values()) > most)
    found += page.eval_on_selector_all(
        "img", "all => all.filter(i => i.complete && !i.naturalWidth).map(i => `no picture: ${i.src}`)"
    )
    found += troubles  # up to here: axe looks for style sheets in places of its own
    found += inaccessible(page, {"runOnly": {"type": "tag", "values": WCAG}})
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    found += inaccessible(page, {"runOnly": ["color-contrast"]})  # a theme changes colours and nothing else
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    found += [f"{width} pixels wide on a phone"] * (width > PHONE["width"])
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_from_a_file_opens_without_complaint(tabs, addresses, name):
    page, troubles = tabs["file"]
    troubles.clear()
    open_in(page, addresses["file"], name)
    found = troubles + undrawn(page)
    assert not found, "\n".join(found)


@pytest.fixture
def quiz(browser, addresses):
    """The first quiz of the first page, which has several right choices, from a folder."""
    page = browser.new_page()
    page.goto(f"{addresses['file']}/book/intro.html")
    yield page.locator(".course-quiz").first
    page.close()


def rights(quiz: Any) -> list[bool]:
    return quiz.locator("details").evaluate_all("all => all.map(d => d.classList.contains('course-right'))")


def test_a_quiz_wants_a_choice_before_it_tells_by_keyboard_alone(quiz):
    page = quiz.page
    check, folds, right = quiz.get_by_role("button", name="Check"), quiz.locator("details"), rights(quiz)
    assert sum(right) > 1
    assert not any(folds.nth(i).is_visible() for i in range(len(right)))
    assert check.is_disabled()
    quiz.locator("input").nth(0).focus()
    for i, is_right in enumerate(right):
        if is_right or i == 0:
            page.keyboard.press("Space")
        page.keyboard.press("Tab")
    assert not any(folds.nth(i).is_visible() for i in range(len(right)))
    page.keyboard.press("Enter")  # the button comes after the choices
    opened = folds.evaluate_all("all => all.map(d => d.open)")
    assert opened == [is_right or i == 0 for i, is_right in enumerate(right)], "all that were chosen, and no other"
    assert f"{sum(right)} of the {sum(right)} right ones found, and 1" in quiz.get_by_role("status").inner_text()


def test_a_quiz_remembers_and_can_be_tried_again(quiz):
    page, right = quiz.page, rights(quiz)
    for i, is_right in enumerate(right):
        quiz.locator("input").nth(i).set_checked(is_right)
    quiz.get_by_role("button", name="Check").click()
    said = quiz.get_by_role("status").inner_text()
    assert said == f"Right: all {sum(right)}."
    page.reload()
    assert quiz.get_by_role("status").inner_text() == said
    assert quiz.locator("input").evaluate_all("all => all.map(i => i.checked)") == right
    quiz.get_by_role("button", name="Try again").click()
    assert not quiz.locator("details").first.is_visible()
    page.reload()
    assert not any(quiz.locator("input").evaluate_all("all => all.map(i => i.checked)"))


def test_a_quiz_with_one_right_choice_takes_one(browser, addresses):
    page = browser.new_page()
    for name in (page.stem for page in toc_pages()):
        page.goto(f"{addresses['file']}/book/{name}.html", wait_until="domcontentloaded")
        for quiz in page.locator(".course-quiz").all():
            kinds = set(quiz.locator("input").evaluate_all("all => all.map(i => i.type)"))
            assert kinds == {"checkbox" if sum(rights(quiz)) > 1 else "radio"}, name
    page.close()


@pytest.mark.parametrize(
    ("place", "turns"),
    [
        (".course-quiz .panel-title", False),
        ("div.cell pre:visible", False),
        ("article h1", True),
        (".course-objectives", True),
    ],
)
def test_an_arrow_key_turns_the_page_unless_a_quiz_or_code_was_clicked(browser, addresses, place, turns):
    page = browser.new_page()
    page.goto(f"{addresses['file']}/book/intro.html")
    page.locator(place).first.click()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(500)
    assert ("intro.html" not in page.url) == turns
    page.close()


def test_an_arrow_key_moves_a_slider_and_not_the_page(browser, addresses):
    page = browser.new_page()
    page.goto(f"{addresses['file']}/book/reparameterization.html")
    slider = page.locator(".vae-lab input[type=range]").first
    slider.focus()
    before = slider.input_value()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(500)
    assert "reparameterization.html" in page.url
    assert slider.input_value() != before
    page.close()


def test_the_dark_theme_turns_the_ink_over(browser, addresses):
    for scheme, turned in [("light", False), ("dark", True)]:
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(f"{addresses['http']}/book/intro.html", wait_until="load")
        filters = page.eval_on_selector_all(".cell_output img", "all => all.map(i => getComputedStyle(i).filter)")
        assert filters
        assert all(("invert" in f) == turned for f in filters)
        context.close()


@pytest.mark.parametrize("name", ["stochastic_nodes", "elbo"])
def test_the_page_works_without_javascript(browser, addresses, name):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{addresses['file']}/book/{name}.html")
    page.locator(".course-quiz details").first.locator("summary").click()
    assert page.locator(".course-quiz details p.verdict").first.is_visible()
    formula = page.locator(".math .katex-html").first
    assert formula.is_visible()
    assert "KaTeX" in formula.evaluate("f => getComputedStyle(f).fontFamily")
    context.close()


@pytest.mark.parametrize("name", SLUGS)
def test_on_paper_nothing_is_folded_and_no_box_is_empty(browser, addresses, name):
    page = browser.new_page(viewport={"width": 700, "height": 1000})
    page.goto(f"{addresses['file']}/{name}.html")
    page.emulate_media(media="print")
    answers = page.locator(".course-quiz details p.verdict")
    assert all(answers.nth(i).is_visible() for i in range(answers.count()))
    empty = page.evaluate(
        """() => [...document.querySelectorAll("article :is(div.cell, .cell_output, figure, details, pre)")]
        .filter(box => box.checkVisibility() && box.getBoundingClientRect().height > 8 && !box.innerText.trim()
                       && !box.querySelector("img, svg"))
        .map(box => box.outerHTML.slice(0, 200))"""
    )
    assert not empty, "\n".join(empty)
    page.close()


@pytest.mark.parametrize("name", SLUGS)
def test_words_in_figures_are_readable_on_a_phone(browser, addresses, name):
    """Eleven pixels or more: in the pictures of matplotlib and in those that are drawn into the page."""
    page = browser.new_page(viewport=PHONE)
    page.goto(f"{addresses['file']}/{name}.html")
    page.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
    small = page.evaluate(
        """async () => {
          const small = [];
          for (const image of document.querySelectorAll("article img[src$='.svg']")) {
            await image.decode();
            const scale = image.getBoundingClientRect().width / image.naturalWidth;
            small.push([image.src, scale]);
          }
          return small;
        }"""
    )
    for source, scale in small:
        text = Path(unquote(urlsplit(source).path)).read_text()
        sizes = [float(size) * 4 / 3 for size in re.findall(r"font(?:-size)?:[^\";]*?([\d.]+)px", text)]
        assert min(sizes, default=99) * scale >= 11, f"{source}: {min(sizes) * scale:.1f} pixels"
    inline = page.eval_on_selector_all(
        ":is(.vae-strip, .vae-model, .vae-graph) text, .vae-lab svg text",
        "all => all.map(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a)",
    )
    assert min(inline, default=99) >= 11
    page.close()


ABOUT = {
    "ELBO": "elbo",
    "evidence lower bound": "elbo",
    "KL divergence": "elbo",
    "reparameterization trick": "reparameterization",
    "computation graph": "computation_graphs",
    "stochastic nodes": "stochastic_nodes",
    "rsample": "stochastic_nodes",
    "posterior collapse": "training",
    "score function": "two_gradients",
    "importance-weighted bound": "how_good",
    "Gumbel-softmax": "beyond_gaussians",
    "gaps": "generation",
    "gradcheck": "computation_graphs",
    "autoencoder": "autoencoders",
    "autoencoders": "autoencoders",
    "latent space": "autoencoders",
    "Colab": "labs",
    "Moodle": "instructors",
    "notation": "notation",
    # the forms of a word
    "interpolation": "generation",
    "interpolate": "generation",
    "reparameterize": "reparameterization",
    "generating": "generation",
    "overfit": "training",
    "pathwise gradients": "two_gradients",
    # what a page introduces, though others say it more often
    "posterior": "elbo",
    "likelihood": "elbo",
    "approximate posterior": "elbo",
    "baseline": "two_gradients",
    "nats": "autoencoders",
    "backpropagation": "computation_graphs",
    "active units": "training",
    # what readers call it, and the page does not
    "REINFORCE": "two_gradients",
    "sampling": "stochastic_nodes",
    "overfitting": "training",
    "chain rule": "computation_graphs",
    "variance reduction": "two_gradients",
    "variational inference": "elbo",
    "regularisation": "elbo",
    "loss function": "elbo",
    "IWAE": "how_good",
    "FID": "generation",
    "debugging": "diagnose",
    "discrete latent variables": "beyond_gaussians",
    "disentanglement": "questions",
    "blurry": "questions",
    "diffusion": "questions",
    "benchmark": "speed",
    "Vietnamese": "notation",
}


def search(page: Page, home: str, words: str) -> list[str]:
    page.goto(f"{home}/search.html?{urlencode({'q': words})}")
    page.wait_for_selector("#search-results p.search-summary", timeout=30_000)
    return page.eval_on_selector_all("#search-results li > a", "all => all.map(a => a.getAttribute('href'))")


def test_the_search_finds_first_the_page_that_is_about_it_and_says_a_few_words_of_it(browser, addresses):
    page = browser.new_page()
    wrong = []
    for words, where in ABOUT.items():
        found = search(page, addresses["file"], words)
        if not found or f"/{where}.html" not in found[0]:
            wrong.append(f"{words}: {found[:3]}")
        snippet = page.locator("#search-results li p.context").first.inner_text()
        assert len(snippet) > 40, words
        assert page.locator("#search-results li mark").count(), words
    assert not wrong, "\n".join(wrong)
    page.close()


def test_the_search_forgives_a_slip_and_names_its_letters_and_shows_no_tex_and_no_code(browser, addresses):
    page = browser.new_page()
    assert "/reparameterization.html" in search(page, addresses["file"], "reparametrisation trik")[0]
    assert search(page, addresses["file"], "sigma")
    for words in ("mu", "gradient", "loss", "use_course_style", "mathcal"):
        search(page, addresses["file"], words)
        text = page.locator("#search-results").inner_text()
        assert "\\" not in text, text
        assert "import " not in text, text
    assert not search(page, addresses["file"], "MultivariateNormal"), "this stands in cells only"
    assert not search(page, addresses["file"], "xqzw")
    assert "Nothing was found" in page.locator("#search-results").inner_text()
    page.close()


def test_the_search_marks_text_and_runs_none(browser, addresses):
    page = browser.new_page()
    search(page, addresses["file"], "<img src=x onerror=document.title='run'> elbo")
    assert page.locator("#search-results img").count() == 0
    assert page.title() != "run"
    page.close()
