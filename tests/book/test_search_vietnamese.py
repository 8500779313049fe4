"""The search language for Vietnamese: what is typed with marks, without, composed or not, finds the same."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata

import pytest
import quickjs
from book.sources import ROOT

from book._ext.search_vietnamese import SearchVietnamese

TYPED = {
    "đồ thị": "do thi",
    "hóa": "hoa",
    "hoá": "hoa",
    "Đạo hàm": "dao ham",
    "phương sai": "phuong sai",
    "lấy mẫu": "lay mau",
    "nhiễu": "nhieu",
    "tiềm ẩn": "tiem an",
    "kỳ vọng": "ky vong",
    "độ lệch chuẩn": "do lech chuan",
    "huấn luyện": "huan luyen",
    "running": "running",
    "to be in": "to be in",
}
SETTINGS = f"""
import sys
sys.path.insert(0, {str(ROOT / "book" / "_ext")!r})
from search_vietnamese import SearchVietnamese

language = "vi"
def setup(app):
    app.add_search_language(SearchVietnamese)
"""


def looked_up(text: str) -> list[str]:
    language = SearchVietnamese({})
    return [language.stem(word) for word in language.split(text)]


@pytest.mark.parametrize("text", TYPED)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_word_is_found_with_its_marks_and_without(text, form):
    assert looked_up(unicodedata.normalize(form, text)) == TYPED[text].split()


def test_python_and_javascript_agree():
    engine = quickjs.Context()
    engine.eval(SearchVietnamese.js_splitter_code + SearchVietnamese.js_stemmer_code)
    look = engine.eval("(text) => JSON.stringify(splitQuery(text).map(new Stemmer().stemWord))")
    letters = "".join(chr(code) for code in range(0xC0, 0x1EFA) if chr(code).isalpha() and code not in (0x130, 0x3A3))
    for text in [*TYPED, *(unicodedata.normalize("NFD", text) for text in TYPED), letters[:200], "x1 β-VAE, 2.5"]:
        assert json.loads(look(text)) == looked_up(text), text


def test_a_book_of_sphinx_is_indexed_so(tmp_path):
    (tmp_path / "conf.py").write_text(SETTINGS)
    (tmp_path / "index.rst").write_text("Đồ thị\n======\n\nTo be or not to be: running in a hóa.\n")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(tmp_path), str(tmp_path / "html")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    index = json.loads(re.search(r"Search\.setIndex\((.*)\)", (tmp_path / "html" / "searchindex.js").read_text())[1])
    assert {"do", "thi"} <= set(index["titleterms"])
    assert {"to", "be", "running", "in", "hoa"} <= set(index["terms"]), "no stop words, and nothing is stemmed"
    script = (tmp_path / "html" / "_static" / "language_data.js").read_text()
    assert "var Stemmer" in script
    assert "splitQuery" in script
