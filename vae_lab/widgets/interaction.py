"""What every interaction has in common: it computes in the browser, from traits that travel in the page.

A page of the built book has no kernel, so an interaction's JavaScript must need nothing from Python once it is drawn.
In JupyterLab and Colab the same traits are live: what the reader moves can be read in the next cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from vae_lab.language.catalogue import entries
from vae_lab.language.state import spoken
from vae_lab.widgets import words

HERE = Path(__file__).parent


def module(script: str, *shared: str) -> str:
    """The JavaScript of an interaction: its shared parts and its own file, one after the other, as one module.

    No module imports another, so that the page works from `file://`, where a browser fetches nothing.

    Args:
        script: the interaction's file in this folder.
        shared: names of files in `shared/`, or of a folder beside it as "engine/layers", without `.js`, in the order of
            their use.

    Raises:
        FileNotFoundError: if there is no such file.

    Example:
        >>> module("reparameterization.js", "elements").startswith("// Elements that every interaction is built from")
        True
    """
    parts = [HERE / (f"{name}.js" if "/" in name else f"shared/{name}.js") for name in shared] + [HERE / script]
    return "\n".join(part.read_text(encoding="utf-8") for part in parts)


def within(ranges: Mapping[str, tuple[float, float]]) -> Any:
    """A validator for numbers of an interaction: each is refused outside of its range, ends included.

    Args:
        ranges: the lowest and the highest value of each trait, by its name.

    Example:
        >>> class Slider(traitlets.HasTraits):
        ...     mu = traitlets.Float(0.0)
        ...     _in_range = within({"mu": (-3, 3)})
        >>> Slider(mu=4.0)
        Traceback (most recent call last):
        ...
        traitlets.traitlets.TraitError: Slider: mu is 4.0; wanted -3 to 3.
    """

    @traitlets.validate(*ranges)
    def in_range(self: traitlets.HasTraits, proposal: traitlets.Bunch) -> float:
        low, high = ranges[proposal.trait.name]
        if not low <= proposal.value <= high:
            raise traitlets.TraitError(
                f"{type(self).__name__}: {proposal.trait.name} is {proposal.value}; wanted {low:g} to {high:g}."
            )
        value: float = proposal.value
        return value

    return in_range


class Interaction(anywidget.AnyWidget):
    """A widget of the course: a subclass adds its traits, and its JavaScript as `_esm = module(...)`.

    Traits:
        words: all that it says, key -> sentence, from `words/<module>.json`, in the language that is spoken here.
            Entries that are given take the place of the English ones.

    Example:
        >>> ".vae-lab" in Interaction._css
        True
    """

    _css = (HERE / "shared" / "theme.css").read_text(encoding="utf-8")
    words = traitlets.Dict(key_trait=traitlets.Unicode(), value_trait=traitlets.Unicode()).tag(sync=True)

    @classmethod
    def english(cls) -> dict[str, str]:
        """The widget's table as it is written, for those who translate it."""
        return words.table(cls.__module__.rpartition(".")[2])

    @traitlets.default("words")
    def _spoken(self) -> dict[str, str]:
        """In the language of the notebook that shows it, as far as the catalogue goes."""
        return words.translated(self.english(), {one.text: one.translation for one in entries(spoken(), "widgets")})

    @traitlets.validate("words")
    def _replaced(self, proposal: traitlets.Bunch) -> dict[str, str]:
        try:
            return words.replaced(self.english(), proposal.value)
        except ValueError as error:
            raise traitlets.TraitError(f"{type(self).__name__}: {error}") from error
