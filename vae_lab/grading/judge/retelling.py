"""Words for checks that failed, from a process that has never seen a hidden input.

What a student may read of a check that failed once hidden inputs were known has no values in it (`hidden_words`). So
the notebook runs once more, beside a namespace and in a process of its own: of the tests only the visible part of those
that failed. What these say is told in full. Where they pass, what a hidden line called is called again, with other
values of the same kind. Verdicts stay as they are.
"""

from __future__ import annotations

import time

from vae_lab.checks.messages import told
from vae_lab.grading.judge.judge import Again, Judge, TestTookTooLong, remote_in
from vae_lab.grading.judge.kinds import kind_of, of_same_kind
from vae_lab.grading.judge.patience import GRACE_SECONDS, CutShort
from vae_lab.grading.judge.session import OutOfTime
from vae_lab.grading.judge.submitted_notebook import Step
from vae_lab.grading.judge.verdict import clean
from vae_lab.grading.lab.source import LabCell
from vae_lab.grading.rpc.proxy import CallableProxy, RemoteError
from vae_lab.grading.rpc.wire import WireError

OTHER_VALUES = "(A hidden check called it like this; the words are from a call with other numbers.)"


def retell(judge: Judge) -> None:
    """Say more of what failed, where more may be said; what is decided stays."""
    if judge.withheld:
        Retelling(judge).run()


class Retelling(Judge):
    """Runs a submission again for what its failed tests say.

    Args:
        judge: the one that has decided.
    """

    def __init__(self, judge: Judge) -> None:
        super().__init__(judge.lab, judge.submission, judge.limits, judge.session.warm, judge.seed, judge.report)
        self.decided = judge
        self.session.end = min(self.session.end, judge.session.end)
        self.session.patience = judge.session.patience

    def run(self) -> None:
        """Run the cells up to the last test that has more to say."""
        steps = self.submission.steps
        wanted = [place for place, step in enumerate(steps) if step.kind == "tests" and self._may_say_more(step)]
        if not wanted:
            return
        try:
            for place, step in enumerate(steps[: wanted[-1] + 1]):
                if step.kind != "tests":
                    self._run_step(step)
                elif place in wanted:
                    self._tell(step)
        except (OutOfTime, WireError):
            pass
        finally:
            self.session.close()
            self.decided.session.cpu += self.session.cpu

    def _may_say_more(self, step: Step) -> bool:
        """Whether a test failed in its visible part, has a call to make again, or visible lines that it never reached.

        Where it came to a hidden line, all that is visible before has passed.
        """
        cell = self._cell(step)
        withheld = self.decided.withheld.get(cell.grade_id)
        if withheld is None or not withheld.hidden or withheld.again is not None:
            return withheld is not None
        lines = enumerate(cell.source.splitlines(), start=1)
        return any(
            number > min(cell.hidden)
            and number not in cell.hidden
            and line.strip()
            and not line.strip().startswith("#")
            for number, line in lines
        )

    def _cell(self, step: Step) -> LabCell:
        assert step.cell is not None
        return self.lab.cells[step.cell]

    def _tell(self, step: Step) -> None:
        """Run the visible part of a test, and report what it says if it fails."""
        assert step.cell is not None
        cell = self.lab.cells[step.cell]
        message = ""
        try:
            self.session.connected()
            self._run_source(step.cell, cell.released)
            message = self._said_again(self.decided.withheld[cell.grade_id].again)
        except (WireError, OutOfTime):
            self.session.close()
        except (Exception, TestTookTooLong) as error:
            if not isinstance(remote_in(error), CutShort) and self._belongs(error, cell):
                message = self._all_words(error, cell)
        if message:
            self.report(cell.grade_id, False, clean(message))

    def _belongs(self, error: BaseException, cell: LabCell) -> bool:
        """Whether an exception is about the student's answer, and not about what a test that is left out would make."""
        if isinstance(error, AssertionError) or remote_in(error) is not None:
            return True
        if isinstance(error, NameError):
            return self._means_students(error.name or "", cell)
        return isinstance(error, Exception) and not self.decided.withheld[cell.grade_id].hidden

    def _said_again(self, again: Again | None) -> str:
        """What the student's function says, called with values that have nothing but their kind from a hidden test."""
        peer = self.session.peer
        if again is None or peer is None:
            return ""
        peer.deadline = min(time.monotonic() + self.limits.test_seconds, self.session.end) + GRACE_SECONDS
        named, found = self._named(peer.last_call), peer.ask("names", [again.name])
        function = found.get(again.name) if type(found) is dict else None
        if not isinstance(function, CallableProxy):
            return ""
        models = named.args if named is not None and named.name == again.name else ()
        models = models if len(models) == len(again.args) else (None,) * len(again.args)
        args = [of_same_kind(value, model) for value, model in zip(again.args, models, strict=True)]
        try:
            function(*args)
        except CutShort:
            return ""
        except RemoteError as error:
            call = f"{again.name}({', '.join(map(kind_of, args))})"
            return f"{told(call, error)}\n{OTHER_VALUES}"
        return ""
