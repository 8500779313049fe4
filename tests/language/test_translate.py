"""What has been said is put into Vietnamese, sentence by sentence; values and a student's own words stay."""

import pytest

from vae_lab.language import languages, said, speak, spoken, translate
from vae_lab.language.leftover import left_in_english
from vae_lab.language.state import of_this_machine
from vae_lab.language.translate import LONGEST, LONGEST_LINE

ONE_EACH = [
    (
        "reparameterize: z has shape [3, 1]. Wanted [3, 2].\nLikely mistake: mu was detached on its way into z.",
        "reparameterize: z có shape [3, 1]. Cần [3, 2].\nCó lẽ sai ở đây: mu bị detach trên đường vào z.",
    ),
    (
        "VAE.encode: mu is of type list. Wanted one torch.Tensor.",
        "VAE.encode: mu có kiểu list. Cần một torch.Tensor.",
    ),
    (
        "kl: the values are wrong. By hand: for mu = 1, logvar = 0 you give 3, wanted 0.5. Wanted the formula of the "
        "text.",
        "kl: các giá trị sai. Tính tay: với mu = 1, logvar = 0 bạn cho ra 3, cần 0.5. Cần công thức trong đề.",
    ),
    (
        'node_kinds: the result is of type list. Wanted {"before": ..., "after": ...}, a set of names in each.',
        'node_kinds: kết quả có kiểu list. Cần {"before": ..., "after": ...}, mỗi khóa một tập hợp (set) các tên.',
    ),
    (
        "The gradient of the result of f reaches mu, sigma and part of net.",
        "Gradient của kết quả của f đến được mu, sigma và một phần của net.",
    ),
    (
        'Read next: the book\'s page "The labs" (https://x.org/book/labs.html).',
        'Đọc tiếp: trang "Các bài thực hành" của sách (https://x.org/vi/book/labs.html).',
    ),
    (
        "Likely mistake: after the trick z is computed from mu and sigma, so that the gradient passes to both and "
        "on to phi.",
        "Có lẽ sai ở đây: sau thủ thuật, z được tính từ mu và sigma, nên gradient đi đến cả hai rồi đến phi.",
    ),
    (
        "k: With images of 6 pixels and D = 3 it is 0.5 reconstruction + 6 KL; wanted reconstruction + KL.",
        "k: Với ảnh 6 điểm ảnh và D = 3, nó là 0.5 phần tái tạo + 6 KL; cần phần tái tạo + KL.",
    ),
    (
        "Not tried: too much of this notebook did not end (`f` within 30 s; the cell of `g`, which goes in circles; "
        "something within 1 s).",
        "Chưa thử: quá nhiều phần của notebook này không dừng (`f` trong 30 giây; ô của `g`, cứ chạy vòng tròn; "
        "một phần mã trong 1 giây).",
    ),
    (
        "f: Your code took longer than 5 s, all that it was given after `g` did not end within 30 s.",
        "f: Mã của bạn chạy lâu hơn 5 giây, là toàn bộ thời gian nó được cho sau khi `g` không dừng trong 30 giây.",
    ),
    ("passed: half, 1 point in view", "đạt: half, 1 điểm nhìn thấy được"),
    ("    Wanted one.  ", "    Cần có.  "),
]

THEIRS = [
    "the result is 3",
    "Wanted one.",
    "Likely mistake: mu was detached on its way into z.",
    "the values are wrong. Wanted one.",
    "passed",
    "{what} has shape {shape}.",
    "<b>Wanted one.</b> & `x`",
]


@pytest.fixture(autouse=True)
def english_again():
    yield
    speak("en")


@pytest.mark.parametrize(("english", "vietnamese"), ONE_EACH)
def test_a_message_is_translated_and_its_values_are_kept(english, vietnamese):
    assert translate(english, "vi") == vietnamese
    assert left_in_english(english, "vi") == []


@pytest.mark.parametrize("text", [english for english, _ in ONE_EACH])
def test_english_and_a_language_without_a_catalogue_leave_it_alone(text):
    assert translate(text, "en") == translate(text, "xx") == text


@pytest.mark.parametrize("own", THEIRS)
def test_what_an_exception_says_is_not_translated(own):
    """The first line is ours up to the exception's text; a line of their code, and a sentence on it, come after."""
    told = f"f(float32 [3]) raised ValueError: {own}\nIn f, line 3: raise ValueError({own!r})\nWanted it kept."
    assert translate(told, "vi") == (
        f"f(float32 [3]) báo ValueError: {own}\nTrong f, dòng 3: raise ValueError({own!r})\nCần giữ số ấy."
    )


@pytest.mark.parametrize("own", THEIRS)
@pytest.mark.parametrize("end", ["", "\nIn a cell, line 2: x"])
def test_nor_is_one_of_several_lines(own, end):
    for first in ("f(3) raised ValueError: one", "ValueError: one", "f_tests stopped: KeyError: one"):
        shown = translate(f"{first}\n{own}\n{own}{end}", "vi").split("\n")
        assert shown[1:3] == [own, own]


@pytest.mark.parametrize("name", ["missing", "passed", "half", "points", "read", "note"])
def test_a_name_is_no_word(name):
    assert translate(f"{name}: {name} has shape [1].", "vi") == f"{name}: {name} có shape [1]."
    assert f"`{name}`" in translate(f"You have not defined `{name}`.", "vi")


def test_what_follows_a_sentence_that_is_left_out_is_translated():
    text = "half: far from 0, the values are wrong. … Wanted minus the logit for a sure mistake."
    assert translate(text, "vi") == "half: ở xa 0, các giá trị sai. … Cần đúng bằng logit đổi dấu khi sai mà chắc chắn."
    assert left_in_english(text, "vi") == []


def test_a_sentence_that_nobody_knows_stays_and_is_found():
    text = "half: the moon is made of cheese. Wanted one."
    assert translate(text, "vi") == "half: the moon is made of cheese. Cần có."
    assert left_in_english(text, "vi") == ["the moon is made of cheese."]


@pytest.mark.parametrize(
    "text",
    [
        "x" * (LONGEST + 1),
        "the result is " * (LONGEST // 14),
        "a, " * 6000,
        ". ".join("z of it is" for _ in range(150)),
        "\n".join("the result has shape [" for _ in range(800)),
        "raised " * 280,
        "(" * LONGEST_LINE,
        "{what} has shape {shape}." * 70,
        "\u0000\u202e Wanted one. \ud800",
    ],
)
def test_text_made_to_be_slow_is_given_back(text):
    """Each sentence is looked for in one pass from left to right: nothing here takes longer than it is long."""
    assert isinstance(translate(text, "vi"), str)


def test_a_process_speaks_what_it_was_told():
    assert spoken() == "en"
    speak("vi")
    assert said("passed") == "đạt"
    speak("no such language")
    assert (spoken(), said("passed")) == ("en", "passed")


@pytest.mark.parametrize(
    ("setting", "language"), [("vi_VN.UTF-8", "vi"), ("C.UTF-8", "en"), ("de_DE", "en"), ("", "en")]
)
def test_the_system_says_what_it_speaks(monkeypatch, setting, language):
    for name in ("VAE_LAB_LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", setting)
    assert of_this_machine() == language


def test_the_languages_are_those_that_have_messages():
    assert languages() == ("en", "vi")
