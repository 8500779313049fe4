"""What may be read of a check that failed on hidden inputs: its own words, and no value that the answer gave."""

from __future__ import annotations

import ast
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import vae_lab.checks
from vae_lab.checks import generation, sampling
from vae_lab.checks.messages import CheckFailed, Misconception, Said
from vae_lab.grading.judge.hidden_words import CHECKS, LEFT_OUT, Place, Words, _argument, words_of
from vae_lab.grading.lab.source import LabCell


def words(source: str, **names: Any) -> tuple[Words, str]:
    """What may be read of what a test cell asserts, and the message itself."""
    cell = LabCell("tests", "t", 1.0, source, source, code=True, locked=True)
    with pytest.raises(AssertionError) as caught:
        exec(compile(source, "<t>", "exec"), {"torch": torch, "sampling": sampling, "generation": generation, **names})
    return words_of(caught.value, cell), str(caught.value)


def every_fail() -> list[tuple[str, ast.Call, Place]]:
    found = []
    for path in sorted(CHECKS.rglob("*.py")):
        tree = ast.parse(path.read_text())
        name = f"vae_lab.checks.{'.'.join(path.relative_to(CHECKS).with_suffix('').parts)}"
        names = vars(__import__(name, fromlist=["x"])) if path.name != "__init__.py" else {}
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                for statement in ast.walk(function):
                    match statement:
                        case ast.Expr(value=ast.Call(func=ast.Name(id="fail")) as call):
                            place = Place(function, statement, names)
                            found.append((f"{path.name}:{statement.lineno}", call, place))
    return found


EVERY = every_fail()


def test_there_are_many_messages() -> None:
    assert len(EVERY) > 100
    assert CHECKS.is_relative_to(vae_lab.checks.__path__[0])


@pytest.mark.parametrize(("where", "call", "place"), EVERY, ids=[where for where, _, _ in EVERY])
def test_every_message_of_a_check_has_words_that_stay(where: str, call: ast.Call, place: Place) -> None:
    for number in (1, 2):
        said = [" ".join(part for part in form if part) for form in _argument(call, number, place)]
        assert any(any(letter.isalpha() for letter in text) for text in said), where


CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "keys": (
        "sampling.check_node_kinds(f)",
        {"f": lambda: {"secret": 1, "z has shape": 2}},
        'node_kinds: the result has the keys …. Wanted "before" and "after".',
    ),
    "a key that looks like the rest of the message": (
        "sampling.check_node_kinds(f)",
        {"f": lambda: {"a'].\nLikely mistake: secret": 1}},
        'node_kinds: the result has the keys …. Wanted "before" and "after".',
    ),
    "a shape": (
        "sampling.check_reparameterize(f)",
        {"f": lambda mu, logvar: mu[:77, :1]},
        "reparameterize: z has shape [n, 1]. Wanted [n, n].",
    ),
    "a type": (
        "sampling.check_hand_gradients(f)",
        {"f": lambda logvar, eps: {"secret": 1}},
        "hand_gradients: the result is of type dict. Wanted two tensors, (dz_dmu, dz_dlogvar).",
    ),
    "a type of the student's own": (
        "sampling.check_hand_gradients(f)",
        {"f": lambda logvar, eps: type("Secret", (), {})()},
        "hand_gradients: the result is of type object. Wanted two tensors, (dz_dmu, dz_dlogvar).",
    ),
    "a number": (
        "sampling.check_reparameterize(f)",
        {"f": lambda mu, logvar: mu + 1.234 * torch.exp(logvar / 2) * torch.randn_like(mu)},
        "reparameterize: the spread of z is … times sigma. Wanted spread sigma, mean mu and independent normal noise.",
    ),
    "a share": (
        "generation.check_recognisable_fraction(f)",
        {"f": lambda decode, d, n, classify: classify(torch.sigmoid(decode(torch.randn(n, d)))).sum() * 0 + 0.123},
        "recognisable_fraction: the result is …. Wanted … for these z.",
    ),
    "a mistake with a name": (
        "sampling.check_std_from_logvar(f)",
        {"f": lambda logvar: torch.exp(logvar)},
        "std_from_logvar: sigma looks like exp(logvar). … Wanted exp(logvar / 2).\nLikely mistake: ",
    ),
    "a text of the cell's own": (
        'y = f(1)\nassert y == 2, f"f(1) is {y}, and not 2"',
        {"f": lambda x: 5150},
        "f(1) is …, and not 2",
    ),
    "values side by side": (
        "first, then = f()\nassert False, f'wrong. {first} {then} Wanted one.'",
        {"f": lambda: ("With images of", "6 pixels.")},
        "wrong. … Wanted one.",
    ),
    "a text that the cell did not write": ("assert g(f), f()", {"f": lambda: "secret", "g": lambda x: False}, "…"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_read_is_words_of_the_check(case: str) -> None:
    source, names, wanted = CASES[case]
    found, full = words(source, **names)
    assert found.text.startswith(wanted), full
    assert "secret" not in found.text.lower()
    assert found.whole == (found.text == full) == (LEFT_OUT not in found.text and "[n" not in found.text)


def test_a_mistake_that_no_check_knows_is_not_told() -> None:
    source = "raise made"
    made = CheckFailed("f: q17 q18")
    cell = LabCell("tests", "t", 1.0, source, source, code=True, locked=True)
    made.said = Said("secret", "q17", "q18", Misconception("it is 7.", "intro"))
    assert words_of(made, cell) == Words(f"A check: {LEFT_OUT}", False)


KEYS = st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), st.integers(), max_size=5)


@settings(max_examples=60, deadline=None)
@given(KEYS)
def test_no_choice_of_keys_changes_what_is_read(keys: dict[str, int]) -> None:
    assume_other = {**keys, "a key": 1}
    found, _ = words("sampling.check_node_kinds(f)", f=lambda: assume_other)
    assert found.text == CASES["keys"][2]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 10**9), st.integers(2, 10**9))
def test_no_choice_of_lengths_changes_what_is_read(first: int, second: int) -> None:
    found, _ = words(
        "sampling.check_reparameterize(f)", f=lambda mu, logvar: mu[:0, :1].expand(0, second).reshape(0, first)
    )
    assert found.text == "reparameterize: z has shape [n, n]. Wanted [n, n]."
