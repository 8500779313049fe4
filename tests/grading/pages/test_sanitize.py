"""What a student wrote must do nothing in its reader's browser, through nbconvert as on our own page."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from vae_lab.grading.lab import pasted_pictures
from vae_lab.grading.pages import sanitize
from vae_lab.grading.pages.feedback import prose_html

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 20).decode()

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<details open ontoggle=alert(1)>",
    "<b onmouseover=alert(1)>bold</b>",
    "<b/onclick=alert(1)>",
    "<style>body{display:none}</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=/formgrader><button>",
    "<base href=//evil.example/>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?>",
    "<scr<b>ipt>alert(1)</scr</b>ipt>",
    "<<b>script>alert(1)<</b>/script>",
    "</textarea><script>alert(1)</script>",
    "`<script>alert(1)</script>`",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "    <script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](&#x6a;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "![x](https://evil.example/track.png)",
    "![x][y]\n\n[y]: https://evil.example/track.png",
    "![x](//evil.example/track.png)",
    "![x](attachment:none.png \"onerror=alert(1)\")",
    '![x](attachment:"onerror="alert(1).png)',
    "$\\href{javascript:alert(1)}{x}$",
    "$$\\style{background:url(//evil.example)}{x}$$",
    "$\\require{html}\\class{x}{y}$",
    "\\\\href{javascript:alert(1)}{x}",
    "<details><summary>open</summary><script>alert(1)</script></details>",
    "<br><br/onload=alert(1)>",
    "<",
    "text <",
    "\x00<\x00script>alert(1)</script>",
    "<\u200bscript>",
]  # fmt: skip

HARMLESS_TAGS = set(
    re.findall(
        r"\w+",
        "a b i u s em strong sub sup br hr p ul ol li kbd small details summary code pre blockquote "
        "table thead tbody tr th td h1 h2 h3 h4 h5 h6 img del span div",
    )
)


class Reader(HTMLParser):
    """Lists what is wrong with a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in HARMLESS_TAGS:
            self.wrong.append(f"tag {tag}")
        for name, value in attributes:
            bare = re.sub(r"[\s\x00-\x20\u200b]", "", value or "").lower()
            if name.startswith("on") or name in ("style", "srcdoc", "formaction", "srcset"):
                self.wrong.append(f"attribute {name}")
            if name in ("src", "href") and bare.startswith(("javascript:", "vbscript:", "data:text", "file:")):
                self.wrong.append(f"{name}={value}")
            if name == "src" and not bare.startswith(("data:image/", "attachment:")):
                self.wrong.append(f"{name}={value}")

    def handle_comment(self, data: str) -> None:
        if not data.startswith(" vae-lab:"):
            self.wrong.append("comment")

    handle_decl = handle_pi = unknown_decl = lambda self, data: self.wrong.append("declaration")  # type: ignore[assignment]


def faults(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.wrong


def test_the_reader_can_find_fault() -> None:
    assert faults(markdown2html_mistune(ATTACKS[0])) == ["tag script"]
    assert faults("<img src=x onerror=alert(1)>") == ["src=x", "attribute onerror"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_markdown_is_harmless_in_nbconvert(attack: str) -> None:
    text = sanitize.markdown(attack)
    assert faults(markdown2html_mistune(text)) == []
    assert not re.search(r"\\(href|style|class|require)", text)


@pytest.mark.parametrize("attack", ATTACKS)
def test_markdown_is_harmless_on_our_own_page(attack: str) -> None:
    assert faults(prose_html(attack, {})) == []


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([*ATTACKS, "\n", "\n\n", "`", "```", " ", "- ", "> ", "x", "\\", "*", "[", "](", "|"])))
def test_pieces_of_attacks_in_any_order_are_harmless(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert faults(markdown2html_mistune(sanitize.markdown(text))) == []
    assert faults(prose_html(text, {})) == []


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(alphabet="<>&/!-[]()`\"'= \n\tabscriptonerrorjavhf:#;x1$\\{}\u200b", max_size=80))
def test_any_text_is_harmless(text: str) -> None:
    assert faults(markdown2html_mistune(sanitize.markdown(text))) == []
    assert faults(prose_html(text, {})) == []


@pytest.mark.parametrize(
    "text",
    [
        "# Why\n\nBecause **eps** is a *leaf*; see `z = mu + sigma * eps`.",
        "a < b and b > a, so 1 <2",
        "H<sub>2</sub>O<br>and <b>bold</b>",
        "$\\mu + \\sigma \\cdot \\varepsilon$",
        "[the paper](https://arxiv.org/abs/1312.6114)",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "<!-- vae-lab: sampling/why -->\nanswer",
        "fish &amp; chips",
    ],
)
def test_honest_text_stays_as_it_is(text: str) -> None:
    assert sanitize.markdown(text) == text


def test_a_pasted_picture_stays_and_nothing_else_does() -> None:
    bundle = {
        "drawing.png": {"image/png": PIXEL},
        "page.html": {"text/html": "<script>"},
        "x.svg": {"image/svg+xml": "<svg/>"},
    }
    kept = pasted_pictures.attachments(bundle)
    assert kept == {"drawing.png": {"image/png": PIXEL}}
    text = "![my drawing](attachment:drawing.png)"
    assert sanitize.markdown(text) == text
    assert f'src="data:image/png;base64,{PIXEL}"' in prose_html(text, bundle)
    assert "src=" not in prose_html("![x](attachment:other.png) ![x](data:image/png;base64,AAAA)", bundle)


@pytest.mark.parametrize(
    ("mime", "data"),
    [
        ("image/png", '"><script>alert(1)</script>'),
        ("image/png", base64.b64encode(b"<svg onload=alert(1)>").decode()),
        ("image/svg+xml", base64.b64encode(b"<svg/>").decode()),
        ('image/png" onerror="alert(1)', PIXEL),
        ("image/png", 7),
        ("image/png", None),
        (None, PIXEL),
        ("image/png", "é"),
    ],
)
def test_what_is_no_picture_is_left_out(mime: object, data: object) -> None:
    assert pasted_pictures.picture(mime, data) is None


@pytest.mark.parametrize(
    "found", [None, 3, "x", [], {}, [1], {"a": 1}, {"a": {"image/png": []}}, [{"output_type": 5}], [{}]]
)
def test_outputs_and_attachments_of_any_shape_are_read(found: object) -> None:
    assert sanitize.outputs(found) == []
    assert pasted_pictures.attachments(found) == {}


def test_outputs_keep_text_and_pictures_alone() -> None:
    kept = sanitize.outputs(
        [
            {"output_type": "stream", "name": "stderr", "text": ["a warning\n"]},
            {
                "output_type": "display_data",
                "metadata": {"image/png": {"width": '1" onload="alert(1)'}},
                "data": {"image/png": PIXEL, "text/html": "<script>", "application/javascript": "alert(1)"},
            },
            {"output_type": "execute_result", "data": {"text/html": "<b>", "text/plain": ["4", "2"]}},
            {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["\x1b[31m<script>"]},
        ]
    )
    assert kept == [
        {"output_type": "stream", "name": "stdout", "text": "a warning\n"},
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": PIXEL}},
        {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "42"}},
        {"output_type": "stream", "name": "stdout", "text": "ValueError: no"},
    ]
