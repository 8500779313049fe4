"""The pictures in a student's text: which of them can be shown to a person, and which cannot."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from vae_lab.grading.lab.plain_text import plain

PICTURES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
}
LARGEST_PICTURE = 2 * 2**20  # bytes
SHOWS = re.compile(r"!\[[^\]\n]*\]\(\s*<?([^)\s>]+)|<img\b[^>]*?\bsrc\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)


def picture(mime: Any, data: Any) -> str | None:
    """A picture's base64 text, re-encoded, if it is a PNG, JPEG or GIF of sensible size; else None.

    Example:
        >>> picture("image/png", "iVBORw0KGgo=")
        'iVBORw0KGgo='
        >>> picture("image/png", '"><script>') is None
        True
    """
    if isinstance(data, list):
        data = "".join(part for part in data if isinstance(part, str))
    if not isinstance(mime, str) or not isinstance(data, str) or len(data) > 2 * LARGEST_PICTURE:
        return None
    try:
        decoded = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    begins = PICTURES.get(mime)
    if begins is None or not decoded.startswith(begins) or len(decoded) > LARGEST_PICTURE:
        return None
    return base64.b64encode(decoded).decode()


def attachments(found: Any) -> dict[str, dict[str, str]]:
    """The pictures pasted into a Markdown cell, those that are pictures."""
    kept: dict[str, dict[str, str]] = {}
    if isinstance(found, Mapping):
        for name, bundle in list(found.items())[:20]:
            if (
                not isinstance(name, str)
                or not re.fullmatch(r"[\w .-]{1,100}", name)
                or not isinstance(bundle, Mapping)
            ):
                continue
            for mime, data in bundle.items():
                if (good := picture(mime, data)) is not None:
                    kept[name] = {mime: good}
                    break
    return kept


def unshown(source: str, found: Any) -> list[str]:
    """The pictures that a text refers to, or that were pasted into it, and that no page here can show.

    Example:
        >>> unshown("![a](attachment:IMG_1.HEIC) ![b](photo.jpg)", {"IMG_1.HEIC": {"image/heic": "AAAA"}})
        ['IMG_1.HEIC', 'photo.jpg']
    """
    good = attachments(found)
    pasted = [name for name in found if isinstance(name, str)] if isinstance(found, Mapping) else []
    wanted = [first or second for first, second in SHOWS.findall(source)]
    names = [name.removeprefix("attachment:") for name in (*pasted, *wanted)]
    return list(dict.fromkeys(plain(name)[:80] for name in names if name not in good))[:20]
