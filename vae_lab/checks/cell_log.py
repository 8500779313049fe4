"""How a notebook's named cells ended, for the overview: never run, stopped by an error in some line, or fine."""

from __future__ import annotations

import ast
import re
from typing import Any

from vae_lab.checks.common_errors import in_plain_words
from vae_lab.checks.student_line import student_line

ANCHOR = re.compile(r"^\s*(?:#|<!--)\s*vae-lab:\s*[\w-]+/([\w-]+)", re.MULTILINE)
"""The comment that names a cell, whatever has become of its metadata."""

_ENDED: dict[str, str] = {}


def stopped(error: BaseException | None) -> str:
    """What ended a cell, in words, "" if nothing did.

    Example:
        >>> try:
        ...     compile("def f(x)", "cell", "exec")
        ... except SyntaxError as error:
        ...     print(stopped(error))
        SyntaxError in line 1: expected ':'
    """
    if error is None:
        return ""
    kind = type(error).__name__
    if isinstance(error, SyntaxError):
        return f"{kind} in line {error.lineno}: {error.msg}"
    line = student_line(error)
    where = f" in line {line.number}" if line and line.function.startswith(("<module", "<cell")) else ""
    plain = in_plain_words(kind, str(error), line.source if line else "")
    return f"{kind}{where}: {error}".rstrip(": ") + (f"\n{plain}" if plain else "")


def watch(shell: Any) -> None:
    """From now on, write down how each named cell of this kernel ends."""

    def note(result: Any) -> None:
        name = ANCHOR.search(result.info.raw_cell or "")
        if name:
            _ENDED[name[1]] = stopped(result.error_before_exec or result.error_in_exec)

    known = shell.events.callbacks["post_run_cell"]
    if not any(getattr(callback, "__qualname__", "") == note.__qualname__ for callback in known):
        shell.events.register("post_run_cell", note)


def ended() -> dict[str, str]:
    """How each named cell that ran since `watch` ended: "" or what stopped it."""
    return dict(_ENDED)


def is_released_stub(source: str) -> bool:
    r"""Whether a solution cell is still as released: every function in it only raises NotImplementedError.

    Example:
        >>> is_released_stub("def f(x):\n    '''f.'''\n    # YOUR CODE HERE\n    raise NotImplementedError()")
        True
        >>> is_released_stub("def f(x):\n    return x\ndef g(x):\n    raise NotImplementedError()")
        False
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return not tree.body or (bool(functions) and all(_only_raises(function) for function in functions))


def _only_raises(function: ast.FunctionDef) -> bool:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return len(body) == 1 and isinstance(body[0], ast.Raise) and "NotImplementedError" in ast.dump(body[0])
