"""Shards made into one class: each result is written once, as if it had been graded here.

Two results for the same notebook that say the same are one. Two that differ are told, and the first is kept: which is
right is for a person to find out, with `vae-lab appeal`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from vae_lab.grading.classroom.grade import Tally, depends_on, finish, note_judge
from vae_lab.grading.classroom.judged_by import difference, judged_by
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.classroom.shard import ShardHead, ShardResult, read_shard
from vae_lab.grading.classroom.submissions import find_students, read_submitted_file
from vae_lab.grading.classroom.writer import Writer, is_due
from vae_lab.grading.course import CourseError
from vae_lab.grading.results import SubmissionResult


@dataclass
class Merged:
    """What merging found.

    Args:
        tally: as of grading, of those who have a result.
        missing: students who handed in and have no result that fits.
        differing: a line for each notebook with two results.
        notes: other things to know.
    """

    tally: Tally
    missing: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def merge(
    room: Classroom,
    submitted: Path,
    folders: Iterable[Path],
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Merged:
    """Write down what the shards under some folders say, and bring gradebook, `autograded/` and `feedback/` up to date.

    Nothing is written before all shards have been held against the lab, the grader here, and each other.

    Args:
        room: the lab and where results go.
        submitted: the submissions that were graded; feedback is made from them.
        folders: where shards were written (their `--out`); of two results that differ the first folder's is kept.
        progress: called with the number of shards read and of all.

    Raises:
        CourseError: if there are no shards, or some were graded with another lab, grader or limit than others.
    """
    started = time.monotonic()
    lab, _ = room.lab, room.released
    folders = list(folders)
    paths = [path for folder in folders for path in sorted((folder / "shards" / room.name).glob("*.jsonl"))]
    paths = list({path.resolve(): path for path in paths}.values())
    if not paths:
        places = ", ".join(f"{folder}/shards/{room.name}" for folder in folders)
        raise CourseError(f"there are no shards of {room.name} to merge: no .jsonl file in {places}")
    heads = {path: read_shard(path, lab)[0] for path in paths}
    first = agreed(heads)
    found = find_students(submitted, room.name)
    depends = depends_on(room, first.limits, first.sandbox)
    merged = Merged(Tally(), notes=list(found.notes))
    judge = note_judge(room, first.judge)
    with room.book() as book:
        writer = Writer(room, submitted, book, room.records.read())
        here = set(found.students)
        files = ((student, read_submitted_file(submitted, student, room.name)) for student in here)
        due = {student for student, file in files if is_due(writer.records.get(student), file, depends)}
        settled = dict.fromkeys(here - due, "what is here already")
        stale: set[str] = set()
        failed: set[str] = set()
        try:
            for number, path in enumerate(paths):
                progress(number, len(paths))
                for line in newest(read_shard(path, lab)[1]):
                    student = line.result.student
                    if student not in here:
                        continue
                    if student in settled:
                        merged.differing += told(writer, line, settled[student], path)
                        continue
                    writer.expect(student, depends)
                    if writer.expected[student][1] != line.key:
                        del writer.expected[student]
                        stale.add(student)
                    elif line.result.status != "error":
                        writer.take(line.result, judge)
                        settled[student] = path.name
                    elif student not in failed:
                        writer.take(line.result, judge)
                        failed.add(student)
            progress(len(paths), len(paths))
        finally:
            writer.flush()
        having = [student for student in found.students if student in writer.records]
        merged.missing = [student for student in found.students if student not in settled and student not in failed]
        merged.notes += unmerged(heads, stale - settled.keys())
        merged.tally = finish(room, submitted, having, writer)
    merged.tally.seconds = time.monotonic() - started
    return merged


def newest(lines: Iterable[ShardResult]) -> list[ShardResult]:
    """Of each student the last line of a shard: a file only grows, and a changed notebook is graded again."""
    return list({line.result.student: line for line in lines}.values())


def agreed(heads: dict[Path, ShardHead]) -> ShardHead:
    """What all shards have in common, held against this machine.

    Raises:
        CourseError: with the difference named, if there is one.
    """
    (path, first), *others = heads.items()
    for other, head in others:
        same = (head.lab_digest, head.limits, head.sandbox) == (first.lab_digest, first.limits, first.sandbox)
        if not same or head.judge != first.judge:
            what = difference(first.judge, head.judge) or "limits or sandbox differ"
            raise CourseError(f"{other} and {path} do not go together: {what} (here is {path.name})")
    mine = {name: value for name, value in judged_by(first.sandbox).items() if name != "probe"}
    theirs = {name: value for name, value in first.judge.items() if name != "probe"}
    if what := difference(mine, theirs):
        raise CourseError(f"{path} was not graded by what is installed here: {what}")
    return first


def told(writer: Writer, line: ShardResult, where: str, path: Path) -> list[str]:
    """A line if a shard gives another result for the same notebook than the one that stands."""
    kept = writer.records[line.result.student]
    if kept.key != line.key or line.result.status == "error" or alike(kept.result, line.result):
        return []
    scores = (kept.result.score, line.result.score)
    points = f"{scores[0]:g} and {scores[1]:g} points" if scores[0] != scores[1] else "the same points, other messages"
    return [f"{line.result.student}: two results for the same notebook, {points}: kept is {where}, not {path.name}"]


def alike(one: SubmissionResult, other: SubmissionResult) -> bool:
    """Whether two results say the same, but for what is measured in time and memory."""
    return replace(one, seconds=0.0, resources={}) == replace(other, seconds=0.0, resources={})


def unmerged(heads: dict[Path, ShardHead], stale: set[str]) -> list[str]:
    """What to know of shards that are not there, and of notebooks that have changed since."""
    notes = []
    for of in sorted({head.share.of for head in heads.values()}):
        there = {head.share.number for head in heads.values() if head.share.of == of}
        if absent := [str(number) for number in range(1, of + 1) if number not in there]:
            more = f" and {len(absent) - 10} more" if len(absent) > 10 else ""
            notes.append(f"{len(absent)} of {of} shards are not here: {', '.join(absent[:10])}{more}")
    if stale:
        notes.append(f"{len(stale)} notebooks have changed since their shard was graded, e.g. {min(stale)}")
    return notes
