"""A course of one's own: complete enough to work in, and nothing that was there is touched."""

import pytest
from grading import tiny_course
from grading.lms_zip import make_zip, notebook

from vae_lab.cli import main
from vae_lab.grading.course import Course, CourseError
from vae_lab.grading.lab.release import release
from vae_lab.grading.lms.class_list import COLUMNS, read_class_list
from vae_lab.grading.lms.init_course import init_course


@pytest.fixture
def source(tmp_path):
    course = tiny_course.make(tmp_path / "theirs")
    (course.root / "nbgrader_config.py").write_text("c = get_config()\n")
    return course


def everything(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_makes_a_course_that_releases_the_same_labs(source, tmp_path):
    made = init_course(tmp_path / "mine", source)
    files = everything(tmp_path / "mine")
    assert set(files) == {
        *("solutions/halves/halves.ipynb", "labs/halves/halves.ipynb", "tests/misconceptions/halves.py"),
        *("nbgrader_config.py", "students.csv", ".gitignore", "README.md"),
    }
    assert all(written for _, written in made)
    assert {path.relative_to(tmp_path / "mine").as_posix() for path, _ in made} == set(files)
    mine = Course(tmp_path / "mine")
    assert mine.labs() == ["halves"]
    assert release(mine, "halves")[1] is False
    assert b"SECRET" not in files["labs/halves/halves.ipynb"]
    assert read_class_list(tmp_path / "mine" / "students.csv").students == []
    assert b"halves" in files["README.md"]


def test_the_class_list_is_what_nbgrader_imports():
    from nbgrader.api import Student

    assert set(COLUMNS) <= set(Student.__table__.columns.keys())


def test_what_is_there_is_never_touched(source, tmp_path):
    mine = tmp_path / "mine"
    (mine / "solutions" / "halves").mkdir(parents=True)
    (mine / "solutions/halves/halves.ipynb").write_text("my own version")
    (mine / "students.csv").symlink_to(mine / "nowhere.csv")
    made = dict(init_course(mine, source))
    assert made[mine / "solutions/halves/halves.ipynb"] is False
    assert made[mine / "students.csv"] is False
    assert (mine / "solutions/halves/halves.ipynb").read_text() == "my own version"
    assert not (mine / "nowhere.csv").exists()
    before = everything(mine)
    assert not any(written for _, written in init_course(mine, source))
    assert everything(mine) == before


def test_a_folder_that_will_not_do_is_refused(source, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="is no folder"):
        init_course(tmp_path / "file", source)
    with pytest.raises(CourseError, match="name a new folder"):
        init_course(source.root, source)
    with pytest.raises(CourseError, match="no solutions/ folder"):
        init_course(tmp_path / "mine", Course(tmp_path / "empty"))
    with pytest.raises(CourseError, match="cannot be written"):
        init_course(tmp_path / "file" / "below", source)
    assert not (tmp_path / "mine").exists()


def test_from_the_command_line_to_a_collected_class(source, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(source.root)
    assert main(["init-course", "../mine"]) == 0
    monkeypatch.chdir(tmp_path / "mine")
    with open("students.csv", "a", encoding="utf-8") as file:
        file.write("al01,Ada,Lovelace,,\nat02,Alan,Turing,,\n")
    zipped = {"lovelaceada_LATE_1_2_halves.ipynb": notebook("halves"), "hoppergrace_3_4_halves.pdf": b""}
    make_zip(tmp_path / "all.zip", zipped)
    capsys.readouterr()
    assert main(["collect", "../all.zip", "halves", "--students", "students.csv", "--due", "2026-11-30 23:59"]) == 0
    said = capsys.readouterr().out
    assert "lovelaceada_LATE_1_2_halves.ipynb  ->  al01: collected, late" in said
    assert "Nothing from 1 on the class list: at02" in said
    assert (tmp_path / "mine/submitted/al01/halves/halves.ipynb").read_bytes() == notebook("halves")


def test_a_file_that_needs_a_look_and_bad_arguments_have_their_status(source, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(source.root)
    make_zip(tmp_path / "all.zip", {"../x_1_2_halves.ipynb": notebook("halves"), "a_3_4_b.ipynb": notebook("halves")})
    assert main(["collect", "../all.zip", "halves"]) == 1
    assert "1 files need a look" in capsys.readouterr().out
    for words in (["../all.zip", "thirds"], ["none.zip", "halves"], ["../all.zip", "halves", "--students", "no.csv"]):
        assert main(["collect", *words]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("vae-lab collect: ")
        assert said.err.count("\n") == 1
    with pytest.raises(SystemExit, match="2"):
        main(["collect", "../all.zip", "halves", "--due", "tomorrow"])
