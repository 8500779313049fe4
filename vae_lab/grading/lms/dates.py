"""When something was handed in: as Moodle's worksheet writes it, and as the entries of its zip do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

FORMATS = (
    "%d %B %Y, %I:%M %p", "%d %B %Y, %H:%M", "%d %b %Y, %H:%M", "%B %d, %Y, %I:%M %p", "%Y-%m-%d %H:%M",
    "%d/%m/%Y, %H:%M", "%d.%m.%Y, %H:%M",
)  # fmt: skip
STAMPED_WITHIN = timedelta(minutes=10)


def read_date(text: str) -> datetime | None:
    """A time as Moodle's worksheet has it, in this machine's time zone; None if it is none that is known here.

    >>> read_date("Friday, 20 November 2026, 11:59 PM").strftime("%d.%m. %H:%M")
    '20.11. 23:59'
    >>> read_date("-") is None
    True
    """
    text = re.sub(r"^[^\W\d]+,\s*", "", text.replace("\u202f", " ").strip())  # the day of the week
    for form in FORMATS:
        try:
            return datetime.strptime(text, form).astimezone()
        except ValueError:
            continue
    return None


def submitted_at(cells: Iterable[str]) -> datetime | None:
    """The first time in a worksheet's line: when the submission was last changed; the mark's comes after it."""
    return next((when for cell in cells if (when := read_date(cell)) is not None), None)


def all_at_once(times: Iterable[datetime]) -> bool:
    """Whether several students' times lie within minutes, as if a download and no hand-in had been stamped on them."""
    known = sorted(times)
    return len(known) > 1 and known[-1] - known[0] <= STAMPED_WITHIN
