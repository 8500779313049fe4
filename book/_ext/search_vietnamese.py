"""Vietnamese search language for Sphinx: finds "đồ thị" for "do thi" and "hóa" for "hoá".

Vietnamese is written in syllables between spaces and has no inflection, so there is nothing to stem and nothing to
split but at what is no letter. What differs is how a word is typed: with all its marks or with none, composed (NFC) or
decomposed (NFD), with the tone on either vowel of a pair (hóa, hoá). A word is therefore indexed and looked up without
marks, and đ as d. No stop words: the marks tell "là" from "lá", but without them a common word may be a rare one.

This file needs nothing of the book and could stand in sphinx/search/vi.py as it is.
"""

from __future__ import annotations

import re
import unicodedata

from sphinx.search import SearchLanguage

JS_SPLITTER = r"""
// Letters that were typed as a vowel and its marks are one letter; all but letters and digits parts words.
var splitQuery = (query) => query.normalize("NFC").match(/[\p{L}\p{N}_]+/gu) || [];
"""
JS_STEMMER = r"""
// A word without its marks: "đồ" and "do" are looked up under "do".
var Stemmer = function () {
  this.stemWord = (word) => word.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replaceAll("đ", "d");
};
"""


class SearchVietnamese(SearchLanguage):
    """Words without marks, no stop words."""

    lang = "vi"
    language_name = "Vietnamese"
    stopwords: set[str] = set()  # noqa: RUF012
    js_splitter_code = JS_SPLITTER
    js_stemmer_code = JS_STEMMER

    _word = re.compile(r"\w+")

    def split(self, input: str) -> list[str]:
        """Return the words of a text; a decomposed letter is one letter.

        Example:
            >>> SearchVietnamese({}).split("đồ thị, 2 nút")
            ['đồ', 'thị', '2', 'nút']
        """
        return self._word.findall(unicodedata.normalize("NFC", input))

    def stem(self, word: str) -> str:
        """Return a word in small letters and without marks.

        Example:
            >>> [SearchVietnamese({}).stem(word) for word in ("Đồ", "hóa", "hoá", "running")]
            ['do', 'hoa', 'hoa', 'running']
        """
        bare = unicodedata.normalize("NFD", word.lower().replace("đ", "d"))
        return "".join(letter for letter in bare if not unicodedata.category(letter).startswith("M"))

    def word_filter(self, word: str) -> bool:
        """Return whether a word is indexed: all are, also those of one letter ("ở", "ý", "z")."""
        return bool(word)
