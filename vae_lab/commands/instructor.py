"""What an instructor types, in the order of a term: init-course, collect, grade, merge, report, send-back, appeal."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from vae_lab.commands.arguments import Commands, moment, positive, takes_language, takes_workers
from vae_lab.commands.progress import Progress
from vae_lab.language import said

if TYPE_CHECKING:
    from vae_lab.grading.classroom.grade import Tally
    from vae_lab.grading.classroom.places import Place
    from vae_lab.grading.classroom.room import Classroom
    from vae_lab.grading.executors.shards import Share
    from vae_lab.grading.limits import Limits, Sandbox


UNSAFE = "NO SANDBOX: students' code runs with your rights"


def add(commands: Commands) -> None:
    """Add these commands to the command line."""
    init = commands.add(
        "init-course",
        "start a course of your own in a folder: labs, solutions, settings, a class list",
        run_init_course,
    )
    init.add_argument("folder", type=Path, metavar="DIR", help="what is there already stays as it is")
    init.add_argument("--source", type=Path, default=Path(), metavar="DIR", help="the course to start from (here)")

    collect = commands.add(
        "collect", "put what students handed in, from the zip of Moodle or Canvas, under submitted/", run_collect
    )
    collect.add_argument("zip", type=Path, metavar="ZIP", help="all submissions of one assignment, as downloaded")
    collect.add_argument("lab", metavar="LAB")
    collect.add_argument("--submitted", type=Path, default=Path("submitted"), metavar="DIR")
    collect.add_argument(
        "--students",
        type=Path,
        metavar="CSV",
        help="class list: id, first_name, last_name, email, lms_user_id; or, as they are, Moodle's grading worksheet "
        "(in any language) or exports, or Canvas's gradebook",
    )
    collect.add_argument(
        "--due", type=moment, metavar="TIME", help="what Moodle received later is called late: '2026-11-30 23:59'"
    )

    grade = commands.add(
        "grade", "grade what is new or changed under submitted/; write gradebook, feedback and report", run_grade
    )
    grade.add_argument("lab", metavar="LAB")
    grade.add_argument("--submitted", type=Path, default=Path("submitted"), metavar="DIR")
    grade.add_argument("--timeout", type=positive(float), metavar="S", help="seconds that one submission may take")
    grade.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run students' code with YOUR rights: it can read your files, other submissions and the network; marks "
        "every result",
    )
    grade.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write one JSON object per submission: one a line, or as one array if the name ends in .json",
    )
    takes_workers(grade)
    elsewhere = grade.add_argument_group("on other machines")
    elsewhere.add_argument(
        "--cluster",
        metavar="WHERE",
        help="on a cluster of dask.distributed: tls://host:port of its scheduler, or local:N to start one here",
    )
    elsewhere.add_argument("--tls-ca", type=Path, metavar="FILE", help="who signed the scheduler's certificate")
    elsewhere.add_argument("--tls-cert", type=Path, metavar="FILE", help="your certificate")
    elsewhere.add_argument("--tls-key", type=Path, metavar="FILE", help="its key")
    elsewhere.add_argument(
        "--shard",
        type=share,
        metavar="K/N",
        help="only the K-th of N shares of the class, into OUT/shards/LAB/; `vae-lab merge` puts them together",
    )

    merge = commands.add("merge", "put graded shards together: gradebook, feedback and report", run_merge)
    merge.add_argument("lab", metavar="LAB")
    merge.add_argument(
        "shards", nargs="*", type=Path, metavar="DIR", help="where shards were written, their --out (default: OUT)"
    )
    merge.add_argument("--submitted", type=Path, default=Path("submitted"), metavar="DIR")
    merge.add_argument("--json", type=Path, metavar="FILE", help="as of `grade`")

    report = commands.add(
        "report", "write the class at a glance again: HTML, and CSV for Canvas and Moodle", run_report
    )
    report.add_argument("lab", metavar="LAB")
    for to in (grade, merge, report):
        to.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where results go (default: here)")
        to.add_argument("--db", metavar="URL", help="gradebook as an SQLAlchemy URL (default: OUT/gradebook.db)")

    back = commands.add("send-back", "pack the feedback pages as the zip that Moodle takes back", run_send_back)
    back.add_argument("zip", type=Path, metavar="ZIP", help="the same zip of submissions that was collected")
    back.add_argument("lab", metavar="LAB")
    back.add_argument("--students", type=Path, metavar="CSV", help="the same class list as in collecting, if any")
    back.add_argument("--feedback", type=Path, default=Path("feedback"), metavar="DIR")
    back.add_argument("--to", type=Path, metavar="FILE", help="the zip to write (default: feedback/LAB.zip)")

    appeal = commands.add(
        "appeal", "show what the tests of a lab called in one submission, and what came back", run_appeal
    )
    for speaks in (init, collect, grade, merge, report, back, appeal):
        takes_language(speaks)
    appeal.add_argument("student", metavar="STUDENT")
    appeal.add_argument("lab", metavar="LAB")
    appeal.add_argument("--submitted", type=Path, default=Path("submitted"), metavar="DIR")


def run_init_course(options: argparse.Namespace) -> int:
    """Start a course and say what was written."""
    from vae_lab.grading.course import Course
    from vae_lab.grading.lms.init_course import init_course

    for path, written in init_course(options.folder, Course(options.source)):
        print(f"{path}  {said('written' if written else 'there already, left as it is')}")
    print(said(f"Next: {options.folder / 'README.md'}"))
    return 0


def run_collect(options: argparse.Namespace) -> int:
    """Collect a zip and say what became of each file."""
    from vae_lab.grading.course import Course
    from vae_lab.grading.lms.class_list import read_class_list
    from vae_lab.grading.lms.collect import collect, summary

    (lab,) = Course(Path()).choose([options.lab])
    students = read_class_list(options.students) if options.students else None
    result = collect(options.zip, lab, options.submitted, students, options.due)
    for line in summary(result):
        print(said(line))
    return 1 if result.look else 0


def share(text: str) -> Share:
    """An argument such as 3/40."""
    from vae_lab.grading.executors.shards import read_share

    try:
        return read_share(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(error) from None


def room_of(options: argparse.Namespace) -> Classroom:
    """The lab of the course in this folder, and where its results go."""
    from vae_lab.grading.classroom.room import Classroom
    from vae_lab.grading.course import Course

    course = Course(Path())
    course.choose([options.lab])
    return Classroom(course, options.lab, options.out, options.db)


def run_grade(options: argparse.Namespace) -> int:
    """Grade a class, or a share of one; say what came out of it and where to look."""
    from vae_lab.grading.classroom.grade import grade_class
    from vae_lab.grading.course import CourseError
    from vae_lab.grading.judge.engine import Limits
    from vae_lab.grading.sandbox.bubblewrap import sandbox_problem

    room = room_of(options)
    json_can_be_written(options)
    if options.shard and (options.cluster or options.db or options.json):
        raise CourseError(
            "--shard goes without --cluster, --db and --json: a shard is a file, and merging makes the rest"
        )
    if not options.cluster and (options.tls_ca or options.tls_cert or options.tls_key):
        raise CourseError("--tls-ca, --tls-cert and --tls-key go with --cluster tls://host:port")
    if not options.unsafe_no_sandbox and (problem := sandbox_problem()):
        raise CourseError(f"students' code cannot be shut in here: {problem}")
    if options.unsafe_no_sandbox:
        print(f"vae-lab grade: {said(UNSAFE)}", file=sys.stderr)
    limits = Limits() if options.timeout is None else Limits(submission_seconds=options.timeout)
    sandbox: Sandbox = "unsafe" if options.unsafe_no_sandbox else "required"
    if options.shard:
        return grade_one_shard(options, room, limits, sandbox)
    place = cluster(options, limits, sandbox) if options.cluster else None
    with Progress(said("grade"), f" {said('submissions')}") as progress:
        tally = grade_class(
            room,
            options.submitted,
            workers=options.workers,
            limits=limits,
            sandbox=sandbox,
            progress=progress,
            place=place,
        )
    return tell(options, room, tally, tally.notes)


def cluster(options: argparse.Namespace, limits: Limits, sandbox: Sandbox) -> Place:
    """The cluster that was asked for."""
    from vae_lab.grading.classroom.places import on_cluster
    from vae_lab.grading.course import CourseError
    from vae_lab.grading.executors.clusters import Certificates
    from vae_lab.grading.executors.interface import ExecutorError

    def say(line: str) -> None:
        print(said(f"note: {line}"), file=sys.stderr, flush=True)

    try:
        certificates = Certificates(options.tls_ca, options.tls_cert, options.tls_key)
        return on_cluster(options.cluster, limits, sandbox, certificates, say)
    except ExecutorError as error:
        raise CourseError(error) from error


def grade_one_shard(options: argparse.Namespace, room: Classroom, limits: Limits, sandbox: Sandbox) -> int:
    """Grade a share of a class; say where its results are."""
    from vae_lab.grading.classroom.shard import grade_shard

    with Progress(said("grade"), f" {said('submissions')}") as progress:
        tally = grade_shard(
            room,
            options.submitted,
            options.shard,
            workers=options.workers,
            limits=limits,
            sandbox=sandbox,
            progress=progress,
        )
    print(
        said(
            f"{options.lab}, shard {options.shard}: {tally.students} submissions ({tally.graded} graded now), "
            f"{tally.errors} errors\nshard: {tally.path}"
        )
    )
    return 1 if tally.errors else 0


def run_merge(options: argparse.Namespace) -> int:
    """Put shards together; say what is missing and what does not agree."""
    from vae_lab.grading.classroom.merge import merge

    room = room_of(options)
    json_can_be_written(options)
    with Progress(said("merge"), f" {said('shards')}") as progress:
        merged = merge(room, options.submitted, options.shards or [options.out], progress=progress)
    status = tell(options, room, merged.tally, merged.notes)
    for line in merged.differing:
        print(said(f"differs: {line}"), file=sys.stderr)
    if merged.missing:
        some = ", ".join(merged.missing[:5]) + (" ..." if len(merged.missing) > 5 else "")
        print(
            said(
                f"missing: {len(merged.missing)} submissions have no result yet ({some}); grade their shards and merge "
                f"again, or let `vae-lab grade {options.lab}` do the rest"
            ),
            file=sys.stderr,
        )
    return 1 if merged.differing or merged.missing else status


def json_can_be_written(options: argparse.Namespace) -> None:
    """See that the folder of `--json FILE` is there.

    Raises:
        CourseError: if not.
    """
    from vae_lab.grading.course import CourseError

    if options.json and not options.json.parent.is_dir():
        raise CourseError(f"--json {options.json}: there is no folder {options.json.parent}")


def tell(options: argparse.Namespace, room: Classroom, tally: Tally, notes: list[str]) -> int:
    """Write the report, and say what came out; the exit status."""
    from vae_lab.grading.classroom.class_report import class_report
    from vae_lab.grading.pages.report import write_json, write_report

    for note in notes:
        print(said(f"note: {note}"), file=sys.stderr)
    report = class_report(room)
    page = write_report(report, room.out / "report")
    for note in report.lms_notes:
        print(said(f"note: {note}"), file=sys.stderr)
    if options.json:
        write_json(tally.results, options.json)
    count = Counter(result.status for result in tally.results)
    kept = len(tally.results) - tally.graded
    done = "graded" if options.command == "grade" else "merged"
    print(
        said(
            f"{options.lab}: {len(tally.results)} submissions ({tally.graded} {done} now, {kept} unchanged) in "
            f"{tally.seconds:.1f} s: {count['graded']} graded, {count['manual']} wait for a person, {count['error']} "
            "errors"
        )
    )
    for result in tally.results:
        if result.status == "error":
            print(said(f"error: {result.student}: {result.reason}"), file=sys.stderr)
    print(said(f"report: {page}"))
    return 1 if count["error"] else 0


def run_report(options: argparse.Namespace) -> int:
    """Write the report again, with the marks given since."""
    from vae_lab.grading.classroom.class_report import class_report
    from vae_lab.grading.pages.report import write_report

    room = room_of(options)
    report = class_report(room)
    for note in report.lms_notes:
        print(said(f"note: {note}"), file=sys.stderr)
    print(said(f"report: {write_report(report, room.out / 'report')}"))
    return 0


def run_send_back(options: argparse.Namespace) -> int:
    """Pack feedback for Moodle; say who is in it and who is not."""
    from vae_lab.grading.course import Course
    from vae_lab.grading.lms.class_list import read_class_list
    from vae_lab.grading.lms.send_back import send_back

    (lab,) = Course(Path()).choose([options.lab])
    students = read_class_list(options.students) if options.students else None
    target = options.to or options.feedback / f"{lab}.zip"
    result = send_back(options.zip, lab, options.feedback, target, students)
    for student in result.without:
        print(said(f"{student}: no feedback page yet"))
    for student in result.unknown:
        print(said(f"{student}: whose it is in Moodle is not known; give the grading worksheet as --students"))
    print(said(f"{target}: feedback for {len(result.students)} students"))
    return 1 if result.without or result.unknown else 0


def run_appeal(options: argparse.Namespace) -> int:
    """Grade one submission again, watching."""
    from vae_lab.grading.classroom.appeal import appeal, lines
    from vae_lab.grading.classroom.submissions import find_students, read_submitted_file
    from vae_lab.grading.course import Course, CourseError
    from vae_lab.grading.lab.source import load_lab
    from vae_lab.grading.sandbox.bubblewrap import SandboxError

    course = Course(Path())
    (lab,) = course.choose([options.lab])
    if options.student not in find_students(options.submitted, lab).students:
        raise CourseError(f"{options.student!r} handed in no {lab} under {options.submitted}")
    handed_in = read_submitted_file(options.submitted, options.student, lab)
    if handed_in.content is None:
        raise CourseError(f"{options.student}: {handed_in.problem}")
    try:
        tried = appeal(load_lab(course.source(lab)), handed_in.content)
    except SandboxError as error:
        raise CourseError(error) from error
    for line in lines(tried):
        print(said(line))
    return 0
