"""What may stand in a line of text that a person reads: nothing that moves the cursor or turns the direction."""

from __future__ import annotations

import re

CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # but for the tab and the ends of lines
DIRECTION = r"\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # marks of direction, and of lines and paragraphs
OVERRIDES = r"\ud800-\udfff\u061c\u202a-\u202e\u2066-\u2069"  # those that no language needs, and lone surrogates
REPLACED = re.compile(f"[{CONTROLS}{OVERRIDES}]")
UNSEEN = re.compile(f"[{CONTROLS}{DIRECTION}]")
MOVES_TEXT = re.compile(rf"[\t\n\r{CONTROLS}{DIRECTION}]")


def plain(text: str) -> str:
    """Text without control characters, lone surrogates and marks that reverse the direction of reading."""
    return REPLACED.sub("\ufffd", text)
