"""Which language is spoken in this process, on this machine's screen: nothing that decides looks here."""

from __future__ import annotations

import os

from vae_lab.language.catalogue import SOURCE, languages
from vae_lab.language.translate import translate

VARIABLE = "VAE_LAB_LANGUAGE"
"""Names the language of a process that no notebook has named it to: the book's, when its cells are run."""

_spoken: list[str] = []


def speak(language: str) -> None:
    """From now on, what is shown here is in this language, or in English where there are no messages in it.

    That is no error: behind the grader's walls there are no catalogues, and nobody reads there.

    Example:
        >>> speak("xx")
        >>> spoken()
        'en'
    """
    _spoken[:] = [language if language in languages() else SOURCE]


def spoken() -> str:
    """The language that is spoken here, English unless something has said otherwise.

    Example:
        >>> spoken()
        'en'
    """
    if _spoken:
        return _spoken[0]
    wanted = os.environ.get(VARIABLE, "")
    return wanted if wanted in languages() else SOURCE


def of_this_machine() -> str:
    """The language of whoever is at the keyboard, by what the system is set to; English if there are no messages in it.

    Example:
        >>> of_this_machine() in languages()
        True
    """
    settings = (os.environ.get(name, "") for name in (VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG"))
    setting = next((setting for setting in settings if setting), "")
    language = setting.partition(".")[0].partition("_")[0].lower()
    return language if language in languages() else SOURCE


def said(text: str) -> str:
    """A finished text in the language that is spoken here.

    Example:
        >>> said("Wanted one.")
        'Wanted one.'
    """
    return translate(text, spoken())
