"""A progress bar on stderr for commands that take a while."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm


class Progress:
    """A bar on stderr with rate and time left, from the first thing to do on.

    Where nobody watches a terminal, it is written every ten seconds.
    """

    def __init__(self, what: str, unit: str) -> None:
        self.what, self.unit = what, unit
        self.bar: tqdm[NoReturn] | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *problem: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def doing(self, name: str) -> None:
        """Name what is being done now."""
        if self.bar is not None:
            self.bar.set_postfix_str(name)

    def __call__(self, done: int, total: int) -> None:
        """So much of so much is done."""
        if self.bar is None and total:
            from tqdm import tqdm  # here, so that a command without a bar does not load it

            pause = 0.1 if sys.stderr.isatty() else 10.0
            self.bar = tqdm(total=total, desc=self.what, unit=self.unit, mininterval=pause, dynamic_ncols=True)
        if self.bar is not None:
            self.bar.total = total
            self.bar.update(done - self.bar.n)
