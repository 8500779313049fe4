"""The class at a glance: one page that needs nothing but itself, and the scores as CSV for Canvas and Moodle."""

from __future__ import annotations

import collections
import itertools
import json
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from vae_lab.grading.course import write_atomically
from vae_lab.grading.marks import Person, Worksheet
from vae_lab.grading.pages import scores_csv, worksheet
from vae_lab.grading.pages.feedback import TEMPLATES, render
from vae_lab.grading.pages.tasks import Outline
from vae_lab.grading.results import SubmissionResult
from vae_lab.language import said, spoken

BINS = 10
WORKSHEET = "moodle-worksheet.csv"
MOST = 100  # rows that the page draws at once
SMALL_CLASS = 300  # students whose rows are all drawn
LARGEST_CLASS = 200_000  # students that a page can hold at all, as data: some 20 MB
NEEDS = re.compile(r"needs (.+), which is not here")


class Bar(NamedTuple):
    """One bar of a chart: what it stands for, how much, and out of how much."""

    label: str
    value: float
    total: float = 1.0


@dataclass(frozen=True)
class ClassReport:
    """What the page shows, computed from results alone.

    Args:
        title: the lab's title.
        lab: its name.
        results: of every student, as they count.
        outlines: the lab's tasks.
        people: names and what the LMS knows, by student.
        worksheet: Moodle's grading worksheet, if it was the class list.
        canvas_head: the lab's column in Canvas's gradebook, if that was the class list.
    """

    title: str
    lab: str
    results: Sequence[SubmissionResult]
    outlines: Sequence[Outline]
    people: Mapping[str, Person]
    worksheet: Worksheet | None = None
    canvas_head: str = ""

    @cached_property
    def files(self) -> dict[str, str]:
        """The files for the LMS, by name."""
        results, people = self.results, self.people
        found = {
            "canvas.csv": scores_csv.canvas(self.lab, self.max_score, results, people, self.canvas_head),
            "moodle.csv": scores_csv.moodle(self.lab, results, people),
        }
        filled = worksheet.filled(self.worksheet, self.max_score, results, people)
        return found | ({WORKSHEET: filled} if filled else {})

    @cached_property
    def lms_notes(self) -> list[str]:
        """What to know before the files for the LMS are imported: whom they leave out, and what was scaled."""
        collected = [person for person in self.people.values() if person.collected]
        canvas = any(person.canvas or person.anonymous for person in collected)
        moodle = any(person.participant for person in collected)
        notes = []
        for file, students in scores_csv.left_out(self.results, self.people).items():
            if students and not (file == "canvas.csv" and moodle) and not (file == "moodle.csv" and canvas):
                shown = ", ".join(students[:5]) + (f" and {len(students) - 5} more" if len(students) > 5 else "")
                notes.append(f"{file} leaves out {len(students)}, whom the LMS would not find by it: {shown}")
        if self.worksheet is not None and (by := worksheet.factor(self.worksheet, self.max_score)) != 1.0:
            notes.append(f"{WORKSHEET}: scores are multiplied by {by:g}, to fit the assignment's maximum in Moodle")
        return notes

    @property
    def scored(self) -> list[SubmissionResult]:
        """Results that have a score."""
        return [result for result in self.results if result.status != "error"]

    @property
    def max_score(self) -> float:
        """Points the lab gives."""
        return float(sum(sum(task.points.values()) for task in self.outlines))

    @property
    def distribution(self) -> list[Bar]:
        """How many students have which score, in ten equal steps; full marks belong to the last."""
        width = (self.max_score or 1.0) / BINS
        counts = collections.Counter(min(BINS - 1, max(0, int(result.score / width + 1e-9))) for result in self.scored)
        return [Bar(f"{width * i:g}-{width * (i + 1):g}", counts[i], len(self.scored)) for i in range(BINS)]

    @property
    def summary(self) -> dict[str, str]:
        """The figures at the top."""
        scores = [result.score for result in self.scored]
        seconds = [result.seconds for result in self.results]
        count = collections.Counter(result.status for result in self.results)
        found = {"handed in": f"{len(self.results)}"}
        if scores:
            found["median score"] = f"{statistics.median(scores):g}"
            found["mean"] = f"{statistics.fmean(scores):.1f}"
        found["wait for a person"] = f"{count['manual']}"
        found["errors"] = f"{count['error']}"
        if seconds:
            found["median seconds"] = f"{statistics.median(seconds):.2f}"
        return found

    @property
    def pass_rates(self) -> list[Bar]:
        """For each test cell, how many passed it."""
        bars = []
        for task in self.outlines:
            for name in () if task.written else task.points:
                passed = sum(bool(cell.passed) for result in self.scored if (cell := result.cells.get(name)))
                bars.append(Bar(name, passed, len(self.scored)))
        return bars

    @property
    def misconceptions(self) -> list[tuple[str, str, int, list[str]]]:
        """The most common messages: (cell, message, how many, some of the students), most common first.

        Left out is what is no attempt: answers not written, and files that could not be read. Messages that differ in
        numbers alone are counted together; the first of them is shown.
        """
        groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
        tests = {name for task in self.outlines if not task.written for name in task.points}
        for result in self.scored:
            attempts = {name: cell for name, cell in result.cells.items() if name in tests}
            if len(attempts) > 1 and len({cell.message for cell in attempts.values()}) == 1:  # nothing could be run
                continue
            for name, cell in attempts.items():
                if cell.passed is False and cell.message and "NotImplementedError" not in cell.message:
                    first = gist(cell.message)
                    groups.setdefault((name, without_numbers(first)), []).append((first, result.student))
        found = [
            (name, members[0][0], len(members), [student for _, student in members[:5]])
            for (name, _), members in groups.items()
        ]
        return sorted(found, key=lambda group: (-group[2], group[0], group[1]))[:15]

    @property
    def flagged(self) -> list[SubmissionResult]:
        """Results that a person should look at."""
        return [result for result in self.results if result.flags]

    @property
    def flag_kinds(self) -> list[tuple[str, int, list[str]]]:
        """What is flagged, without names and numbers: (what, how many students, some of them), most common first."""
        kinds: dict[str, list[str]] = {}
        for result in self.results:
            for kind in {without_numbers(flag.partition(":")[0]) for flag in result.flags}:
                kinds.setdefault(kind, []).append(result.student)
        found = [(kind, len(students), students[:3]) for kind, students in kinds.items()]
        return sorted(found, key=lambda kind: (-kind[1], kind[0]))[:20]

    @property
    def needs(self) -> list[tuple[str, int]]:
        """What this machine lacks for the class's notebooks, and how many submissions need it, most wanted first."""
        wanted = (found[1].split(", ") for result in self.results for flag in result.flags
                  if (found := NEEDS.fullmatch(flag)))  # fmt: skip
        return collections.Counter(itertools.chain.from_iterable(wanted)).most_common()

    @property
    def unread(self) -> int:
        """How many scores are not final."""
        return sum(result.status == "manual" for result in self.results)

    @property
    def errors(self) -> list[SubmissionResult]:
        """Results in which the grader failed."""
        return [result for result in self.results if result.status == "error"]

    @property
    def slowest(self) -> list[SubmissionResult]:
        """The five that took longest."""
        return sorted(self.results, key=lambda result: -result.seconds)[:5]

    @property
    def times(self) -> list[Bar]:
        """How many submissions took how long, on a scale that doubles."""
        edges = [0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, float("inf")]
        bars = []
        for low, high in itertools.pairwise(edges):
            count = sum(low <= result.seconds < high for result in self.results)
            bars.append(Bar(f"< {high:g} s" if high < 1e9 else f"≥ {low:g} s", count, len(self.results)))
        while len(bars) > 1 and bars[-1].value == 0:
            bars.pop()
        return bars

    @property
    def test_names(self) -> list[str]:
        """All graded cells in order."""
        return [name for task in self.outlines for name in task.points]

    @property
    def people_named(self) -> bool:
        """Whether the gradebook knows anybody's name."""
        return any(self.name(result.student) for result in self.results)

    def name(self, student: str) -> str:
        """A student's full name, or ""."""
        person = self.people.get(student, Person())
        return " ".join(part for part in (person.first, person.last) if part)


def gist(message: str) -> str:
    r"""The line that names the mistake, if a message has one, else its first line.

    Example:
        >>> gist("sigma is wrong.\nLikely mistake: that is the variance.\nRead next: a page.")
        'that is the variance.'
    """
    named = re.search(r"^Likely mistake: *(.+)$", message, re.MULTILINE)
    return (named[1] if named else message.strip().split("\n")[0])[:400]


def without_numbers(message: str) -> str:
    """A message with its numbers blotted out, to count those together that differ in them alone.

    Example:
        >>> without_numbers("the spread is 1.31, not 0.5e-3")
        'the spread is #, not #'
    """
    return re.sub(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?", "#", message)


def with_copies(results: Iterable[SubmissionResult], copies: Mapping[str, str]) -> list[SubmissionResult]:
    """Flag students whose own words are the same as another's, letter by letter.

    Args:
        results: of the whole class.
        copies: for each student the digest of their own words, "" where there are too few to tell.
    """
    groups: dict[str, list[str]] = {}
    for student, words in copies.items():
        if words:
            groups.setdefault(words, []).append(student)
    flagged = []
    for result in results:
        group = groups.get(copies.get(result.student, ""), [])
        others = [student for student in group[:4] if student != result.student][:3]
        more = len(group) - 1 - len(others)
        shown = ", ".join(others) + (f" and {more} more" if more > 0 else "")
        flags = (*result.flags, f"identical answers: {shown}") if others else result.flags
        flagged.append(replace(result, flags=flags))
    return flagged


def write_report(report: ClassReport, folder: Path) -> Path:
    """Write `<folder>/<lab>/index.html` with both CSV files, and the same page as `<folder>/index.html`; returns that.

    In it are names, scores, flags and the beginnings of messages; nothing is requested from elsewhere.
    """
    own = folder / report.lab
    for name, text in report.files.items():
        write_atomically(own / name, text)
    write_atomically(own / "index.html", html(report, files="", up="../../"))
    write_atomically(folder / "index.html", html(report, files=f"{report.lab}/", up="../"))
    return folder / "index.html"


def html(report: ClassReport, files: str, up: str) -> str:
    """The page, in the language that is spoken here; names, grade_ids and what a student wrote stay as they are.

    Args:
        report: what to show.
        files: where the CSV files are, seen from the page.
        up: where `feedback/` is, seen from the page.
    """
    script = (TEMPLATES / "sort.js").read_text(encoding="utf-8")
    large = len(report.results) > SMALL_CLASS
    data = as_data(report, f"{up}feedback/{{}}/{report.lab}/{report.lab}.html") if large else ""
    shown = report.results[:MOST] if large else report.results
    values = {"report": report, "files": files, "up": up, "data": data, "shown": shown, "most": MOST}
    return render("report.html", spoken(), script, **values)


def as_data(report: ClassReport, link: str) -> str:
    """Everybody as JSON that is safe inside a page's script element; "" for a class too large for any page.

    A row: `s` the student, `n` the name if one is known, `p` the score, `t` the status, `c` the points of each test
    cell (null where there is none, negative or -0 while it waits), `x` seconds, `f` flags if there are any.

    Args:
        report: what to show.
        link: a student's feedback page, with {} for the student.
    """
    if len(report.results) > LARGEST_CLASS:
        return ""
    names = report.test_names
    most = {name: points for task in report.outlines for name, points in task.points.items()}
    rows = []
    for result in report.results:
        row: dict[str, object] = {"s": result.student}
        if name := report.name(result.student):
            row["n"] = name
        found = [result.cells.get(each) for each in names]
        points = [
            None if cell is None else -short(cell.points) if cell.passed is None else short(cell.points)
            for cell in found
        ]
        row |= {"p": short(result.score), "t": said(result.status), "c": points, "x": round(result.seconds, 2)}
        if result.flags:
            row["f"] = "; ".join(map(said, result.flags))[:500]
        rows.append(row)
    plain = {"rows": rows, "most": [most[name] for name in names], "link": link, "size": MOST}
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def short(points: float) -> float:
    """Points as few digits; a float, so that what waits can be -0."""
    return round(float(points), 2)


def write_json(results: Iterable[SubmissionResult], path: Path) -> None:
    """Write one JSON object per submission, in alphabetical order of the students.

    A file whose name ends in `.json` is one JSON array; any other, such as `.jsonl`, has an object on each line.
    """
    objects = [json.dumps(result.to_json(), ensure_ascii=False) for result in sorted(results, key=lambda r: r.student)]
    if path.suffix.lower() == ".json":
        write_atomically(path, "[" + ",\n ".join(objects) + "]\n")
    else:
        write_atomically(path, "".join(line + "\n" for line in objects))
