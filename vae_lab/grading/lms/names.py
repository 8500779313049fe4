"""Who handed in what, read from the file names in the zip that Moodle or Canvas makes of an assignment.

Moodle, in folders    `Ada Lovelace_12345_assignsubmission_file_/sampling.ipynb`  (the last underscore may be missing)
Moodle, one folder    `Ada Lovelace_12345_assignsubmission_file_sampling.ipynb`
Canvas                `lovelaceada_12345_67890_sampling-1.ipynb`, late: `lovelaceada_LATE_12345_67890_sampling.ipynb`

A name is the student's to choose, in part; the number is not. So a student is known by the number, and the text that
a student controls (the end of a file's name) never decides where a number is looked for.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MOODLE_FOLDER = re.compile(r"(?P<name>.+)_(?P<number>\d{1,18})_assignsubmission_file_?")
MOODLE_FILE = re.compile(r"(?P<name>.+?)_(?P<number>\d{1,18})_assignsubmission_file_(?P<file>.+)")
MOODLE_OTHER = re.compile(r"_\d+_assignsubmission_(?!file)|_assignfeedback_")  # online text, feedback files
CANVAS = re.compile(
    r"(?P<name>[^_]+)_(?P<late>late_)?(?P<number>\d{1,18})_(?P<late_too>late_)?(?P<order>\d{1,18})_(?P<file>.+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class UploadName:
    """What a file name says: `system` is "moodle" or "canvas", `number` the student's number there.

    `order` rises with every upload in Canvas; Moodle has none (0). Moodle's numbers are new for each assignment.
    """

    system: str
    name: str
    number: int
    file: str
    late: bool = False
    order: int = 0

    @property
    def key(self) -> str:
        """A name for the student's folder that no other student has: letters for people, the number to be sure.

        Example:
            >>> UploadName("moodle", "Đặng Thị Ngân", 12345, "sampling.ipynb").key
            'dang-thi-ngan_12345'
        """
        letters = "-".join(re.findall(r"[a-z0-9]+", plain(self.name)))[:60].strip("-")
        return f"{letters}_{self.number}" if letters else f"{self.system}_{self.number}"


def read_name(path: str) -> UploadName | None:
    """Read the name of a file inside an LMS's zip.

    Args:
        path: the name as the zip has it, folders separated by "/". Folders around the LMS's own do not matter.

    Returns:
        what it says, or None if neither system names files like that.

    Example:
        >>> read_name("lovelaceada_LATE_12345_67890_sampling-1.ipynb").late
        True
        >>> read_name("sampling.ipynb") is None
        True
    """
    parts = [part for part in path.split("/") if part]
    for position, part in enumerate(parts[:-1]):
        if found := MOODLE_FOLDER.fullmatch(part):
            return UploadName("moodle", found["name"].strip(), int(found["number"]), "/".join(parts[position + 1 :]))
        if MOODLE_OTHER.search(part):
            return None
    if not parts:
        return None
    if found := MOODLE_FILE.fullmatch(parts[-1]):
        return UploadName("moodle", found["name"].strip(), int(found["number"]), found["file"])
    if MOODLE_OTHER.search(parts[-1]):
        return None
    if found := CANVAS.fullmatch(parts[-1]):
        late = bool(found["late"] or found["late_too"])
        return UploadName("canvas", found["name"], int(found["number"]), found["file"], late, int(found["order"]))
    return None


def plain(name: str) -> str:
    """Small letters without accents, so that one person's name is one text in every system.

    Example:
        >>> plain("Nguyễn Đức Ánh")
        'nguyen duc anh'
    """
    apart = unicodedata.normalize("NFKD", name.replace("Đ", "D").replace("đ", "d").replace("ß", "ss"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()


def letters(name: str) -> str:
    """A name reduced to its letters and digits, in any script: what is compared between two systems.

    Example:
        >>> letters("O'Brien, Seán") == letters("obriensean")
        True
    """
    return "".join(letter for letter in plain(name) if letter.isalnum())
