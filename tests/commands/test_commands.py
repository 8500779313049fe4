"""The command line: exit status, what is said, and that nothing is half-written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.grading import tiny_course
from vae_lab.cli import main
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.course import Course
from vae_lab.grading.lab.cells import to_bytes
from vae_lab.grading.sandbox.bubblewrap import sandbox_problem
from vae_lab.language.leftover import left_in_english

ROOT = Path(__file__).parents[2]
needs_sandbox = pytest.mark.skipif(sandbox_problem() is not None, reason=str(sandbox_problem()))


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    made = tiny_course.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    return made


def status(*arguments: str) -> int:
    """The exit status, whether argparse ends the program or the command returns."""
    try:
        return main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def hand_in(course: Course, student: str, cells: dict[str, str] | None = None) -> Path:
    path = course.root / "submitted" / student / "halves" / "halves.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    source = course.source("halves").read_text()
    path.write_bytes(to_bytes(with_answers(source, "halves", cells or {}, hidden_tests=False)))
    return path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["grade"], "the following arguments are required: LAB"),
        (["grade", "thirds"], "there is no lab 'thirds'; the labs here are: halves"),
        (["release", "thirds"], "there is no lab 'thirds'; the labs here are: halves"),
        (["report", "thirds"], "there is no lab 'thirds'"),
        (["sample-class", "thirds"], "there is no lab 'thirds'"),
        (["grade", "../halves"], "there is no lab '../halves'"),
        (["grade", "halves"], "no folder submitted; expected submitted/<student>/halves/halves.ipynb"),
        (["grade", "halves", "--submitted", "nowhere"], "no folder nowhere"),
        (["grade", "halves", "--workers", "0"], "--workers: 0 is out of range"),
        (["grade", "halves", "--workers", "two"], "--workers: 'two' is not a number"),
        (["grade", "halves", "--timeout", "-1"], "--timeout: -1 is out of range"),
        (["grade", "halves", "--timeout", "nan"], "--timeout: nan is out of range"),
        (["grade", "halves", "--json", "no/such/folder/x.json"], "there is no folder no/such/folder"),
        (["report", "halves"], "nothing to report"),
        (["check", "nowhere.ipynb"], "nowhere.ipynb: No such file or directory"),
        (["check", "solutions"], "solutions: Is a directory"),
        (["check", "tests/misconceptions/halves.py"], "not a notebook"),
        (["sample-class", "halves", "-n", "0"], "-n: 0 is out of range"),
        (["fly"], "invalid choice: 'fly'"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_bad_arguments_are_one_line_and_status_2(
    course: Course, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    before = files(course.root)
    assert status(*arguments) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert files(course.root) == before
    argparses = any(words in says for words in ("argument", "range", "number", "choice", "folder no/such"))
    if not argparses and arguments[0] != "check":
        ours = said.err.removeprefix(f"vae-lab {arguments[0]}: ").replace(str(course.root), "here")
        assert left_in_english(ours, "vi") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["report", "thirds"], "vae-lab report: không có bài thực hành 'thirds'"),
        (["report", "halves"], "vae-lab report: chưa có gì để báo cáo"),
        (["grade", "halves", "--submitted", "nowhere"], "vae-lab grade: không có thư mục nowhere"),
    ],
)
def test_an_instructor_reads_their_own_language(
    course: Course, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    """The option says which, or the system's setting; a command without either is English again."""
    assert status(*arguments, "--language", "vi") == 2
    assert says in capsys.readouterr().err
    monkeypatch.setenv("LC_ALL", "vi_VN.UTF-8")
    assert status(*arguments) == 2
    assert says in capsys.readouterr().err
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert status(*arguments) == 2
    assert says not in capsys.readouterr().err


def test_ctrl_c_is_told_in_it_too(
    course: Course, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vae_lab.commands.instructor.room_of", interrupted)
    assert status("report", "halves", "--language", "vi") == 130
    assert "vae-lab report: đã dừng" in capsys.readouterr().err


@needs_sandbox
@pytest.mark.parametrize("url", ["gradebook.db", "nosuch://x/y", "sqlite:////no/such/folder/x.db"])
def test_a_bad_database_is_one_line(course: Course, capsys: pytest.CaptureFixture[str], url: str) -> None:
    hand_in(course, "ana")
    before = files(course.root)
    assert status("grade", "halves", "--db", url) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("vae-lab")]
    assert len(lines) == 1
    assert "gradebook" in lines[0] or "--db" in lines[0]
    assert files(course.root) == before


def test_outside_of_a_course_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["release"], ["verify"], ["grade", "sampling"], ["sample-class", "sampling"]):
        assert status(*command) == 2
        assert "no solutions/ folder" in capsys.readouterr().err


def test_release_says_what_it_wrote(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("release") == 0
    assert "labs/halves/halves.ipynb  written" in capsys.readouterr().out
    assert status("release", "halves") == 0
    assert "unchanged" in capsys.readouterr().out


def test_a_faulty_lab_is_one_line(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    course.source("halves").write_text("{")
    assert status("release") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_check_prints_a_table_and_its_status_says_whether_all_is_well(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hand_in(course, "ana")
    assert status("check", str(path)) == 0
    assert "6 of 6 points in view" in capsys.readouterr().out
    path = hand_in(course, "ana", {"double": "def double(x):\n    return x"})
    assert status("check", str(path)) == 1
    assert "expected 2.0, got 1.0" in capsys.readouterr().out


def test_a_notebook_that_kills_its_process_is_told(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    path = hand_in(course, "ana", {"double": "import os\nos._exit(0)"})
    assert status("check", str(path)) == 2
    assert "ended without an answer" in capsys.readouterr().err


def test_a_made_up_class_is_the_same_every_time_and_never_mixed_with_a_real_one(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("sample-class", "halves", "-n", "12") == 0
    first = {path: (course.root / "submitted" / path).read_bytes() for path in files(course.root / "submitted")}
    assert status("sample-class", "halves", "-n", "12") == 0
    assert {path: (course.root / "submitted" / path).read_bytes() for path in files(course.root / "submitted")} == first
    assert status("sample-class", "halves", "-n", "3") == 0
    assert len(list((course.root / "submitted").glob("*/halves"))) == 3
    hand_in(course, "a-real-student")
    assert status("sample-class", "halves") == 2
    assert "'a-real-student', who was not made up" in capsys.readouterr().err


def test_without_a_sandbox_nothing_is_graded_unless_told_to(
    course: Course, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(course, "ana")
    monkeypatch.setattr("vae_lab.grading.sandbox.bubblewrap.sandbox_problem", lambda: "bubblewrap is not installed")
    assert status("grade", "halves") == 2
    assert "cannot be shut in here: bubblewrap is not installed" in capsys.readouterr().err
    assert not Path("gradebook.db").exists()
    assert status("grade", "halves", "--unsafe-no-sandbox", "--json", "out.jsonl") == 0
    assert "NO SANDBOX" in capsys.readouterr().err
    result = json.loads(Path("out.jsonl").read_text())
    assert "graded without the sandbox" in result["flags"]
    assert result["score"] == 6.0


def test_without_a_sandbox_labs_are_verified_in_one_process(
    course: Course, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vae_lab.grading.sandbox.bubblewrap.sandbox_problem", lambda: "bubblewrap is not installed")
    assert status("verify", "--workers", "1") == 0
    said = capsys.readouterr()
    assert "judging in one process only: bubblewrap is not installed" in said.err
    assert "halves: no surprises, judged in one process" in said.out
    course.bank("halves").write_text(course.bank("halves").read_text().replace("return x ** 0.5", "return x / 2"))
    assert status("verify", "halves", "--workers", "1") == 1
    assert "wrong answer 'takes the square root' keeps half_tests" in capsys.readouterr().out


@needs_sandbox
def test_a_made_up_class_gets_what_it_deserves(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    """From the command line to JSON, with the real engine; then once more, with another number of workers."""
    assert status("sample-class", "halves", "-n", "20") == 0
    assert status("grade", "halves", "--workers", "2", "--json", "out.jsonl", "--timeout", "60") == 0
    assert "20 submissions (20 graded now, 0 unchanged)" in capsys.readouterr().out
    deserved = {each["student"]: each for each in json.loads(Path("submitted/.sample-class/halves.json").read_text())}
    results = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert {result["student"] for result in results} == set(deserved)
    for result in results:
        wanted = deserved[result["student"]]
        passed = {name: result["cells"][name]["passed"] for name in wanted["cells"]}
        assert (wanted["what"], passed, result["score"]) == (wanted["what"], wanted["cells"], wanted["score"])
    assert Path("report/halves/index.html").is_file()
    shutil.rmtree("report")
    assert status("grade", "halves", "--workers", "1", "--json", "again.jsonl", "--timeout", "60") == 0
    again = [json.loads(line) for line in Path("again.jsonl").read_text().splitlines()]
    for result in results + again:
        del result["seconds"]
    assert again == results


@needs_sandbox
@pytest.mark.long
def test_a_stopped_or_killed_grader_leaves_nothing_running_and_loses_nothing(course: Course) -> None:
    for number in range(6):  # the last takes long, so that nobody is done before it is stopped
        slow = f"import time\ntime.sleep({6 if number == 5 else 0.7})\ndef double(x):\n    return 2 * x"
        hand_in(course, f"s{number}", {"double": f"{slow}  # {number}"})
    command = [sys.executable, "-m", "vae_lab.cli", "grade", "halves", "--workers", "1", "--json", "out.jsonl"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    records = course.root / "report" / "halves" / "records"
    kept: dict[Path, dict] = {}
    for how in (signal.SIGINT, signal.SIGKILL):
        grader = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            for _ in range(900):
                if len(list(records.glob("*.json"))) > len(kept):
                    break
                assert grader.poll() is None
                time.sleep(0.2)
        finally:
            grader.send_signal(how)
            grader.wait()
        before = kept
        kept = {path: json.loads(path.read_text())["result"] for path in records.glob("*.json")}
        assert len(before) < len(kept) < 6
        assert before.items() <= kept.items()
        assert not Path("out.jsonl").exists()
        wait_until_nothing_runs_in(course.root)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True)
    assert f"({6 - len(kept)} graded now, {len(kept)} unchanged)" in done.stdout
    for path, result in kept.items():
        assert json.loads(path.read_text())["result"] == result
    assert len(Path("out.jsonl").read_text().splitlines()) == 6
    wait_until_nothing_runs_in(course.root)


def wait_until_nothing_runs_in(folder: Path) -> None:
    """A server ends when the process that asked it has ended, not at the same moment."""
    for _ in range(300):
        if not (left := [line for line in processes() if str(folder) in line]):
            return
        time.sleep(0.2)
    raise AssertionError(left)


def processes() -> list[str]:
    """The command line and folder of every other process of this machine that may be read."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found.append(f"{command} {os.readlink(folder / 'cwd')}")
        except OSError:
            continue
    return found
