"""A class graded in shards and merged is the class graded here; whatever is cut short or does not fit is told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.grading.classes import WRONG, InThisProcess, a_class, hand_in, left_behind, make_room, submitted
from vae_lab.cli import main
from vae_lab.grading.classroom import shard as module
from vae_lab.grading.classroom.grade import grade_class
from vae_lab.grading.classroom.merge import Merged, merge
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.classroom.shard import ShardTally, grade_shard, shard_file
from vae_lab.grading.course import CourseError
from vae_lab.grading.executors import shards
from vae_lab.grading.executors.shards import Lines, Share, checked, read_lines
from vae_lab.grading.limits import Limits


def graded(room: Classroom, number: int, of: int = 3, place: InThisProcess | None = None) -> ShardTally:
    fresh = Classroom(room.course, room.name, room.out)
    return grade_shard(fresh, submitted(room), Share(number, of), place=place or InThisProcess())


def merged(room: Classroom, *folders: Path) -> Merged:
    fresh = Classroom(room.course, room.name, room.out)
    return merge(fresh, submitted(room), folders or [room.out])


def serial(tmp_path: Path) -> Classroom:
    room = make_room(tmp_path, "serial")
    grade_class(room, submitted(room), place=InThisProcess())
    return room


def test_shards_merged_are_the_class_graded_here(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    a_class(room, 14)
    for number in (3, 1, 2):
        graded(room, number)
    found = merged(room)
    assert (found.missing, found.differing, found.notes) == ([], [], [])
    assert left_behind(room) == left_behind(serial(tmp_path))


def test_each_name_is_in_one_share_and_shares_are_about_even() -> None:
    names = [f"s{number}" for number in range(4000)]
    held = [sum(Share(number, 8).holds(name) for name in names) for number in range(1, 9)]
    assert sum(held) == 4000
    assert all(abs(count - 500) < 5 * 500**0.5 for count in held)


def test_a_shard_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    a_class(room, 12)
    first, second = InThisProcess(), InThisProcess()
    first.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        graded(room, 1, of=1, place=first)
    path = shard_file(room.out, "halves", Share(1, 1))
    path.write_bytes(path.read_bytes() + path.read_bytes()[:300])  # and its last line was cut short
    graded(room, 1, of=1, place=second)
    assert not set(first.asked) & set(second.asked)
    merged(room)
    assert left_behind(room) == left_behind(serial(tmp_path))


@pytest.mark.parametrize("cut", [1, 40, 700, -1, -30])
def test_a_file_cut_anywhere_is_mended(tmp_path: Path, cut: int) -> None:
    room = make_room(tmp_path)
    a_class(room, 7)
    graded(room, 1, of=1)
    path = shard_file(room.out, "halves", Share(1, 1))
    path.write_bytes(path.read_bytes()[:cut])
    graded(room, 1, of=1)
    assert len({json.loads(line)["result"]["student"] for line in list(read_lines(path))[1:]}) == 7
    assert merged(room).missing == []


def test_merging_twice_or_with_overlapping_shards_writes_nothing_twice(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    a_class(room, 9)
    for share in ((1, 2), (2, 2), (1, 1)):
        graded(room, *share)
    assert merged(room).tally.graded == 9
    before = {path: path.stat().st_mtime_ns for path in room.out.rglob("*") if path.is_file()}
    assert merged(room).tally.graded == 0
    assert {path: path.stat().st_mtime_ns for path in room.out.rglob("*") if path.is_file()} == before


def test_two_results_for_the_same_notebook_are_told_and_the_first_is_kept(tmp_path: Path) -> None:
    room, other = make_room(tmp_path), make_room(tmp_path, "other")
    a_class(room, 6)
    graded(room, 1, of=1)
    graded(other, 1, of=1)
    path = shard_file(other.out, "halves", Share(1, 1))
    lines = list(read_lines(path))
    path.unlink()
    with Lines(path) as file:
        for line in lines:
            said = json.loads(line)
            if said.get("result", {}).get("student") == "s000":
                for cell in said["result"]["cells"].values():
                    cell |= {"points": 0.0, "passed": False, "message": "no"}
                said["result"]["status"] = "graded"
            file.append(json.dumps(said))
    found = merged(room, room.out, other.out)
    (line,) = found.differing
    assert line.startswith("s000: two results for the same notebook, ")
    kept = Classroom(room.course, room.name, room.out).records.read()["s000"].result.score
    assert f"{kept:g}" in line
    again = merged(room, other.out)  # what is here already stays, too
    assert len(again.differing) == 1
    assert Classroom(room.course, room.name, room.out).records.read()["s000"].result.score == kept


def test_what_is_missing_or_has_changed_is_told_and_grading_does_the_rest(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    names = a_class(room, 12)
    for number in (1, 3):
        graded(room, number)
    changed = next(name for name in names[6:] if Share(1, 3).holds(name))
    hand_in(room, changed, WRONG)
    found = merged(room)
    assert set(found.missing) == {changed} | {name for name in names if Share(2, 3).holds(name)}
    assert found.notes == [
        "1 of 3 shards are not here: 2",
        f"1 notebooks have changed since their shard was graded, e.g. {changed}",
    ]
    place = InThisProcess()
    grade_class(Classroom(room.course, room.name, room.out), submitted(room), place=place)
    assert set(place.asked) <= set(found.missing)
    assert left_behind(room) == left_behind(serial(tmp_path))


def test_another_version_of_the_lab_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    a_class(room, 6)
    graded(room, 1)
    source = room.course.source("halves")
    source.write_text(source.read_text().replace("wrong for a number below zero", "wrong below zero"))
    graded(room, 2)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(CourseError, match=r"1-of-3.jsonl was graded with another version of the lab halves"):
        merged(room)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    graded(room, 1)
    graded(room, 3)
    assert merged(room).missing == []


@pytest.mark.parametrize("name", ["python", "torch", "rooms"])
def test_shards_of_two_judges_are_refused_with_the_difference_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    room = make_room(tmp_path)
    a_class(room, 6)
    graded(room, 1)
    judge = dict(module.judged_by("required"))
    monkeypatch.setattr(module, "judged_by", lambda sandbox: judge | {name: "0.0.1"})
    graded(room, 2)
    with pytest.raises(CourseError, match=r"do not go together: .* is 0\.0\.1 there"):
        merged(room)
    graded(room, 1)
    graded(room, 3)
    with pytest.raises(CourseError, match=r"was not graded by what is installed here: .* is 0\.0\.1 there"):
        merged(room)
    assert not room.records.folder.exists()


def test_other_limits_are_another_class(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    a_class(room, 6)
    graded(room, 1)
    limits = Limits(submission_seconds=7.0)
    grade_shard(room, submitted(room), Share(2, 3), limits=limits, place=InThisProcess())
    with pytest.raises(CourseError, match="limits or sandbox differ"):
        merged(room)


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = make_room(tmp_path)
    a_class(room, 8)
    written, write = [], os.write

    def full(handle: int, data: bytes) -> int:
        written.append(data)
        return write(handle, data[:50]) if len(written) == 4 else write(handle, data)

    with monkeypatch.context() as disk:
        disk.setattr(shards.os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            graded(room, 1, of=1)
    path = shard_file(room.out, "halves", Share(1, 1))
    assert all(checked(line) for line in path.read_bytes().splitlines(keepends=True))
    graded(room, 1, of=1)
    merged(room)
    assert left_behind(room) == left_behind(serial(tmp_path))


def test_two_processes_do_not_write_one_shard(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    a_class(room, 6)
    with Lines(shard_file(room.out, "halves", Share(1, 3))):
        with pytest.raises(CourseError, match="is being written by another process"):
            graded(room, 1)


def test_a_class_smaller_than_its_shards(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    a_class(room, 2)
    for number in range(1, 6):
        graded(room, number, of=5)
    assert merged(room).missing == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["grade", "halves", "--shard", "41/40"], "there is no shard 41/40; they go from 1/N to N/N"),
        (["grade", "halves", "--shard", "0/40"], "there is no shard 0/40"),
        (["grade", "halves", "--shard", "3"], "'3' is no shard; write the third of forty as 3/40"),
        (["grade", "halves", "--shard", "1/2", "--json", "a.jsonl"], "--shard goes without"),
        (["grade", "halves", "--shard", "1/2", "--cluster", "local:2"], "--shard goes without"),
        (["grade", "halves", "--shard", "1/2", "--submitted", "none"], "no folder none"),
        (["merge", "halves"], "there are no shards of halves to merge"),
        (["merge", "halves", "nowhere"], "no .jsonl file in nowhere/shards/halves"),
        (["merge", "quarters"], "there is no lab 'quarters'"),
        (["merge", "halves", "--json", "nowhere/a.json"], "there is no folder nowhere"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    make_room(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    try:
        status = main(arguments)
    except SystemExit as stopped:  # argparse's way
        status = stopped.code
    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert says in printed.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_that_is_no_shard_is_one_line(tmp_path: Path) -> None:
    room = make_room(tmp_path)
    a_class(room, 3)
    path = shard_file(room.out, "halves", Share(1, 3))
    path.parent.mkdir(parents=True)
    for content in (b"", b"{}\n", b"\x00" * 100, b"\n\n"):
        path.write_bytes(content)
        with pytest.raises(CourseError, match="is no shard's file"):
            merged(room)
