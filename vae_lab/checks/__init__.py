"""What a lab's test cells call: one module for each lab, on torch and math alone.

`start(lab)` begins a lab: from then on, until the kernel is restarted, this package's own answers to the lab's tasks
raise instead of answering. `overview()` says how its tasks stand.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, NoReturn

from vae_lab.checks.cell_log import watch
from vae_lab.checks.compute_device import device
from vae_lab.checks.lab_overview import Overview, look
from vae_lab.checks.passing import in_notebook, passed, ready
from vae_lab.language import SOURCE, said, speak

__all__ = ["device", "in_notebook", "overview", "passed", "ready", "start"]


class Reserved:
    """Stands where an answer was: calling it, subclassing it or looking into it says to write it yourself."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(said(f"this lab asks you to write {self.__name__} yourself"))

    __call__ = __mro_entries__ = _refuse

    def __repr__(self) -> str:
        return f"<reserved: this lab asks you to write {self.__name__} yourself>"


def overview() -> Overview | None:
    """Run the visible tests again and say how the lab's tasks stand: passed, failed, not attempted, what to read next.

    Returns:
        A table that Jupyter and Colab show; None where no person is looking, and nothing is run there.

    Example:
        >>> overview() is None
        True
    """
    return look() if in_notebook() else None


def start(lab: str, language: str = SOURCE) -> None:
    """Begin a lab: make each name that its module lists in RESERVES raise.

    Args:
        lab: the lab's name, e.g. "sampling".
        language: of what is shown from now on, e.g. "vi"; English where there are no messages in it.

    Raises:
        ValueError: if there is no such lab.

    Example:
        >>> start("pottery")
        Traceback (most recent call last):
            ...
        ValueError: start: there is no lab 'pottery'.
    """
    try:
        reserves: tuple[str, ...] = importlib.import_module(f"{__name__}.{lab}").RESERVES
    except (ImportError, AttributeError):
        raise ValueError(f"start: there is no lab {lab!r}.") from None
    speak(language)
    if in_notebook():
        watch(sys.modules["IPython"].get_ipython())
    package = importlib.import_module("vae_lab")
    for name in package.__all__:  # modules that use each other's names fetch them now, while those are the real ones
        getattr(package, name)
    for path in reserves:
        module, _, name = path.rpartition(".")
        importlib.import_module(module)
        setattr(sys.modules[module], name, Reserved(name))
