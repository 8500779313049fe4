"""What may stand in a line of text that a person reads: nothing that moves the cursor or turns the direction."""

from __future__ import annotations

import re

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Text without control characters, lone surrogates and marks that reverse the direction of reading."""
    return CONTROL.sub("\ufffd", text)
