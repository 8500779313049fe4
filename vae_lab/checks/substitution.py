"""Judge a task that may stand on other tasks' functions with right ones in their place, so that a slip is charged once.

A lab's text says which of the student's own functions an answer may use. If such an answer fails its check, the check
is made again while the names of those functions mean right ones: what passes then is right in itself, and what was
wrong with the others has cost its points where they are asked for.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ParamSpec

from vae_lab.checks.messages import CheckFailed, GraphUsedUp

P = ParamSpec("P")
Functions = Mapping[str, Callable[..., Any]]
Replace = Callable[[Callable[..., Any], Functions], AbstractContextManager[None]]


@contextmanager
def replaced(answer: Callable[..., Any], functions: Functions) -> Iterator[None]:
    """While this lasts, names of the notebook that an answer stands in mean other functions.

    Args:
        answer: a function of the notebook.
        functions: what each name means; one that the notebook does not have is left alone, for that is told better.

    Example:
        >>> with replaced(inspect.getdoc, {"cleandoc": lambda text: "clean"}):
        ...     inspect.getdoc(max)
        'clean'
    """
    own = inspect.unwrap(answer)
    namespace: dict[str, Any] = getattr(own, "__globals__", None) or vars(sys.modules["__main__"])
    kept = {name: namespace[name] for name in functions if name in namespace}
    namespace.update({name: functions[name] for name in kept})
    try:
        yield
    finally:
        namespace.update(kept)


_replace: list[Replace] = [replaced]


def notebook_is_elsewhere(replace: Replace) -> None:
    """From now on the notebook is in another process, and names are replaced by this function."""
    _replace[:] = [replace]


def may_use(functions: Functions) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Decorate a check of an answer that may use other tasks' functions: if it fails, it is made with right ones.

    The check's first argument is the student's function. It fails if both fail, with what the second says.

    Args:
        functions: right functions by the names of the tasks that ask for them.

    Example:
        >>> def half(x):
        ...     return x / 3
        >>> def quarter(x):
        ...     return half(half(x))
        >>> @may_use({"half": lambda x: x / 2})
        ... def check_quarter(answer):
        ...     if answer(8) != 2:
        ...         raise CheckFailed(f"quarter: {answer(8)}")
        >>> check_quarter(quarter)
    """

    def decorate(check: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(check)
        def made(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                check(*args, **kwargs)
            except GraphUsedUp:
                raise
            except CheckFailed:
                answer = args[0] if args else next(iter(kwargs.values()))
                assert callable(answer)
                with _replace[0](answer, functions):
                    check(*args, **kwargs)

        return made

    return decorate
