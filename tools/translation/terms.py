"""The words of the course in Vietnamese: what is used for a term, and what is not.

Where an entry's English has the term on the left, its translation has one of those on the right. An entry that does
well without (a pronoun stands for the word, say) carries the translator's comment `# free: encoder`.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from pathlib import Path

from tools.translation.inert import words

USED = {
    r"reparameteri[sz]\w+": ("tái tham số hóa",),
    r"latent variables?": ("biến tiềm ẩn",),
    r"latent space": ("không gian tiềm ẩn",),
    r"variational autoencoders?": ("bộ tự mã hóa biến phân",),
    r"autoencoders?": ("bộ tự mã hóa",),
    r"encoders?": ("bộ mã hóa",),
    r"decoders?": ("bộ giải mã",),
    r"computation graphs?": ("đồ thị tính toán",),
    r"stochastic nodes?": ("nút ngẫu nhiên",),
    r"deterministic": ("tất định",),
    r"backpropagation": ("lan truyền ngược",),
    r"chain rule": ("quy tắc dây chuyền",),
    r"gradients?": ("gradient",),
    r"derivatives?": ("đạo hàm",),
    r"elementwise": ("theo từng phần tử",),
    r"expectations?": ("kỳ vọng",),
    r"variances?": ("phương sai",),
    r"standard deviations?": ("độ lệch chuẩn",),
    r"normal distributions?": ("phân phối chuẩn",),
    r"posterior collapse": ("sụp đổ hậu nghiệm",),
    r"posteriors?": ("hậu nghiệm",),
    r"prior": ("tiên nghiệm",),
    r"likelihoods?": ("độ hợp lý",),
    r"evidence lower bound": ("cận dưới bằng chứng",),
    r"KL divergence": ("độ phân kỳ KL",),
    r"estimators?": ("bộ ước lượng",),
    r"unbiased": ("không chệch",),
    r"generative model": ("mô hình sinh",),
    r"hidden tests?": ("phép kiểm tra ẩn", "kiểm tra ẩn"),
}
NEVER = {
    "mẹo": "thủ thuật",
    "kỹ xảo": "thủ thuật",
    "biến ẩn": "biến tiềm ẩn",
    "không gian ẩn": "không gian tiềm ẩn",
    "bộ tự mã hóa biến đổi": "bộ tự mã hóa biến phân",
    "đơn định": "tất định",
    "phân bố": "phân phối",
    "cận dưới của bằng chứng": "cận dưới bằng chứng",
    "hàm lỗi": "hàm mất mát",
    "các em": "bạn",
}
OLD_MARK = re.compile(r"(?i)(?:o[áàảãạ]|o[éèẻẽẹ]|(?<!q)u[ýỳỷỹỵ])(?!\w)")  # hoá for hóa, khoẻ for khỏe
SHORT_I = re.compile(r"(?i)\b(?:lí|kĩ|kì|mĩ|tỉ lệ)\b")  # lý, kỹ, kỳ, mỹ, tỷ lệ


STAYS = Path(__file__).parents[2] / "locale" / "vi" / "stays-english.txt"
BOTH = {"can", "con", "hay", "in", "long", "may", "them", "tin", "to"}  # Vietnamese, too
VIETNAMESE = re.compile(r"[ăđơưạ-ỹ]")
ITALIC = re.compile(r"(?<!\*)\*[^*]+\*(?!\*)")
ASIDE = re.compile(r"\([^()]*\)|\*[^*]*→[^*]*\*")  # the English in brackets, and what a menu is called


@functools.cache
def stays() -> frozenset[str]:
    """The English words that may stand in Vietnamese text."""
    lines = STAYS.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def left_in_english(english: str, there: str, *, placeholders: bool = False) -> list[str]:
    """Words of the English that still stand in the translation and may not."""
    low = re.compile(r"(?<![\w.-])[a-z]{3,}(?![\w-])")
    if VIETNAMESE.search(english.lower()):  # the lecture's own words, say: they are the same in both books
        return []
    labels = set(ITALIC.findall(english)) & set(ITALIC.findall(there))  # what a program calls a thing
    for label in labels:
        there = there.replace(label, " ")
    before = set(low.findall(words(english, placeholders=placeholders)))
    after = low.findall(ASIDE.sub(" ", words(there, placeholders=placeholders)))
    return [word for word in dict.fromkeys(after) if word in before - stays() - BOTH]


def faults(english: str, there: str, free: str = "") -> list[str]:
    """What is wrong with the words of a translation; `free` is the translator's comment."""
    found = []
    excused = (
        {word.strip().lower() for word in free.removeprefix("free:").split(",")} if free.startswith("free:") else set()
    )
    if there != unicodedata.normalize("NFC", there):
        found.append("is not in Unicode NFC")
    low = there.lower()
    for word, instead in NEVER.items():
        if re.search(rf"\b{word}\b", low) and word not in excused:
            found.append(f"says {word!r}: the course says {instead!r}")
    for pattern, spelling in ((OLD_MARK, "hóa, khỏe, thủy"), (SHORT_I, "lý, kỹ, kỳ, tỷ lệ")):
        found += [f"spells {word!r}: the course spells as in {spelling}" for word in pattern.findall(there)]
    rest = english
    for pattern, used in USED.items():
        term = re.search(rf"(?i)\b{pattern}\b", rest)
        if not term:
            continue
        if term[0].lower() in excused or term[0].lower().rstrip("s") in excused:
            continue
        if not any(word.lower() in low for word in used):
            found.append(f"has {term[0]!r} in English and not {' or '.join(map(repr, used))}")
        rest = re.sub(rf"(?i)\b{pattern}\b", " ", rest)
    return found
