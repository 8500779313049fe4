"""An interaction in a Vietnamese notebook speaks Vietnamese, and what has no translation English."""

import pytest

from vae_lab.language import speak
from vae_lab.language.catalogue import Entry
from vae_lab.widgets import Reparameterization, interaction


@pytest.fixture
def two_words(monkeypatch):
    english = Reparameterization.english()
    keys = [key for key, text in english.items() if "{" not in text][:2]
    known = tuple(Entry(english[key], f"tiếng Việt {key}") for key in keys)
    monkeypatch.setattr(interaction, "entries", lambda language, name: known if language == "vi" else ())
    yield keys
    speak("en")


def test_its_words_follow_the_notebook(two_words):
    assert Reparameterization().words == Reparameterization.english()
    speak("vi")
    words = Reparameterization().words
    assert [words[key] for key in two_words] == [f"tiếng Việt {key}" for key in two_words]
    assert words.keys() == Reparameterization.english().keys()
    others = [key for key in words if key not in two_words]
    assert all(words[key] == Reparameterization.english()[key] for key in others)
