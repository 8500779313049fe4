"""Take everything active out of what a student wrote, for pages that an instructor or another student will open.

nbconvert shows Markdown with raw HTML in it, and formgrader shows it inside a logged-in Jupyter. So a tag, an entity or
a remote picture in a student's text is made to appear as the characters it consists of: a zero-width space goes where a
parser would have to see none. That holds for any Markdown dialect, inside code spans and outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from vae_lab.grading.lab.pasted_pictures import PICTURES, picture
from vae_lab.grading.lab.plain_text import plain

GAP = "\u200b"

# Tags that can do nothing but shape text, and our own anchor comments.
PLAIN_TAG = re.compile(
    r"</?(?:b|i|u|s|em|strong|sub|sup|br|hr|p|ul|ol|li|kbd|small|details|summary)\s?/?>"
    r"|<!-- vae-lab: [\w-]{1,60}/[\w-]{1,60} -->"
)
OPENS_TAG = re.compile(r"<(?=[A-Za-z/!?])")
ENTITY = re.compile(r"&(?=#|[A-Za-z])(?!(?:amp|lt|gt|nbsp);)")
REMOTE_IMAGE = re.compile(r"!(?=\[)(?!\[[^\[\]]{0,200}\]\(attachment:[\w .-]{1,100}\))")
ACTIVE_SCHEME = re.compile(r"(?i)(?=script\s*:)|(?<=dat)(?=a\s*:)|(?<=fil)(?=e\s*:)")
# MathJax commands that make links, set styles or load extensions
ACTIVE_MATH = re.compile(r"\\(?=href|style|class|cssId|require|html|data|url|includegraphics|bbox|mmlToken)")

LONGEST = 100_000  # characters of one cell that are shown


def markdown(text: str) -> str:
    """A student's Markdown in which no tag, entity, remote picture or active link is left.

    Example:
        >>> markdown("so <b>simple</b>") == "so <b>simple</b>"
        True
        >>> "<script" in markdown("<script>alert(1)</script>")
        False
        >>> "](javascript:" in markdown("[click](javascript:alert(1))")
        False
    """
    pieces, start = [], 0
    text = plain(text)
    for allowed in PLAIN_TAG.finditer(text):
        pieces += [_defused(text[start : allowed.start()]), allowed.group()]
        start = allowed.end()
    return "".join([*pieces, _defused(text[start:])])


def _defused(text: str) -> str:
    text = OPENS_TAG.sub("<" + GAP, text)
    text = ENTITY.sub("&" + GAP, text)
    text = REMOTE_IMAGE.sub("!" + GAP, text)
    text = ACTIVE_SCHEME.sub(GAP, text)
    text = ACTIVE_MATH.sub(lambda match: "\\" + GAP, text)
    return text[:-1] + "<" + GAP if text.endswith("<") else text


def outputs(found: Any, *, most: int = 20, longest: int = 10_000) -> list[dict[str, Any]]:
    """What a code cell printed and drew, as the student saved it: text and pictures alone."""
    kept: list[dict[str, Any]] = []
    for output in (found if isinstance(found, list) else [])[:most]:
        if not isinstance(output, Mapping):
            continue
        kind, data = output.get("output_type"), output.get("data")
        if kind == "stream":
            kept.append({"output_type": "stream", "name": "stdout", "text": _joined(output.get("text"), longest)})
        elif kind in ("display_data", "execute_result") and isinstance(data, Mapping):
            bundle = {mime: good for mime in PICTURES if (good := picture(mime, data.get(mime))) is not None}
            bundle = dict(list(bundle.items())[:1])
            if "text/plain" in data:
                bundle["text/plain"] = _joined(data["text/plain"], longest)
            if bundle:
                kept.append({"output_type": "display_data", "metadata": {}, "data": bundle})
        elif kind == "error":
            line = f"{_joined(output.get('ename'), 200)}: {_joined(output.get('evalue'), 2000)}"
            kept.append({"output_type": "stream", "name": "stdout", "text": line})
    return kept


def _joined(text: Any, longest: int) -> str:
    """Text that a notebook may hold as a list of lines, shortened."""
    parts: Iterable[Any] = text if isinstance(text, list) else [text]
    whole = plain("".join(part for part in parts if isinstance(part, str)))
    return whole if len(whole) <= longest else whole[:longest] + "\n... (shortened)"
