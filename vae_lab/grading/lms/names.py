"""What the names in an LMS's zip say: who handed a file in, when, and what the file was called.

Moodle, folders       `Ada Lovelace_12345_assignsubmission_file/sampling.ipynb` (before 4.1 with one more underscore)
Moodle, one folder    `Ada Lovelace_12345_assignsubmission_file_sampling.ipynb`
Moodle, typed text    `Ada Lovelace_12345_assignsubmission_onlinetext/onlinetext.html`
Moodle, blind         `Participant_12345_assignsubmission_file/sampling.ipynb`, in the language of whoever downloads
Moodle, groups        `Group A_17_assignsubmission_file/...`, the group's number; `Default group_assignsubmission_file/`
Canvas                `lovelaceada_12345_67890_sampling-1.ipynb`, late: `lovelaceada_LATE_12345_67890_sampling.ipynb`
Canvas, text or link  `lovelaceada_12345_text.html`, `lovelaceada_12345_link.html`
Canvas, anonymous     `anon_aB3xY_67890_sampling.ipynb`, late: `LATE_anon_aB3xY_67890_sampling.ipynb`

So they are made in Canvas's lib/content_zipper.rb and Moodle's mod/assign/classes/downloader.php. A name is the
student's to choose, in part; the number is not. So a student is known by the number, and the text that a student
controls (the end of a file's name) never decides where a number is looked for.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MOODLE = re.compile(
    r"(?P<name>.+?)(?:_(?P<number>\d{1,18}))?_assignsubmission_(?P<plugin>[a-z]+)(?:_(?P<file>.*))?", re.DOTALL
)
FEEDBACK = re.compile(r"_assignfeedback_")  # what Moodle packs of an earlier marking
BASE58 = "[1-9A-HJ-NP-Za-km-z]"
ENDS = r"(?:(?P<order>\d{1,18})_(?P<file>.+)|(?P<entry>text|link)\.html)"
CANVAS_ANONYMOUS = re.compile(rf"(?:(?P<late>LATE)_)?anon_(?P<anonymous>{BASE58}{{5}})_{ENDS}")
CANVAS = re.compile(
    rf"(?P<name>.+?)_(?:(?P<late>(?i:late))_)?(?P<number>\d{{1,18}})_(?:(?P<late_too>(?i:late))_)?{ENDS}"
)


@dataclass(frozen=True)
class UploadName:
    """What a file name says: `system` is "moodle" or "canvas", `number` the student's number there.

    `number` is 0 where there is none: for an anonymous student of Canvas, whose id is `anonymous`, and for Moodle's
    group of all who are in no group. `order` rises with every upload in Canvas; Moodle has none (0). Moodle's numbers
    are new for each assignment. `file` is "" for what was typed in, or linked to, instead of a file.
    """

    system: str
    name: str
    number: int
    file: str
    late: bool = False
    order: int = 0
    anonymous: str = ""

    @property
    def who(self) -> tuple[str, str]:
        """What tells students of one zip apart: the system, and the number, the anonymous id or, last, the name."""
        return self.system, self.anonymous or (str(self.number) if self.number else letters(self.name))

    @property
    def key(self) -> str:
        """A name for the student's folder that no other student has: letters for people, the number to be sure.

        Example:
            >>> UploadName("moodle", "Đặng Thị Ngân", 12345, "sampling.ipynb").key
            'dang-thi-ngan_12345'
        """
        if self.anonymous:
            return f"anon_{self.anonymous}"
        words = "-".join(re.findall(r"[a-z0-9]+", plain(self.name)))[:60].strip("-")
        return f"{words or self.system}_{self.number}"


def read_name(path: str, *, named: bool = False) -> UploadName | None:
    """Read the name of a file inside an LMS's zip.

    Args:
        path: the name as the zip has it, folders separated by "/". Folders around the LMS's own do not matter.
        named: True if students are known to be named in this zip: then `anon_23456_...` is somebody called anon.

    Returns:
        what it says, or None if neither system names files like that.

    Example:
        >>> read_name("lovelaceada_LATE_12345_67890_sampling-1.ipynb").late
        True
        >>> read_name("LATE_anon_aB3xY_67890_sampling.ipynb").key
        'anon_aB3xY'
        >>> read_name("sampling.ipynb") is None
        True
    """
    parts = [part for part in path.split("/") if part]
    for position, part in enumerate(parts):
        if FEEDBACK.search(part):
            return None
        found = MOODLE.fullmatch(part)
        if found is None:
            continue
        inside = "/".join(parts[position + 1 :]) if position + 1 < len(parts) else found["file"] or ""
        if position + 1 < len(parts) and found["file"]:
            continue  # a folder of the student's that only begins like one of Moodle's
        file = inside if found["plugin"] == "file" else ""
        return UploadName("moodle", found["name"].strip(), int(found["number"] or 0), file)
    last = parts[-1] if parts else ""
    if not named and (found := CANVAS_ANONYMOUS.fullmatch(last)):
        return UploadName("canvas", "", 0, found["file"] or "", *_when(found), anonymous=found["anonymous"])
    if found := CANVAS.fullmatch(last):
        return UploadName("canvas", found["name"], int(found["number"]), found["file"] or "", *_when(found))
    return None


def _when(found: re.Match[str]) -> tuple[bool, int]:
    """Whether a file of Canvas's came late, and its place in the order of uploads."""
    about = found.groupdict()
    return bool(about["late"] or about.get("late_too")), int(about["order"] or 0)


def plain(name: str) -> str:
    """Small letters without accents, so that one person's name is one text in every system.

    Example:
        >>> plain("Nguyễn Đức Ánh, Łukasz")
        'nguyen duc anh, lukasz'
    """
    for special, usual in (
        ("Đ", "D"),
        ("đ", "d"),
        ("ß", "ss"),
        ("Ł", "L"),
        ("ł", "l"),
        ("Ø", "O"),
        ("ø", "o"),
        ("ı", "i"),
    ):
        name = name.replace(special, usual)
    apart = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()


def letters(name: str) -> str:
    """A name reduced to its letters and digits, in any script: what is compared between two systems.

    Example:
        >>> letters("O'Brien, Seán") == letters("obriensean")
        True
    """
    return "".join(letter for letter in plain(name) if letter.isalnum())
