"""Collecting: every file of the zip is accounted for, the right notebook is taken, no two students are mixed up."""

import os
import stat
import struct
import time
import zipfile
from datetime import datetime

import pytest
from grading.lms_zip import NOON, make_zip, notebook
from hypothesis import given
from hypothesis import strategies as st

from vae_lab.grading.classroom.submissions import find_students, read_submitted_file
from vae_lab.grading.course import CourseError
from vae_lab.grading.lms import zips
from vae_lab.grading.lms.class_list import read_class_list
from vae_lab.grading.lms.collect import collect, summary
from vae_lab.grading.lms.names import UploadName, read_name
from vae_lab.grading.lms.resolving import resolve
from vae_lab.language.leftover import left_in_english

MORNING, EVENING = (2026, 11, 20, 8, 0, 0), (2026, 11, 20, 20, 0, 0)


@pytest.fixture
def run(tmp_path):
    """Zip some files, collect them, and give back the outcome and what lies under submitted/ afterwards."""

    def collected(files, students=None, lab="sampling", due=None):
        listed = None
        if students is not None:
            (tmp_path / "students.csv").write_text(students)
            listed = read_class_list(tmp_path / "students.csv")
        result = collect(make_zip(tmp_path / "all.zip", files), lab, tmp_path / "submitted", listed, due)
        lines = [line.replace(str(tmp_path), "here") for line in summary(result)]
        assert [left for line in lines for left in left_in_english(line, "vi")] == []
        placed = {
            path.relative_to(tmp_path / "submitted").as_posix(): path.read_bytes()
            for path in sorted((tmp_path / "submitted").rglob("*.ipynb"))
        }
        return result, placed

    return collected


def became(result, file):
    return next(outcome for outcome in result.outcomes if outcome.file == file)


@pytest.mark.parametrize(
    ("name", "system", "person", "number", "file", "late"),
    [
        ("Ada Lovelace_123_assignsubmission_file_/a.ipynb", "moodle", "Ada Lovelace", 123, "a.ipynb", False),
        ("Ada Lovelace_123_assignsubmission_file/a.ipynb", "moodle", "Ada Lovelace", 123, "a.ipynb", False),
        ("Ada Lovelace_123_assignsubmission_file_a.ipynb", "moodle", "Ada Lovelace", 123, "a.ipynb", False),
        ("Ada_B_123_assignsubmission_file_/x/a.ipynb", "moodle", "Ada_B", 123, "x/a.ipynb", False),
        ("top/Nguyễn Văn An_9_assignsubmission_file_/a.ipynb", "moodle", "Nguyễn Văn An", 9, "a.ipynb", False),
        ("Participant_55_assignsubmission_file_a.ipynb", "moodle", "Participant", 55, "a.ipynb", False),
        ("lovelaceada_12_99_a-1.ipynb", "canvas", "lovelaceada", 12, "a-1.ipynb", False),
        ("lovelaceada_LATE_12_99_a.ipynb", "canvas", "lovelaceada", 12, "a.ipynb", True),
        ("lovelaceada_late_12_99_a.ipynb", "canvas", "lovelaceada", 12, "a.ipynb", True),
        ("lovelaceada_12_LATE_99_a.ipynb", "canvas", "lovelaceada", 12, "a.ipynb", True),
        ("submissions/o'briensean_12_99_5_6_a.ipynb", "canvas", "o'briensean", 12, "5_6_a.ipynb", False),
        ("o_brien_sean_12_99_a.ipynb", "canvas", "o_brien_sean", 12, "a.ipynb", False),
        ("الأحمدمحمد_3_13_a.ipynb", "canvas", "الأحمدمحمد", 3, "a.ipynb", False),
        ("lovelaceada_LATE_12_text.html", "canvas", "lovelaceada", 12, "", True),
        ("lovelaceada_12_link.html", "canvas", "lovelaceada", 12, "", False),
        ("anon_aB3xY_99_a.ipynb", "canvas", "", 0, "a.ipynb", False),
        ("LATE_anon_23456_99_a.ipynb", "canvas", "", 0, "a.ipynb", True),
        ("Ada_1_assignsubmission_onlinetext/onlinetext.html", "moodle", "Ada", 1, "", False),
        ("Ada_1_assignsubmission_onlinetext_onlinetext.html", "moodle", "Ada", 1, "", False),
        ("Group A_17_assignsubmission_file/a.ipynb", "moodle", "Group A", 17, "a.ipynb", False),
        ("Default group_assignsubmission_file/a.ipynb", "moodle", "Default group", 0, "a.ipynb", False),
        # the end of a name is the student's to choose: it moves no number
        (
            "eve_7_assignsubmission_file_Bob_99_assignsubmission_file_a.ipynb",
            *("moodle", "eve", 7, "Bob_99_assignsubmission_file_a.ipynb", False),
        ),
        (
            "Eve_7_assignsubmission_file_/Bob_99_assignsubmission_file_/a.ipynb",
            *("moodle", "Eve", 7, "Bob_99_assignsubmission_file_/a.ipynb", False),
        ),
        ("eve_7_8_bob_9_10_a.ipynb", "canvas", "eve", 7, "bob_9_10_a.ipynb", False),
    ],
)
def test_names_are_read(name, system, person, number, file, late):
    found = read_name(name)
    assert (found.system, found.name, found.number, found.file, found.late) == (system, person, number, file, late)


@pytest.mark.parametrize(
    "name",
    [
        *("", "/", "a.ipynb", "x/a.ipynb", "ada_12_a.ipynb", "ada_12_notes.html"),
        *("Ada_1_assignfeedback_file_1_2_a.ipynb", "anon_aB3xY_sampling.ipynb"),
    ],
)
def test_other_names_are_not(name):
    assert read_name(name) is None


@given(st.text(max_size=60))
def test_no_name_breaks_the_reading_and_each_key_is_a_plain_folder(text):
    for name in (text, f"{text}_12_assignsubmission_file_/a.ipynb", f"{text}_12_99_{text}"):
        found = read_name(name)
        if found:
            assert found.key.isascii()
            assert found.key.replace("-", "").replace("_", "").isalnum()
            assert found.key.endswith(f"_{found.anonymous or found.number}")


def test_moodle_in_folders(run):
    result, placed = run(
        {
            "Ada Lovelace_11_assignsubmission_file_/sampling.ipynb": notebook(text="ada"),
            "Alan Turing_12_assignsubmission_file_/my answers.ipynb": notebook(text="alan"),
            "Alan Turing_12_assignsubmission_onlinetext_/onlinetext.html": b"<p>see file</p>",
            "Grace Hopper_13_assignsubmission_file_/report.pdf": b"%PDF",
        }
    )
    assert placed == {
        "ada-lovelace_11/sampling/sampling.ipynb": notebook(text="ada"),
        "alan-turing_12/sampling/sampling.ipynb": notebook(text="alan"),
    }
    assert len(result.outcomes) == 4
    assert became(result, "Grace Hopper_13_assignsubmission_file_/report.pdf").became == "left aside: not a notebook"
    assert not result.look
    assert "as --students" in "\n".join(summary(result))


def test_what_is_collected_is_what_the_grader_finds(run, tmp_path):
    run({"lovelaceada_1_2_sampling.ipynb": notebook(text="ada")})
    assert find_students(tmp_path / "submitted", "sampling").students == ["lovelaceada_1"]
    found = read_submitted_file(tmp_path / "submitted", "lovelaceada_1", "sampling")
    assert found.content == notebook(text="ada")


def test_the_newest_of_several_is_taken(run):
    result, placed = run(
        {
            "lovelaceada_1_300_sampling-2.ipynb": notebook(text="newest"),
            "lovelaceada_1_100_sampling.ipynb": notebook(text="oldest"),
            "lovelaceada_LATE_1_200_sampling-1.ipynb": notebook(text="middle"),
            "Alan T_2_assignsubmission_file_/sampling.ipynb": (notebook(text="early"), MORNING),
            "Alan T_2_assignsubmission_file_/sampling (1).ipynb": (notebook(text="late"), EVENING),
        }
    )
    assert placed["lovelaceada_1/sampling/sampling.ipynb"] == notebook(text="newest")
    assert placed["alan-t_2/sampling/sampling.ipynb"] == notebook(text="late")
    assert [outcome.became.split(":")[0] for outcome in result.outcomes].count("left aside") == 3


def test_the_notebook_of_this_lab_is_taken_though_another_is_newer(run):
    _, placed = run(
        {
            "lovelaceada_1_100_answers.ipynb": notebook("sampling"),
            "lovelaceada_1_300_sampling.ipynb": notebook("elbo"),
            "turingalan_2_100_Copy_of_sampling.ipynb": notebook("", "nothing of the lab is left"),
            "turingalan_2_300_holidays.ipynb": notebook("", "holidays"),
        }
    )
    assert placed["lovelaceada_1/sampling/sampling.ipynb"] == notebook("sampling")
    assert placed["turingalan_2/sampling/sampling.ipynb"] == notebook("", "nothing of the lab is left")


def test_a_notebook_of_another_lab_is_collected_and_pointed_out(run):
    result, placed = run({"lovelaceada_1_100_elbo.ipynb": notebook("elbo")})
    assert list(placed) == ["lovelaceada_1/sampling/sampling.ipynb"]
    assert result.look
    assert "no cell of sampling" in result.outcomes[0].became


def test_late_is_marked(run):
    due = datetime(2026, 11, 20, 12, 0, 0).astimezone()
    result, _ = run(
        {
            "lovelaceada_LATE_1_100_sampling.ipynb": notebook(),
            "turingalan_2_100_sampling.ipynb": (notebook(), EVENING),  # Canvas's zips hold no hand-in times
            "Grace H_3_assignsubmission_file_sampling.ipynb": (notebook(), EVENING),
            "Kurt G_4_assignsubmission_file_sampling.ipynb": (notebook(), MORNING),
        },
        due=due,
    )
    late = {outcome.student for outcome in result.outcomes if outcome.became.endswith(", late")}
    assert late == {"lovelaceada_1", "grace-h_3"}


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="no time zones to set on this system")
def test_moodles_time_is_written_in_utc(run, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    time.tzset()
    try:
        run({"Ada_1_assignsubmission_file_sampling.ipynb": (notebook(), NOON), "bob_2_3_a.ipynb": notebook()})
    finally:
        monkeypatch.undo()
        time.tzset()
    submitted = tmp_path / "submitted"
    assert (submitted / "ada_1/sampling/timestamp.txt").read_text() == "2026-11-20 05:00:00 UTC"
    assert not (submitted / "bob_2/sampling/timestamp.txt").exists()


def test_collecting_again_changes_nothing_and_a_newer_zip_keeps_the_older(run):
    name = "lovelaceada_1_100_sampling.ipynb"
    run({name: notebook(text="one")})
    result, placed = run({name: notebook(text="one")})
    assert became(result, name).became == "unchanged"
    assert len(placed) == 1
    result, placed = run({name: notebook(text="two")})
    assert placed["lovelaceada_1/sampling/sampling.ipynb"] == notebook(text="two")
    assert sorted(placed.values()) == sorted([notebook(text="one"), notebook(text="two")])
    assert "earlier" in became(result, name).became


def test_two_students_of_one_name_stay_two(run):
    _, placed = run(
        {
            "An Nguyen_21_assignsubmission_file_sampling.ipynb": notebook(text="one"),
            "An Nguyen_22_assignsubmission_file_sampling.ipynb": notebook(text="other"),
        },
        students="id,first_name,last_name\ns1,An,Nguyen\ns2,Ada,Lovelace\n",
    )
    assert placed == {
        "an-nguyen_21/sampling/sampling.ipynb": notebook(text="one"),
        "an-nguyen_22/sampling/sampling.ipynb": notebook(text="other"),
    }


def test_one_number_with_two_names_is_refused(run):
    result, placed = run(
        {
            "bob_7_100_sampling.ipynb": notebook(text="bob"),
            "eve_7_900_sampling.ipynb": notebook(text="eve"),
            "ada_8_100_sampling.ipynb": notebook(text="ada"),
        }
    )
    assert list(placed) == ["ada_8/sampling/sampling.ipynb"]
    assert [outcome.look for outcome in result.outcomes] == [True, True, False]


def test_one_number_in_both_systems_is_two_students(run):
    _, placed = run(
        {"bob_7_100_sampling.ipynb": notebook(text="c"), "bob_7_assignsubmission_file_a.ipynb": notebook(text="m")}
    )
    assert sorted(placed.values()) == sorted([notebook(text="c"), notebook(text="m")])


OURS = "id;first_name;last_name;email;lms_user_id\nal01;Ada;Lovelace;;11\nat02;Alan;Turing;;\n# x;;;;\n;;;;\n"
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,sampling (9)\n    Points Possible,,,,,20\n"
    '"Lovelace, Ada",11,,al01,A,\n"Turing, Alan",12,,at02,A,\n"Student, Test",99,,,A,\n'
)
MOODLE = (
    '\ufeffIdentifier,"Full name","ID number","Email address",Status,Grade\n'
    '"Participant 11","Ada Lovelace",al01,ada@example.org,,\n"Participant 12","Alan Turing",at02,alan@example.org,,\n'
)


@pytest.mark.parametrize(
    ("students", "files"),
    [
        (OURS, ("lovelaceada_11_1_a.ipynb", "turingalan_12_1_a.ipynb")),
        (CANVAS, ("lovelaceada_11_1_a.ipynb", "turingalan_12_1_a.ipynb")),
        (CANVAS, ("Ada Lovelace_71_assignsubmission_file_a.ipynb", "Turing Alan_72_assignsubmission_file_a.ipynb")),
        (MOODLE, ("Ada Lovelace_11_assignsubmission_file_a.ipynb", "Alan Turing_12_assignsubmission_file_a.ipynb")),
        (MOODLE, ("Participant_11_assignsubmission_file_a.ipynb", "Participant_12_assignsubmission_file_a.ipynb")),
    ],
)
def test_a_class_list_gives_the_gradebooks_names(run, students, files):
    result, placed = run({files[0]: notebook(text="ada"), files[1]: notebook(text="alan")}, students)
    assert placed["al01/sampling/sampling.ipynb"] == notebook(text="ada")
    assert placed["at02/sampling/sampling.ipynb"] == notebook(text="alan")
    assert set(result.missing) <= {"99"}


def test_whoever_is_missing_or_unknown_is_named(run):
    result, placed = run({"hoppergrace_13_1_a.ipynb": notebook(), "turingalan_12_1_a.ipynb": notebook()}, OURS)
    assert list(placed) == ["at02/sampling/sampling.ipynb", "hoppergrace_13/sampling/sampling.ipynb"]
    text = "\n".join(summary(result))
    assert "Nothing from 1 on the class list: al01" in text
    assert "hoppergrace_13: not on the class list" in text


def test_canvass_number_is_not_moodles(run):
    """Moodle's numbers in a zip are not those of people in Canvas: the name has to say who it is."""
    _, placed = run({"Alan Turing_11_assignsubmission_file_a.ipynb": notebook(text="alan")}, OURS)
    assert list(placed) == ["at02/sampling/sampling.ipynb"]


def test_two_of_the_zip_never_become_one_of_the_list(tmp_path):
    (tmp_path / "list.csv").write_text(OURS)
    listed = read_class_list(tmp_path / "list.csv")
    zipped = [UploadName("canvas", "lovelaceada", 11, "a"), UploadName("canvas", "lovelaceada", 50, "a")]
    found = resolve(zipped, listed).students
    assert {who: [student.id for student in students] for who, students in found.items()} == {
        ("canvas", "11"): ["al01"]
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name,points\nAda,3\n", "is no class list"),
        ("id\na\nA\n", "two students have the id"),
        ("id\n../x\n", "cannot be the name of a folder"),
        ("id,email\n,a@b\n", "line 2: no id"),
        ("id\n" + "x" * 200 + "\n", "longer than 128"),
    ],
)
def test_a_wrong_class_list_is_refused(tmp_path, text, says):
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(CourseError, match=says):
        read_class_list(path)


def test_a_class_list_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "list.csv").write_bytes(b"id\n\0\n")
    for name in ("list.csv", "none.csv"):
        with pytest.raises(CourseError, match="cannot be read as a class list"):
            read_class_list(tmp_path / name)


@pytest.mark.parametrize(
    "name",
    [
        *("../../evil_1_2_a.ipynb", "/tmp/evil_1_2_a.ipynb", "C:\\evil_1_2_a.ipynb", "x/../evil_1_2_a.ipynb"),
        *("..\\evil_1_2_a.ipynb", "../Eve_1_assignsubmission_file_/a.ipynb"),
    ],
)
def test_names_that_leave_the_folder_are_refused(run, tmp_path, name):
    result, placed = run({name: notebook(text="evil"), "ada_8_9_sampling.ipynb": notebook()})
    assert list(placed) == ["ada_8/sampling/sampling.ipynb"]
    assert {path.name for path in tmp_path.iterdir()} == {"all.zip", "submitted"}
    assert result.look
    assert [outcome.became for outcome in result.outcomes if outcome.look] == [
        "refused: its name points outside the folder"
    ]


def test_links_are_refused(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo("eve_1_2_a.ipynb")
        member.create_system, member.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    result = collect(path, "sampling", tmp_path / "submitted")
    assert result.outcomes[0].became == "refused: a link or a special file"
    assert not list(tmp_path.rglob("*.ipynb"))


def test_a_bomb_and_absurd_sizes_are_refused(run, monkeypatch):
    monkeypatch.setattr(zips, "LARGEST", 2**21)
    result, placed = run(
        {
            "bomb_1_2_a.ipynb": b"0" * (2**22),
            "dull_3_2_sampling.ipynb": notebook(text="0" * 2**20),  # packs 900 times smaller, and is no bomb
            "big_2_2_a.ipynb": os.urandom(2**21 + 1),
            "ada_8_9_a.ipynb": notebook(),
        }
    )
    assert list(placed) == ["ada_8/sampling/sampling.ipynb", "dull_3/sampling/sampling.ipynb"]
    assert "2 MB are read" in became(result, "bomb_1_2_a.ipynb").became
    assert "2 MB are read" in became(result, "big_2_2_a.ipynb").became


def test_all_together_may_not_be_too_large_either(run, monkeypatch):
    monkeypatch.setattr(zips, "MOST_BYTES", 2 * len(notebook()))
    result, placed = run({f"s_{number}_2_a.ipynb": notebook() for number in range(4)})
    assert len(placed) == 2
    assert sum("too large" in outcome.became for outcome in result.outcomes) == 2


def test_too_many_files_are_refused(run, monkeypatch):
    monkeypatch.setattr(zips, "MOST_FILES", 3)
    with pytest.raises(CourseError, match="has 4 files"):
        run({f"s_{number}_2_a.ipynb": notebook() for number in range(4)})


def test_a_size_that_lies_is_found_out(tmp_path):
    """The list says ten bytes; there are many more. What is read ends where the list says, and the checksum tells."""
    path = make_zip(tmp_path / "all.zip", {"eve_1_2_a.ipynb": notebook(text="x" * 5000)})
    data = bytearray(path.read_bytes())
    central = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, central + 24, 10)
    path.write_bytes(data)
    result = collect(path, "sampling", tmp_path / "submitted")
    assert result.outcomes[0].became.startswith("damaged")
    assert result.look


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_damage_costs_one_file_or_ends_in_one_line(tmp_path, damage):
    path = make_zip(tmp_path / "all.zip", {"a_1_2_a.ipynb": os.urandom(4000), "b_2_2_a.ipynb": notebook()})
    data = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(data[:2000])
        with pytest.raises(CourseError, match="cannot be read as a zip"):
            collect(path, "sampling", tmp_path / "submitted")
    else:
        data[2000] ^= 0xFF
        path.write_bytes(data)
        result = collect(path, "sampling", tmp_path / "submitted")
        assert [outcome.became.split(":")[0] for outcome in result.outcomes] == ["damaged", "collected"]


def test_what_mac_and_windows_leave_is_not_worth_a_line(run):
    result, _ = run(
        {
            "ada_8_9_a.ipynb": notebook(),
            "__MACOSX/._ada_8_9_a.ipynb": b"\0",
            "x/.DS_Store": b"\0",
            "Thumbs.db": b"\0",
        }
    )
    assert len(result.outcomes) == 1


def test_other_endings_of_a_notebook_and_no_zip_inside(run):
    _, placed = run({"a_1_2_x.IPYNB": notebook(), "b_2_2_x.ipynb.txt": notebook(), "c_3_2_x.zip": b"PK"})
    assert sorted(placed) == ["a_1/sampling/sampling.ipynb", "b_2/sampling/sampling.ipynb"]


def test_a_name_in_utf8_that_does_not_say_so_is_read(tmp_path):
    path = make_zip(tmp_path / "all.zip", {"Nguyễn Văn An_5_assignsubmission_file_a.ipynb": notebook()})
    data = bytearray(path.read_bytes())
    for position in (data.index(b"PK\x03\x04") + 6, data.index(b"PK\x01\x02") + 8):
        flags = struct.unpack_from("<H", data, position)[0]
        struct.pack_into("<H", data, position, flags & ~0x800)
    path.write_bytes(data)
    assert collect(path, "sampling", tmp_path / "submitted").students == {"nguyen-van-an_5"}


def test_a_link_under_submitted_is_not_followed(run, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "submitted").mkdir()
    (tmp_path / "submitted" / "ada_8").symlink_to(elsewhere)
    result, _ = run({"ada_8_9_a.ipynb": notebook()})
    assert result.look
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_zip_of_an_lms_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "all.zip"
    path.write_bytes(content)
    with pytest.raises(CourseError) as raised:
        collect(path, "sampling", tmp_path / "submitted")
    assert "\n" not in str(raised.value)
