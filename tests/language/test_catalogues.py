"""Each catalogue of labs and messages: complete, current, and in the words that the course has decided on."""

import re
import unicodedata
from pathlib import Path

import polib
import pytest
from book.sources import ROOT

from tools.sentences import sentences
from tools.words import ENGLISH_ONLY, PACKAGE, SAYING, catalogues, is_program, messages
from vae_lab.language.leftover import is_english
from vae_lab.language.template import PLACE

CATALOGUES = sorted((ROOT / "locale").glob("*/LC_MESSAGES/*.po"))
OURS = [path for path in CATALOGUES if path.stem == "messages" or path.stem.startswith("lab-")]

# English, what has to stand in the translation, and nothing else for it; a name in code is no word.
BINDING = {
    r"\blatent": "tiềm ẩn",
    r"\bencoder": "bộ mã hóa",
    r"\bdecoder": "bộ giải mã",
    r"\bautoencoder": "bộ tự mã hóa",
    r"\bbackpropagation": "lan truyền ngược",
    r"\bchain rule": "quy tắc dây chuyền",
    r"\bnoise": "nhiễu",
    r"\bvariances?\b": "phương sai",
    r"\bstandard deviation": "độ lệch chuẩn",
    r"\bprior\b": "tiên nghiệm",
    r"\bposterior": "hậu nghiệm",
    r"\blikelihood": "độ hợp lý",
    r"\bunbiased": "không chệch",
    r"\bentry by entry|\belementwise": "theo từng phần tử",
    r"\bstochastic\b": "ngẫu nhiên",
    r"\bdeterministic\b": "tất định",
    r"\bestimators?\b": "bộ ước lượng",
    r"\bthe lecture\b": "bài giảng",
    r"\bnodes?\b": "nút",
    r"\bKL divergence": "độ phân kỳ KL",
    r"\bderivatives?\b": "đạo hàm",
    r"\bloss\b": "hàm mất mát",
    r"\bdistribution\b": "phân phối",
    r"\bcomputation graph": "đồ thị tính toán",
}
REFUSED = re.compile(
    r"biến ẩn|đơn định|phân bố|hàm lỗi|hoá|tự mã hóa biến đổi|mẹo|kỹ xảo|các em|cận dưới của bằng chứng|quy tắc chuỗi",
    re.IGNORECASE,
)
CODE = re.compile(r"`[^`]*`|\"[^\"]*\"|\$[^$]*\$|\{[^{}]*\}|[\w.]*\([^()]*\)|\]\([^)]*\)|[\w]*[._=]\w[\w.]*")
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
LINK = re.compile(r"\]\(([^)]+)\)")
MATH = re.compile(r"\$\$?[^$]+\$\$?")
EMPHASIS = re.compile(r"(?<!\*)\*([^*\n]{3,60})\*(?!\*)")
IN_MATH = re.compile(r"\\text\{[^{}]*\}")  # words in a formula


def texts(path: Path):
    """An entry each, with a name short enough to be read."""
    return [pytest.param(entry, id=f"{path.stem}:{number}") for number, entry in enumerate(polib.pofile(str(path)))]


ENTRIES = [entry for path in OURS for entry in texts(path)]


def test_there_are_some():
    assert {path.stem for path in OURS} >= {"messages", "lab-elbo", "lab-generation", "lab-sampling"}


def test_they_hold_what_is_said_and_nothing_else():
    wanted = catalogues()
    for path in OURS:
        there = [entry.msgid for entry in polib.pofile(str(path))]
        assert len(there) == len(set(there))
        assert set(there) == set(wanted[path.stem]), f"run: python -m tools.words {path.parents[1].name}"


def test_whatever_has_sentences_is_translated_or_named_as_english_only():
    """A module with words in it that nobody listed would be English in every language, and no other test would see."""
    package = ROOT / PACKAGE
    known = {path for pattern in (*SAYING, *ENGLISH_ONLY) for path in package.glob(pattern)}
    told = set(messages())
    left = {
        path.relative_to(package).as_posix(): new
        for path in sorted(set(package.rglob("*.py")) - known)
        if (new := [text for text in sentences(path.read_text("utf-8")) if text not in told and not is_program(text)])
    }
    assert not left


def test_what_judges_is_english_only_where_no_student_reads_it():
    judge = {path.name for path in (ROOT / PACKAGE / "grading" / "judge").glob("*.py")}
    english = {Path(pattern).name for pattern in ENGLISH_ONLY if pattern.startswith("grading/judge/")}
    assert english == {"kinds.py", "value_text.py", "watching.py"} <= judge


def test_no_catalogue_is_of_nothing():
    assert {path.stem for path in OURS} == set(catalogues())


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_every_entry_is_translated_and_none_is_fuzzy(path):
    po = polib.pofile(str(path))
    assert not [entry.msgid for entry in po if not entry.msgstr]
    assert not po.fuzzy_entries()
    assert not po.obsolete_entries()


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_letters_are_composed(path):
    text = path.read_text(encoding="utf-8")
    assert unicodedata.is_normalized("NFC", text)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_places_code_links_formulas_and_numbers_are_those_of_the_source(path):
    for entry in polib.pofile(str(path)):
        ours, theirs = IN_MATH.sub("", entry.msgid), IN_MATH.sub("", entry.msgstr).replace("`đạt`", "`passed`")
        for what in (PLACE, LINK, re.compile(r"`[^`\n]+`")):
            assert sorted(what.findall(ours)) == sorted(what.findall(theirs)), entry.msgid
        assert sorted(MATH.findall(ours)) == sorted(MATH.findall(theirs)), entry.msgid
        numbers = set(NUMBER.findall(re.sub(r"\bzero\b", "0", ours)))
        assert numbers == set(NUMBER.findall(theirs)), entry.msgid


@pytest.mark.parametrize("path", [path for path in OURS if path.parents[1].name == "vi"], ids=lambda path: path.stem)
def test_terms_are_the_ones_decided_on(path):
    for entry in polib.pofile(str(path)):
        words = CODE.sub(" ", entry.msgid)
        for english, vietnamese in BINDING.items():
            found = re.search(english, words)
            if found and not re.search(rf"\b{found[0]}\b", entry.msgstr):  # as it is: a name in code
                assert vietnamese in entry.msgstr.lower().replace("kl", "KL"), (entry.msgid, vietnamese)
        assert not REFUSED.search(entry.msgstr), entry.msgstr


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_no_english_is_left_in_a_translation(path):
    for entry in polib.pofile(str(path)):
        for line in CODE.sub(" ", entry.msgstr).splitlines():
            assert not is_english(line), entry.msgstr


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_control_that_a_text_names_is_called_so(path):
    """`*what decodes where*` in a text is the label of an interaction, which has its own translation."""
    labels = {entry.msgid: entry.msgstr for entry in polib.pofile(str(path.with_name("widgets.po")))}
    for entry in polib.pofile(str(path)):
        for named in EMPHASIS.findall(entry.msgid):
            if " " in named and named in labels:
                assert f"*{labels[named]}*" in entry.msgstr, entry.msgstr
