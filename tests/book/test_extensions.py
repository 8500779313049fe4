"""The book's own extensions, each alone: formulas, the text that a search reads, tables on a phone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from types import SimpleNamespace

import pytest
from book.sources import ROOT, toc_pages
from bs4 import BeautifulSoup

sys.path.insert(0, str(ROOT / "book" / "_ext"))

import formulas
import page_search

SETTINGS = f"""
import sys
sys.path.insert(0, {str(ROOT / "book/_ext")!r})
extensions = ["myst_parser", "formulas", "stacked_tables"]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
html_math_renderer = "katex"
root_doc = "page"
"""


def built(folder, text, *options):
    (folder / "conf.py").write_text(SETTINGS)
    (folder / "page.md").write_text(text)
    command = [sys.executable, "-m", "sphinx", "-q", *options, "-b", "html", str(folder), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done, BeautifulSoup((folder / "html" / "page.html").read_text(), "html.parser")


def test_a_formula_is_drawn_with_mathml_and_without_its_tex():
    html = formulas.drawn(r"\sigma^2 = e^{\text{logvar}}", False)
    page = BeautifulSoup(html, "html.parser")
    assert page.math.get_text() == "σ2=elogvar"
    assert "\\" not in html


@pytest.mark.parametrize(
    "tex",
    [r"a = b \\ c = d", "a = b\n\nc = d", r"a &= b \\ &= c" + "\n\n" + "d", r"\frac12"],
)
def test_several_lines_and_several_formulas_are_one(tex):
    assert "katex-display" in formulas.drawn(formulas.as_one(tex, False), True)


def test_formulas_of_every_kind_are_drawn_in_a_page_and_one_with_an_error_fails_the_build(tmp_path):
    text = "# A $z$\n\nIn $x$, inline.\n\n$$\na\n$$ (eq-a)\n\n\\begin{align}\na &= b \\\\ c &= d\n\\end{align}\n"
    done, page = built(tmp_path, text, "-W")
    assert done.returncode == 0, done.stderr
    assert all(place.select_one(".katex-html") for place in page.select(".math"))
    assert page.select_one(".eqno").get_text().startswith("(1)")
    assert page.select_one(".one-piece").get_text().endswith(","), "the comma stays with its formula"
    assert not page.find("script", src=lambda source: source and "katex" in source)
    done, _ = built(tmp_path, "# A page\n\n$\\frac{$\n", "-W")
    assert done.returncode != 0
    assert "formula" in done.stderr


def test_a_table_of_three_columns_names_its_cells_and_one_of_two_does_not(tmp_path):
    row = "| {} |\n"
    wide = row.format("a | b | c") + row.format("- | - | -") + row.format("1 | `two` | ") + row.format("4 | 5 | 6")
    narrow = row.format("a | b") + row.format("- | -") + row.format("1 | 2")
    done, page = built(tmp_path, f"# A page\n\n{wide}\n\n{narrow}\n", "-W")
    assert done.returncode == 0, done.stderr
    first, second = page.find_all("table")
    assert [cell.get_text(strip=True) for cell in first.select("td")] == ["1", "btwo", "", "4", "b5", "c6"]
    assert not second.select(".column")


def test_the_name_of_a_column_may_be_a_formula(tmp_path):
    text = "# A page\n\n| a | $\\mu$ of b | c |\n| - | - | - |\n| 1 | 2 | 3 |\n"
    done, page = built(tmp_path, text, "-W")
    assert done.returncode == 0, done.stderr
    name = page.select("td")[1].select_one(".column")
    assert name.select_one(".katex-html")
    assert "\\" not in name.get_text()


def test_the_search_reads_prose_and_formulas_and_no_code():
    drawn = formulas.drawn("z = \\mu", False)
    page = f"""<article><section id="top"><h1>The ELBO<a class="headerlink">#</a></h1>
      <p>A <em>bound</em>, and <code>rsample</code> with {drawn}.</p>
      <div class="cell"><div class="cell_input"><pre>import torch</pre></div>
        <div class="cell_output"><pre>1.23</pre><figure><figcaption><p>A caption.</p></figcaption></figure></div></div>
      <section id="inner"><h2>Inside</h2><ul><li>one</li><li>two</li></ul></section></section></article>"""
    assert page_search.sections(page) == [
        {"id": "top", "heading": "The ELBO", "text": "A bound, and rsample with z=μ. A caption."},
        {"id": "inner", "heading": "Inside", "text": "one two"},
    ]


def test_the_search_knows_the_terms_of_a_page_and_the_other_words_that_it_names(tmp_path):
    (tmp_path / "_static").mkdir()
    html = "<article><section id='t'><h1>T</h1><p>The <strong>posterior</strong>.</p></section></article>"
    (tmp_path / "page.html").write_text(html)
    builder = SimpleNamespace(
        format="html",
        name="html",
        get_outfilename=lambda name: str(tmp_path / f"{name}.html"),
        get_target_uri=lambda name: f"{name}.html",
    )
    metadata = defaultdict(dict, page={"search_words": "overfitting, FID"})
    env = SimpleNamespace(found_docs={"page", "not_built"}, metadata=metadata)
    config = SimpleNamespace(language="en")
    page_search._write(SimpleNamespace(builder=builder, env=env, outdir=tmp_path, config=config), None)
    written = (tmp_path / "_static" / "search-data.js").read_text()
    (page,) = json.loads(written.removeprefix("globalThis.searchPages = ").removesuffix(";\n"))
    assert page["terms"] == ["posterior"]
    assert page["words"] == ["overfitting", "FID"]


def test_a_term_is_what_stands_in_bold_type_or_heads_an_entry_of_the_glossary():
    page = """<article><p><strong>ELBO</strong>, <strong>ELBO</strong></p>
      <dl class="glossary"><dt>Prior</dt><dd>p</dd></dl>
      <div class="course-next"><strong>Next:</strong></div></article>"""
    assert page_search.introduced(page) == ["ELBO", "Prior"]
    assert page_search.introduced("<html></html>") == []


@pytest.mark.parametrize("page", toc_pages(), ids=lambda page: page.stem)
def test_the_other_words_of_a_page_are_a_list_in_one_line(page):
    named = re.findall(r"^search_words:(.*)$", page.read_text(), re.MULTILINE)
    words = page_search.other_words({"search_words": named[0]}) if named else []
    assert len(named) <= 1
    assert len(set(words)) == len(words)
    assert all(re.fullmatch(r"[\w -]{2,40}", word) for word in words), words


def test_a_page_without_an_article_has_no_sections():
    assert page_search.sections("<html></html>") == []
