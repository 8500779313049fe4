"""Start a course of one's own: a folder with everything that grading needs, and nothing of the repository's rest."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from vae_lab.grading.course import Course, CourseError, write_atomically
from vae_lab.grading.lab.release import release_notebook
from vae_lab.grading.lab.translation import translated_into
from vae_lab.grading.lms.class_list import COLUMNS
from vae_lab.language import SOURCE

CONFIG = "nbgrader_config.py"
CLASS_LIST = "students.csv"

# Marks, answers and solutions of real people do not belong into a repository by accident.
IGNORED = """\
/submitted/
/autograded/
/feedback/
/report/
*.db
*.db-journal
*.csv
"""

NEXT_STEPS = """\
# {title}

Run these here, in this folder, with `pip install 'vae-lab[grade]'` done. `vae-lab doctor --all` says what is missing.

1. Fill in `students.csv`: one line for each student; only `id`, the login, is a must. Better, give what your LMS
   exports, as it is: Moodle's grading worksheet or Canvas's gradebook. Collecting brings the names into the gradebook,
   the report and the files for your LMS.
2. Give your students `labs/<lab>/<lab>.ipynb`. Keep `solutions/` to yourself.
3. After the deadline download all submissions from your LMS as one zip, then
   `vae-lab collect ZIP LAB --students students.csv`
4. `vae-lab grade LAB`, then open `report/<lab>/index.html`.
5. Read the written answers in formgrader (`jupyter lab`, menu Nbgrader), then `vae-lab grade LAB` again: the marks
   you gave by hand stay, and feedback and report take them in.
6. Send back `feedback/<student>/<lab>/` (`vae-lab send-back ZIP LAB --students students.csv` packs all of them for
   Moodle); the report's folder has the files for your LMS.

Changed a test? Edit `solutions/<lab>/<lab>.ipynb`, then `vae-lab verify LAB` and `vae-lab grade LAB`: all are graded
anew.

The labs here: {labs}.
"""


class Made(NamedTuple):
    """A file of the new course, and whether it was written or was there before and left alone."""

    path: Path
    written: bool


def init_course(target: Path, source: Course) -> list[Made]:
    """Start a course in a folder; what is there already is never touched.

    Args:
        target: the folder; made if it is missing.
        source: the course whose labs are taken.

    Returns:
        each file, with whether it was written.

    Raises:
        CourseError: if there are no labs in `source`, the target is inside one of its labs' folders or is no folder,
            or a lab cannot be released.

    Example:
        `init_course(Path("~/vae-2027").expanduser(), Course(Path()))`
    """
    labs = source.labs()
    course = Course(target)
    if target.resolve() == source.root.resolve():
        raise CourseError(f"{target} is the course that would be copied; name a new folder")
    if target.exists() and not target.is_dir():
        raise CourseError(f"{target} is there and is no folder")
    contents: dict[Path, str] = {}
    for lab in labs:
        text = source.source(lab).read_text(encoding="utf-8")
        contents[course.source(lab)] = text
        try:
            for language in (SOURCE, *translated_into(lab)):
                contents[course.released(lab, language)] = release_notebook(text, lab, language)
        except ValueError as error:
            raise CourseError(f"{lab}: {error}") from error
        if source.bank(lab).is_file():
            contents[course.bank(lab)] = source.bank(lab).read_text(encoding="utf-8")
    config = source.root / CONFIG
    contents[target / CONFIG] = config.read_text(encoding="utf-8") if config.is_file() else ""
    contents[target / CLASS_LIST] = ",".join(COLUMNS) + "\n"
    contents[target / ".gitignore"] = IGNORED
    contents[target / "README.md"] = NEXT_STEPS.format(title=target.resolve().name, labs=", ".join(labs))
    return [Made(path, write_new(path, text)) for path, text in contents.items() if text]


def write_new(path: Path, text: str) -> bool:
    """Write a file where there is none; False, and nothing happens, where there is anything."""
    if path.exists() or path.is_symlink():
        return False
    try:
        write_atomically(path, text)
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror}") from error
    return True
