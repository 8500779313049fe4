"""Feedback goes back to the student that it is about, under a name that Moodle finds the student by."""

import zipfile

import pytest
from grading.lms_zip import make_zip, notebook

from vae_lab.cli import main
from vae_lab.grading.course import CourseError
from vae_lab.grading.lms.class_list import ClassList, Student
from vae_lab.grading.lms.send_back import send_back

ADA = ClassList([Student("al01", frozenset({"adalovelace"}), {})])
CLASS = {
    "Ada Lovelace_101_assignsubmission_file_/sampling.ipynb": notebook(),
    "Ada Lovelace_101_assignsubmission_file_/old_102_assignsubmission_file_/sampling.ipynb": notebook(text="older"),
    "Alan_M Turing_102_assignsubmission_file/sampling.ipynb": notebook(text="by Alan"),
    "Grace Hopper_103_assignsubmission_file_sampling.ipynb": notebook(text="by Grace"),
    "Emmy Noether_104_assignsubmission_file_/notes.pdf": b"%PDF",
}


def pages(folder, *students):
    for student in students:
        path = folder / student / "sampling" / "sampling.html"
        path.parent.mkdir(parents=True)
        path.write_text(f"about {student}")
    return folder


def read(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def as_moodle_reads_it(name):
    """Moodle's rule: the first part of the path with a number, and a plugin after it, names the student."""
    for part in name.split("/"):
        info = part.split("_", 4)
        if len(info) >= 4 and info[1].isdigit():
            return int(info[1]), f"{info[2]}_{info[3]}"
    return None


def test_each_page_goes_to_the_number_of_its_student(tmp_path):
    feedback = pages(tmp_path / "feedback", "al01", "alan-m-turing_102", "grace-hopper_103")
    zipped = make_zip(tmp_path / "all.zip", CLASS)
    result = send_back(zipped, "sampling", feedback, tmp_path / "back.zip", ADA)
    assert sorted(result.students) == ["al01", "alan-m-turing_102", "grace-hopper_103"]
    assert result.without == []
    back = read(tmp_path / "back.zip")
    assert {as_moodle_reads_it(name): text for name, text in back.items()} == {
        (101, "assignsubmission_file"): "about al01",
        (102, "assignsubmission_file"): "about alan-m-turing_102",
        (103, "assignsubmission_file"): "about grace-hopper_103",
    }
    assert all(name.endswith("_assignsubmission_file_/sampling.html") for name in back)
    before = (tmp_path / "back.zip").read_bytes()
    send_back(zipped, "sampling", feedback, tmp_path / "back.zip", ADA)
    assert (tmp_path / "back.zip").read_bytes() == before


def test_who_has_no_page_yet_is_named_and_a_link_is_not_followed(tmp_path):
    feedback = pages(tmp_path / "feedback", "al01")
    (tmp_path / "secret").write_text("secret")
    linked = feedback / "grace-hopper_103" / "sampling" / "sampling.html"
    linked.parent.mkdir(parents=True)
    linked.symlink_to(tmp_path / "secret")
    zipped = make_zip(tmp_path / "all.zip", CLASS)
    result = send_back(zipped, "sampling", feedback, tmp_path / "back.zip", ADA)
    assert result.students == ["al01"]
    assert sorted(result.without) == ["alan-m-turing_102", "grace-hopper_103"]
    assert list(read(tmp_path / "back.zip").values()) == ["about al01"]


def test_what_cannot_be_sent_back_is_said_in_one_line(tmp_path):
    zipped = make_zip(tmp_path / "all.zip", CLASS)
    with pytest.raises(CourseError, match=r"nobody in .* has a feedback page of sampling"):
        send_back(zipped, "sampling", tmp_path / "none", tmp_path / "back.zip")
    canvas = make_zip(tmp_path / "canvas.zip", {"lovelaceada_1_2_sampling.ipynb": notebook()})
    with pytest.raises(CourseError, match="only Moodle takes feedback back"):
        send_back(canvas, "sampling", tmp_path / "none", tmp_path / "back.zip")
    assert not (tmp_path / "back.zip").exists()


def test_from_the_command_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "solutions" / "sampling").mkdir(parents=True)
    (tmp_path / "solutions" / "sampling" / "sampling.ipynb").write_bytes(notebook())
    monkeypatch.chdir(tmp_path)
    make_zip(tmp_path / "all.zip", CLASS)
    pages(tmp_path / "feedback", "ada-lovelace_101", "alan-m-turing_102", "grace-hopper_103")
    assert main(["send-back", "all.zip", "sampling"]) == 0
    assert capsys.readouterr().out == "feedback/sampling.zip: feedback for 3 students\n"
    (tmp_path / "feedback/ada-lovelace_101/sampling/sampling.html").unlink()
    assert main(["send-back", "all.zip", "sampling", "--to", "b.zip"]) == 1
    assert "ada-lovelace_101: no feedback page yet" in capsys.readouterr().out
    assert main(["send-back", "no.zip", "sampling"]) == 2
