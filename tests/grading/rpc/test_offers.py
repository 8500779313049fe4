"""What a check hands to an answer shows what the task speaks of; what a function was lent for ends with the check."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from tests.grading.far import side
from vae_lab.checks.instruments.probe import Probe
from vae_lab.checks.instruments.recording_model import RecordingModel
from vae_lab.checks.instruments.train_epochs import UnevenModel
from vae_lab.grading.judge.session import _while
from vae_lab.grading.rpc.objects import MODULE_METHODS
from vae_lab.grading.rpc.proxy import RemoteError

MODELS: dict[str, Callable[[], torch.nn.Module]] = {
    "Probe": lambda: Probe(3),
    "RecordingModel": lambda: RecordingModel(3, 5),
    "UnevenModel": lambda: UnevenModel(3, 5),
}
SPOKEN_OF = {"latent_dim", "encode", "decode", "forward"} | MODULE_METHODS
LOOK = """
def look(model, names):
    found = []
    for name in names:
        try:
            getattr(model, name)
        except AttributeError:
            continue
        found.append(name)
    return found

def write(model, name):
    setattr(model, name, 3)

KEPT = []
def keep(function):
    KEPT.append(function)
    return function(2)

def use():
    return KEPT[0](2)

def give():
    return {"answer": [KEPT[0]]}
"""


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_a_check_shows_what_the_task_speaks_of(name: str) -> None:
    model = MODELS[name]()
    everything = sorted({*dir(model), *vars(model), "nothing", "__dict__", "__class__", "__init__"})
    with side(LOOK) as (_, names):
        found = {name for name in names["look"](model, everything) if not name.startswith("_")}
        assert found <= SPOKEN_OF
        assert {"encode", "decode", "parameters", "latent_dim"} <= found
        books = [book for book in ("seen", "decoded", "encodings", "picture", "table", "drawn") if hasattr(model, book)]
        assert books
        assert not found & {*books, "up", "down", "mu", "logvar", "logits", "weight", "near"}


@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_set_on_a_model_of_a_check(name: str) -> None:
    model = MODELS[name]()
    with side(LOOK) as (_, names):
        for attribute in ("latent_dim", "decode", "encodings", "seen"):
            before = getattr(model, attribute, None)
            with pytest.raises(RemoteError):
                names["write"](model, attribute)
            assert getattr(model, attribute, None) == before


def test_a_function_that_was_lent_answers_no_more() -> None:
    lent = [True]
    with side(LOOK) as (_, names):
        assert names["keep"](_while(lent, lambda x: x + 1)) == 3
        assert names["use"]() == 3
        lent.clear()
        with pytest.raises(RuntimeError):
            names["use"]()
        kept = names["give"]()["answer"][0]
        with pytest.raises(RuntimeError, match="lent for one check"):
            kept(2)
