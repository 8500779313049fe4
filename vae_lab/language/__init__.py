"""The course's words in another language: `said(text)` where something is shown, never where it is decided.

Checks, verdicts and records are English in every class: one record, whatever its reader speaks. What a person reads is
translated at the door, from catalogues of gettext's kind in `locale/<language>/LC_MESSAGES/`, which the wheel brings
along. What has no entry stays English, and a test names it.

In reading order: `catalogue` (files, entries), `template` (an entry with places for values), `translate`, `state`
(which language is spoken here), `leftover` (what no entry is for).
"""

from vae_lab.language.catalogue import SOURCE, languages
from vae_lab.language.state import of_this_machine, said, speak, spoken
from vae_lab.language.translate import phrase, translate

__all__ = ["SOURCE", "languages", "of_this_machine", "phrase", "said", "speak", "spoken", "translate"]
