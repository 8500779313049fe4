"""The gradebook in PostgreSQL: a real server, started and stopped by the test."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from tests.grading import tiny_course
from tests.grading.classroom.test_gradebook import result
from vae_lab.grading.classroom.database import database_url
from vae_lab.grading.classroom.gradebook import LabGradebook
from vae_lab.grading.course import CourseError
from vae_lab.grading.marks import GradebookEntry


def programs() -> Path:
    """Where Debian keeps the server's programs, or wherever they are on the path."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb")) or [shutil.which("initdb")]
    if not found[-1]:
        pytest.skip("no PostgreSQL server; install the system package postgresql")
    return Path(found[-1]).parent


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A fresh server that listens on a socket in its own folder; the URL of an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path must be short
    who = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if who:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        command = [*who, str(programs() / program), *arguments]
        subprocess.run(command, check=True, cwd="/tmp", stdout=subprocess.DEVNULL, timeout=120)

    run("initdb", "-D", str(data), "-U", "grader", "--auth=trust", "-E", "UTF8", "--locale=C")
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    run("pg_ctl", "-D", str(data), "-w", "-t", "60", "-l", str(folder / "log"), "-o", options, "start")
    try:
        run("createdb", "-h", str(folder), "-U", "grader", "grades")
        yield f"postgresql://grader@/grades?host={folder}"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)


def test_a_gradebook_in_postgresql_says_the_same_as_one_in_sqlite(server: str, tmp_path: Path) -> None:
    source = tiny_course.make(tmp_path / "course").source("halves").read_text()
    students = ["ana", "Zoë O'Hara; DROP TABLE student;--", "学生 🦊", "x" * 128]
    found = []
    for url in (database_url(server, tmp_path), database_url(None, tmp_path)):
        with LabGradebook(url, "halves", source) as book:
            book.write(GradebookEntry(result(name), "2026-05-04 10:00:00 UTC") for name in students)
            book.write([GradebookEntry(result("ana", (True, True, True, None)))])
        with Gradebook(url.render_as_string(hide_password=False)) as gradebook:
            mark = gradebook.find_grade("why", "halves", "halves", "ana")
            mark.manual_score, mark.needs_manual_grade = 3.5, False
            gradebook.db.commit()
            total = gradebook.find_submission("halves", "ana").score
        with LabGradebook(url, "halves", source) as book:
            book.write([GradebookEntry(result("ana", (True, True, False, None)), look_again=False)])
            found.append((total, book.marks(), set(book.people())))
    assert found[0] == found[1]
    assert found[0][0] == 9.5
    assert found[0][1]["ana"]["why"].manual == 3.5
    assert found[0][2] == set(students)


def test_a_database_that_is_not_there_is_one_line(server: str, tmp_path: Path) -> None:
    source = tiny_course.make(tmp_path).source("halves").read_text()
    with pytest.raises(CourseError, match='database "nothing" does not exist') as caught:
        LabGradebook(database_url(server.replace("/grades", "/nothing"), tmp_path), "halves", source)
    assert "\n" not in str(caught.value)
