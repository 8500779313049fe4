"""How long a submission's code is waited for: less, once some of it has not ended.

The first cell or call that does not end gets its whole limit. What is known not to end is not called again; whatever
runs after that gets a shorter leash: 5 s once one thing has not ended, 1 s once two have not. When all that was waited
for in vain comes to the longest limit and 10 s, grading stops. So a notebook in which everything loops costs about
40 s, and one that is slow, but ends, has all the time that the limits give.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from vae_lab.grading.limits import Limits
from vae_lab.grading.rpc.autograd import Link
from vae_lab.grading.rpc.peer import Peer
from vae_lab.grading.rpc.proxy import PROXIES, Proxy, RemoteError
from vae_lab.grading.rpc.wire import Late

GRACE_SECONDS = 2.0  # in which the student's side can say that it has interrupted something
LEASHES = (5.0, 1.0)  # seconds, once one thing has not ended, and once more have not
MORE_SECONDS = 10.0  # waited for in vain beyond the longest limit
UNTIMED = ("names", "replace", "begin", "cell", "patience")  # not calls of a student's function
INTERRUPTED, CIRCLES = "TookTooLong", "StandsStill"  # what the student's side calls it


class CutShort(RemoteError):
    """A call was over its time, or was not made because an earlier one was; the text is the judge's own."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.kind, self.text = INTERRUPTED, text

    def __str__(self) -> str:
        return self.text

    def in_full(self) -> str:
        """What it says."""
        return self.text


@dataclass(frozen=True)
class Thing:
    """What may not end: a function, "" for one without a name; or a cell, by its place and the task that it answers.

    `replaced` are the names that meant right functions at the time: what does not end may be one of those they replace.
    """

    name: str
    replaced: frozenset[str] = frozenset()
    cell: int | None = None

    def __str__(self) -> str:
        if self.cell is not None:
            return f"the cell of `{self.name}`" if self.name else "a cell of its own"
        return f"`{self.name}`" if self.name else "something"


class Patience:
    """What was learned of one submission: what did not end, and how much time that cost.

    Args:
        limits: of the submission.

    Example:
        >>> patience = Patience(Limits())
        >>> patience.leash(30.0), patience.note(Thing("f"), 30.0, 30.1), patience.leash(30.0)
        (30.0, True, 5.0)
        >>> patience.refusal(Thing("f"))
        'Not tried again: `f` did not end within 30 s in an earlier call.'
        >>> patience.flags()
        ['did not end: `f` within 30 s']
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.most = max(limits.cell_seconds, limits.call_seconds) + MORE_SECONDS
        self.unending: dict[Thing, float] = {}
        self.circles: set[Thing] = set()
        self.lost = 0.0
        self.replaced: frozenset[str] = frozenset()

    @property
    def exhausted(self) -> bool:
        """Whether nothing more is to be run."""
        return self.lost >= self.most

    def leash(self, whole: float) -> float:
        """How long the next thing may take, of the whole that its limit gives."""
        return min([whole, *LEASHES[: len(self.unending) - len(self.circles)]])

    def for_cell(self, cell: Thing) -> float:
        """How long a cell may take; one that did not end runs again only for what it defines before."""
        whole = self.limits.cell_seconds
        return min(whole, LEASHES[-1]) if cell in self.unending else self.leash(whole)

    def note(self, thing: Thing, given: float, took: float) -> bool:
        """Learn from how long something took; whether it was over its time."""
        if took < given:
            return False
        self.lost += took
        self.unending.setdefault(thing, given)
        return True

    def note_circles(self, thing: Thing, took: float) -> None:
        """Learn that something goes in circles, which shows soon: what comes after has its whole time."""
        self.lost += took
        if thing not in self.unending:
            self.unending[thing] = took
            self.circles.add(thing)

    def refusal(self, thing: Thing) -> str:
        """Why something is not tried, or ""."""
        if thing.name and thing in self.unending:
            if thing in self.circles:
                return f"Not tried again: {thing} did not end in an earlier call, where it went in circles."
            return f"Not tried again: {thing} did not end within {self.unending[thing]:g} s in an earlier call."
        listed = self._list()
        return f"Not tried: too much of this notebook did not end ({listed})." if self.exhausted else ""

    def words(self, thing: Thing) -> str:
        """What to say of something that was over its time."""
        if thing in self.circles:
            return "Your code does not end: it came back to a line, and nothing that its loop looks at had changed."
        given = self.unending[thing]
        before = next(other for other in self.unending if other not in self.circles)
        if before == thing:
            return f"Your code took longer than {given:g} s."
        first = f"{before} did not end within {self.unending[before]:g} s"
        return f"Your code took longer than {given:g} s, all that it was given after {first}."

    def _list(self) -> str:
        named = (
            f"{thing}, which goes in circles" if thing in self.circles else f"{thing} within {given:g} s"
            for thing, given in self.unending.items()
        )
        return "; ".join(dict.fromkeys(named))

    def flags(self) -> list[str]:
        """A flag for an instructor, if something did not end."""
        listed = self._list()
        return [f"did not end: {listed}"] if self.unending else []


class PatientPeer(Peer):
    """A connection that gives each call of a student's function the time that is left to it.

    What a call is about is the name that a test knows it by: of a method, the name of what made its object.
    """

    patience: Patience
    given = 0.0  # seconds that the student's side was last told
    waited = 0.0  # for a call that could not be interrupted
    root = ""

    def __init__(self, *args: Any, patience: Patience, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patience = patience
        self.roots: dict[Proxy, str] = {}
        self.iterated: dict[Proxy, float] = {}

    def ask(self, op: str, *values: Any, link: Link | None = None) -> Any:
        """Ask the other side, and wait no longer than is known to be worth it.

        Raises:
            CutShort: if it took too long, or would.
        """
        if self._depth or op in UNTIMED:
            result = super().ask(op, *values, link=link)
            if op == "names" and type(result) is dict:
                for name, value in result.items():
                    self._remember(value, name)
            return result
        thing = self._about(values)
        if refusal := self.patience.refusal(thing):
            raise self._noted(CutShort(refusal), op, values)
        limits = self.patience.limits
        leash = self.patience.leash(min(limits.call_seconds, limits.test_seconds))
        if leash != self.given:
            self.given = leash
            super().ask("patience", leash)
        spent = self.iterated.get(values[0], 0.0) if op == "next" else 0.0
        began, outer = time.monotonic() - spent, self.deadline
        wait = began + leash + GRACE_SECONDS
        self.deadline = wait if outer is None else min(outer, wait)
        try:
            result = super().ask(op, *values, link=link)
        except RemoteError as error:
            if error.kind == CIRCLES:
                self.patience.note_circles(thing, time.monotonic() - began)
                raise self._noted(CutShort(self.patience.words(thing)), op, values) from None
            if error.kind == INTERRUPTED and self.patience.note(thing, leash, time.monotonic() - began):
                raise self._noted(CutShort(self.patience.words(thing)), op, values) from None
            raise
        except Late:
            self.waited = leash if self.patience.note(thing, leash, time.monotonic() - began) else 0.0
            raise
        finally:
            self.deadline = outer
        if op == "next":  # to go through an iterator is one call, however many it gives
            self.iterated[values[0]] = time.monotonic() - began
            if self.patience.note(thing, leash, time.monotonic() - began):
                raise self._noted(CutShort(self.patience.words(thing)), op, values)
        self._remember(result, thing.name)
        return result

    def _about(self, values: tuple[Any, ...]) -> Thing:
        proxies = (value for value in values if isinstance(value, Proxy) and value in self.roots)
        self.root = next((self.roots[proxy] for proxy in proxies), self.root)
        return Thing(self.root, self.patience.replaced)

    def _remember(self, value: Any, name: str) -> None:
        for one in value if type(value) in (tuple, list) else (value,):
            if type(one) in PROXIES.values():
                self.roots.setdefault(one, name)
