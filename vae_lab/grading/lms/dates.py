"""When something was handed in: as Moodle's worksheet writes it, and as the entries of its zip do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

STAMPED_WITHIN = timedelta(minutes=10)
# What has a year and a clock: no name, no mark, no answer.
_DAY_AND_CLOCK = re.compile(r"(?=.*\d{4})(?=.*\d[:.]\d\d).{10,80}", re.DOTALL)


def read_date(text: str) -> datetime | None:
    """A time as Moodle's worksheet has it, in any language, as this machine's time zone; None if it is none.

    >>> read_date("Friday, 20 November 2026, 11:59 PM").strftime("%d.%m. %H:%M")
    '20.11. 23:59'
    >>> read_date("Thứ Sáu, 20 tháng 11 2026, 11:59 PM").strftime("%d.%m. %H:%M")
    '20.11. 23:59'
    >>> read_date("-") is None
    True
    """
    text = text.replace("\u202f", " ").strip()
    if not _DAY_AND_CLOCK.fullmatch(text):
        return None
    import dateparser  # knows months in 200 languages; 0.3 s to load

    found = dateparser.parse(text, settings={"STRICT_PARSING": True, "DATE_ORDER": "DMY"})
    return found.astimezone() if found else None


def unreadable_time(cells: Iterable[str]) -> str | None:
    """A cell that looks like a time and is none that can be read, so that nobody takes the zip's time unsaid."""
    return next((cell for cell in cells if _DAY_AND_CLOCK.fullmatch(cell.strip()) and read_date(cell) is None), None)


def submitted_at(cells: Iterable[str]) -> datetime | None:
    """The first time in a worksheet's line: when the submission was last changed; the mark's comes after it."""
    return next((when for cell in cells if (when := read_date(cell)) is not None), None)


def all_at_once(times: Iterable[datetime]) -> bool:
    """Whether several students' times lie within minutes, as if a download and no hand-in had been stamped on them."""
    known = sorted(times)
    return len(known) > 1 and known[-1] - known[0] <= STAMPED_WITHIN
