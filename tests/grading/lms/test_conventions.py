"""What Canvas, Moodle, Windows, Jupyter and spreadsheets make of names, times and lists, and what is made of it."""

from __future__ import annotations

import json
import zipfile
from datetime import datetime

import pytest

from tests.grading.lms_zip import NOON, make_zip, notebook
from vae_lab.grading.classroom.identities import beside, read_identities
from vae_lab.grading.course import CourseError
from vae_lab.grading.lms.class_list import read_class_list
from vae_lab.grading.lms.collect import collect, summary
from vae_lab.grading.lms.dates import read_date

MORNING, EVENING = (2026, 11, 20, 8, 0, 0), (2026, 11, 20, 20, 0, 0)
ADA, ALAN = "Ada Lovelace_101_assignsubmission_file", "Alan Turing_102_assignsubmission_file"


@pytest.fixture
def run(tmp_path):
    """Zip some files, collect them with a list, and give back the outcome and which folders have which notebook."""

    def collected(files, students=None, due=None):
        listed = None
        if students is not None:
            data = students if isinstance(students, bytes) else students.encode()
            (tmp_path / "list.csv").write_bytes(data)
            listed = read_class_list(tmp_path / "list.csv")
        result = collect(make_zip(tmp_path / "all.zip", files), "sampling", tmp_path / "submitted", listed, due)
        found = (tmp_path / "submitted").glob("*/sampling/sampling.ipynb")
        return result, {
            path.parts[-3]: json.loads(path.read_bytes())["cells"][0]["source"].split("\n")[-1] for path in found
        }

    return collected


@pytest.mark.parametrize("checkpoint", [".ipynb_checkpoints/sampling-checkpoint.ipynb", "sampling-checkpoint.ipynb"])
@pytest.mark.parametrize("time", [MORNING, NOON, EVENING])
def test_a_checkpoint_never_wins_and_one_that_is_not_older_is_for_a_person(run, checkpoint, time):
    result, placed = run(
        {f"{ADA}/{checkpoint}": (notebook(text="older"), time), f"{ADA}/sampling.ipynb": (notebook(text="mine"), NOON)}
    )
    assert placed == {"ada-lovelace_101": "mine"}
    assert result.look == (time != MORNING)


def test_a_checkpoint_alone_is_taken_and_pointed_out(run):
    result, placed = run({"lovelaceada_2001_7_sampling-checkpoint-1.ipynb": notebook(text="old")})
    assert placed == {"lovelaceada_2001": "old"}
    assert result.look


def test_two_that_differ_are_for_a_person_and_equal_time_is_not_newer(run):
    result, placed = run(
        {f"{ADA}/sampling.ipynb": notebook(text="mine"), f"{ADA}/sampling-Copy1.ipynb": notebook(text="copy")}
    )
    assert placed == {"ada-lovelace_101": "mine"}
    assert result.look
    assert not any("newer" in outcome.became for outcome in result.outcomes)
    result, _ = run(
        {f"{ADA}/sampling.ipynb": notebook(text="mine"), f"{ADA}/again/sampling.ipynb": notebook(text="mine")}
    )
    assert not result.look


def test_everybody_in_the_zip_is_counted_whatever_was_handed_in(run):
    result, placed = run(
        {
            "lovelaceada_2001_link.html": b"x",
            "turingalan_LATE_2002_text.html": b"x",
            "hoppergrace_2003_9_sampling.ipynb": notebook(),
            "Emmy N_4_assignsubmission_onlinetext/onlinetext.html": b"x",
            "Kurt G_5_assignsubmission_file/sampling.ipynb.zip": b"PK",
        }
    )
    assert len(result.students) == 5
    assert list(placed) == ["hoppergrace_2003"]
    assert summary(result)[-1] == "5 students, 1 with a notebook"
    assert (
        "No notebook from 4 who handed something in: emmy-n_4, kurt-g_5, lovelaceada_2001, turingalan_2002"
        in summary(result)
    )


def test_a_zip_of_texts_alone_is_no_strange_zip(run):
    result, _ = run({"lovelaceada_2001_link.html": b"x", "turingalan_2002_text.html": b"x"})
    assert summary(result)[-1] == "2 students, 0 with a notebook"


@pytest.mark.parametrize(
    "name", ["sampling.json", "sampling.ipynb.download", "sampling.ipynb (1)", "sampling", "sampling.txt"]
)
def test_a_notebook_that_lost_its_ending_is_known_by_what_it_holds(run, name):
    _, placed = run({f"b_2_12_{name}": notebook(text="mine"), f"c_3_13_{name}": b"something else"})
    assert placed == {"b_2": "mine"}


def test_backslashes_of_windows_are_slashes(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"{ADA}_\\deep\\sampling.ipynb", NOON), notebook())
        archive.writestr(zipfile.ZipInfo(f"{ALAN}_\\..\\..\\sampling.ipynb", NOON), notebook())
    result = collect(path, "sampling", tmp_path / "submitted")
    assert [outcome.became for outcome in result.outcomes] == [
        "refused: its name points outside the folder",
        "collected",
    ]


def test_anonymous_students_of_canvas_are_collected_and_somebody_called_anon_is_not_one(run):
    _, placed = run({"anon_aB3xY_71_sampling.ipynb": notebook(), "LATE_anon_23456_72_sampling.ipynb": notebook()})
    assert set(placed) == {"anon_aB3xY", "anon_23456"}
    _, placed = run({"anon_23457_81_sampling.ipynb": notebook(), "ada_2001_82_sampling.ipynb": notebook()})
    assert {"anon_23457", "ada_2001"} <= set(placed)


SHEET = (
    'Identifier,"Full name","ID number","Email address",Status,Group,Grade,"Last modified (submission)"\n'
    '"Participant 101","Ada Lovelace",al01,ada@x.org,Submitted,"Group B",,"Friday, 20 November 2026, 11:00 AM"\n'
    '"Participant 102","Alan Turing",at02,alan@x.org,Submitted,"Group A",,"Friday, 20 November 2026, 1:30 PM"\n'
    '"Participant 103","Grace Hopper",gh03,grace@x.org,Submitted,"Group A",,-\n'
)


def test_a_groups_work_goes_to_its_members_and_its_number_is_nobodys(run, tmp_path):
    result, placed = run({"Group A_101_assignsubmission_file/sampling.ipynb": notebook(text="ours")}, SHEET)
    assert placed == {"at02": "ours", "gh03": "ours"}
    assert result.missing == ["al01"]
    people = read_identities(beside(tmp_path / "submitted", "sampling")).people
    assert [people[student].participant for student in ("at02", "gh03")] == ["102", "103"]


def test_a_number_and_a_name_that_contradict_are_for_a_person(run, tmp_path):
    result, placed = run(
        {"Team X_101_assignsubmission_file/sampling.ipynb": notebook(), f"{ALAN}/sampling.ipynb": notebook()}, SHEET
    )
    assert set(placed) == {"team-x_101", "at02"}
    assert result.look
    assert "number 101 is al01's on the class list, but the zip calls it 'Team X'" in "\n".join(summary(result))


def test_due_goes_by_the_worksheet_and_not_by_the_time_of_a_download(run, tmp_path):
    files = {f"{ADA}/sampling.ipynb": (notebook(), EVENING), f"{ALAN}/sampling.ipynb": (notebook(), EVENING)}
    due = datetime(2026, 11, 20, 12, 0, 0).astimezone()
    late = lambda result: {one.student for one in result.outcomes if one.became.endswith(", late")}  # noqa: E731
    result, _ = run(files, SHEET, due)
    assert late(result) == {"at02"}
    assert not any("within minutes" in note for note in result.notes)
    result, _ = run(files, None, due)
    assert late(result) == set()
    assert any("within minutes" in note for note in result.notes)
    assert not (tmp_path / "submitted" / "ada-lovelace_101" / "sampling" / "timestamp.txt").exists()


IN_OTHER_LANGUAGES = {  # Moodle's strftimedaydatetime of each language pack
    "vi": "Thứ Sáu, 20 tháng 11 2026, 1:30 PM",
    "vi, in letters": "Thứ sáu, 20 Tháng mười một 2026, 13:30",
    "de": "Freitag, 20. November 2026, 13:30",
    "fr": "vendredi 20 novembre 2026, 13:30",
    "es": "viernes, 20 de noviembre de 2026, 13:30",
    "pt_br": "sexta-feira, 20 de novembro de 2026 às 13:30",
    "pl": "piątek, 20 listopada 2026, 13:30",
    "ru": "пятница, 20 ноября 2026, 13:30",
    "ja": "2026年 11月 20日(金曜日) 13:30",
    "zh_cn": "2026年11月20日 星期五 13:30",
    "ko": "2026년 11월 20일(금요일), 오후 1:30",
    "ar": "الجمعة، 20 نوفمبر 2026، 1:30 PM",
    "tr": "20 Kasım 2026, Cuma, 13:30",
    "fi": "perjantai, 20. marraskuuta 2026, 13.30",
    "digits": "20/11/2026, 13:30",
}


@pytest.mark.parametrize("text", IN_OTHER_LANGUAGES.values(), ids=list(IN_OTHER_LANGUAGES))
def test_a_worksheets_time_is_read_in_any_language(text):
    assert read_date(text) == datetime(2026, 11, 20, 13, 30).astimezone()


@pytest.mark.parametrize(
    "text", ["-", "", "17.50", "May 2026", "Participant 2026", "I ran it 2026 times in 10:30 min", "x" * 9000]
)
def test_what_is_no_time_is_none(text):
    assert read_date(text) is None


def test_times_that_cannot_be_read_are_said(run):
    sheet = SHEET.replace("Friday, 20 November 2026, 11:00 AM", "the 20th of Blotmath 2026, 11:00").replace(
        "Friday, 20 November 2026, 1:30 PM", "-"
    )
    result, _ = run({f"{ADA}/sampling.ipynb": notebook()}, sheet)
    assert "Blotmath" in "\n".join(result.notes)


LISTS = {
    "Canvas, last and first name": "LastName,FirstName,ID,SIS User ID,SIS Login ID,Section\nPoints Possible,,,,,\n"
    "Lovelace,Ada,2001,7,al01,A\nTuring,Alan,2002,8,at02,A\n",
    "Canvas, muted, with its test student": 'Student,ID,SIS Login ID,Section,x (9)\n,,,,Manual Posting\n'
    '"Lovelace, Ada",2001,al01,A,N/A\n"Turing, Alan",2002,at02,A,\n"Student, Test",2999,0a1b2c,A,\n',
    "semicolons, commas in the head": "\ufeffStudent;ID;SIS Login ID;Section;a, b, c, d, e (7);x (9)\n"
    "Lovelace, Ada;2001;al01;A;;\nTuring, Alan;2002;at02;A;;\n",
    "sep=": "sep=;\nid;first_name;last_name\nal01;Ada;Lovelace\nat02;Alan;Turing\n",
    "blanks and numbers of a spreadsheet": " ID , First_Name , LMS_User_ID \nal01, Ada, 2001\nat02, Alan, 2002.0\n",
    "UTF-16": "id,first_name,last_name\nal01,Ada,Lovelace\nat02,Alan,Turing\n".encode("utf-16"),
    "Windows": "id,first_name,last_name\nal01,Ada,Lovelace\nat02,Alan,Turing\nzm,Zoë,Müller\n".encode("cp1252"),
    "Moodle's grades": '"First name","Last name","ID number","Email address"\nAda,Lovelace,al01,a@x.org\n'
    "Alan,Turing,at02,b@x.org\n",
    "Moodle's participants, in French": "Prénom,Nom,Nom d'utilisateur,Adresse de courriel\nAda,Lovelace,al01,a@x.org\n"
    "Alan,Turing,at02,b@x.org\n",
    "Moodle's worksheet": 'Identifier,"Full name","ID number"\n"Participant 101","Ada Lovelace",al01\n'
    '"Participant 102","Alan Turing",at02\n',
}  # fmt: skip
OTHER_IDS = {
    "German": 'ID,"Vollständiger Name","E-Mail-Adresse",Status\n"Teilnehmer/in101","Ada Lovelace",al01@x.org,\n'
    '"Teilnehmer/in102","Alan Turing",at02@x.org,\n',
    "Indonesian": 'ID,"Nama lengkap","Alamat email",Status\n"Peserta101","Ada Lovelace",al01@x.org,\n'
    '"Peserta102","Alan Turing",at02@x.org,\n',
    "of a language that nobody thought of": 'Xy,"Zw","Vu"\n"Qqq101","Ada Lovelace",al01@x.org\n'
    '"Qqq102","Alan Turing",at02@x.org\n',
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_class_lists_are_read_as_they_are(run, name):
    number = {"Ada": 101, "Alan": 102} if "Moodle" in name else {"Ada": 2001, "Alan": 2002}
    moodle = {f"Ada Lovelace_{number['Ada']}_assignsubmission_file/sampling.ipynb": notebook(text="ada"),
              f"Alan Turing_{number['Alan']}_assignsubmission_file/sampling.ipynb": notebook(text="alan")}  # fmt: skip
    canvas = {
        "lovelaceada_2001_7_sampling.ipynb": notebook(text="ada"),
        "turingalan_2002_8_sampling.ipynb": notebook(text="alan"),
    }
    result, placed = run(moodle if "Moodle" in name else canvas, LISTS[name])
    assert placed == {"al01": "ada", "at02": "alan"}
    assert set(result.missing) <= {"zm"}


@pytest.mark.parametrize("language", OTHER_IDS)
def test_a_worksheet_is_known_by_its_form_in_any_language(run, language):
    _, placed = run(
        {f"{ADA}/sampling.ipynb": notebook(text="ada"), f"{ALAN}/sampling.ipynb": notebook(text="alan")},
        OTHER_IDS[language],
    )
    assert placed == {"al01@x.org": "ada", "at02@x.org": "alan"}


def test_a_blind_worksheet_and_a_blind_zip_fit_by_the_number(run):
    sheet = 'Identifier,Status,Grade,"Maximum Grade"\n"Participant 101",,,20.00\n"Participant 102",,,20.00\n'
    _, placed = run({"Participant_101_assignsubmission_file/sampling.ipynb": notebook(text="who")}, sheet)
    assert placed == {"participant_101": "who"}


def test_two_of_one_name_without_addresses_get_names_of_their_own(run):
    sheet = "Identifier,Full name,Grade\nParticipant 101,Ada Lovelace,\nParticipant 103,Ada Lovelace,\n"
    _, placed = run({f"{ADA}/sampling.ipynb": notebook(text="first")}, sheet)
    assert placed == {"ada-lovelace_101": "first"}


def test_a_list_that_matches_nobody_is_an_error(run):
    with pytest.raises(
        CourseError, match=r"nobody in .* is on the class list: the zip has e.g. 'Ada Lovelace' with number 101"
    ):
        run({f"{ADA}/sampling.ipynb": notebook()}, "id,first_name,last_name\nx1,Kurt,Goedel\n")


def test_vietnamese_arabic_and_polish_names_meet_in_canvas(run):
    names = "id,first_name,last_name\nn1,Văn An,Nguyễn\nn2,محمد,الأحمد\nn3,Łukasz,Żółć\n"
    _, placed = run({f"{name}_{number}_7_sampling.ipynb": notebook(text=str(number)) for number, name in
                     enumerate(["annguyễnvăn", "الأحمدمحمد", "żółćłukasz"], 1)}, names)  # fmt: skip
    assert placed == {"n1": "1", "n2": "2", "n3": "3"}


def test_another_assignments_worksheet_is_told_and_its_numbers_are_nobodys(run, tmp_path):
    """Moodle numbers students anew: here 102 is Ada, and Grace has a number that the worksheet does not know."""
    files = {
        "Ada Lovelace_102_assignsubmission_file/sampling.ipynb": notebook(text="ada"),
        "Grace Hopper_999_assignsubmission_file/sampling.ipynb": notebook(text="grace"),
    }
    result, placed = run(files, SHEET)
    assert placed == {"ada-lovelace_102": "ada", "gh03": "grace"}
    assert result.look
    known = read_identities(beside(tmp_path / "submitted", "sampling"))
    assert known.people["gh03"].participant == "999"
    assert known.worksheet is None
    assert "another assignment's" in "\n".join(summary(result))


def test_who_was_anonymous_once_keeps_the_folder_for_good(run):
    run({"anon_aB3xY_71_sampling.ipynb": notebook(text="first")})
    for order in (71, 71, 95):  # named, collected again, handed in again
        files = {f"lovelaceada_2001_{order}_sampling.ipynb": notebook(text=str(order))}
        result, _ = run(files, "id,first_name,lms_user_id\nal01,Ada,2001\n")
        assert result.students == {"anon_aB3xY"}
        assert result.missing == []
        assert result.people["anon_aB3xY"].canvas == "2001"
