"""Let a notebook run that was written on another machine: with other packages, a screen, a GPU, a compiler.

An import of a module that is not here does not stop the cell: its name is bound to something that raises when it is
used, so that whatever does not use it still works. After a cell that stopped for want of something, its remaining
imports and definitions are run. What was wanting is told, and a person decides.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib.util
from collections.abc import Callable
from typing import Any

import torch

from vae_lab.grading.rpc.lacking import lacking

NAME = "__not_here__"
WITHOUT_SCREEN = {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}  # of matplotlib's backends
DEFINES = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class NotHere:
    """Stands for a module that is not installed here, or for something of it: any use raises."""

    def __init__(self, module: str) -> None:
        object.__setattr__(self, "_module", module)

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        module = object.__getattribute__(self, "_module")
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    __call__ = __getitem__ = __iter__ = __enter__ = __mro_entries__ = __len__ = __bool__ = __float__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __neg__ = _refuse
    __lt__ = __gt__ = __le__ = __ge__ = __pow__ = __matmul__ = __int__ = __index__ = __setattr__ = _refuse

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # whatever looks at an object before it uses it
        return NotHere(object.__getattribute__(self, "_module"))  # to be named, in an annotation, is no use

    def __instancecheck__(self, value: Any) -> bool:
        return False


class Guard(ast.NodeTransformer):
    """Puts each import at a cell's top level into a `try` of its own, one name at a time."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Guard the statements of a cell, none inside of others: a `try` of the student's own means what it says."""
        body: list[ast.stmt] = []
        for statement in node.body:
            body += list(map(guarded, apart(statement))) if is_import(statement) else [statement]
        return ast.fix_missing_locations(ast.Module(body, node.type_ignores))


def is_import(statement: ast.stmt) -> bool:
    """Whether a statement imports names that can be bound one by one."""
    if isinstance(statement, ast.ImportFrom):
        return statement.module != "__future__" and all(alias.name != "*" for alias in statement.names)
    return isinstance(statement, ast.Import)


def apart(statement: ast.stmt) -> list[ast.stmt]:
    """An import as imports of one name each."""
    assert isinstance(statement, ast.Import | ast.ImportFrom)
    made: list[ast.stmt] = []
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            made.append(ast.copy_location(ast.Import([alias]), statement))
        else:
            made.append(ast.copy_location(ast.ImportFrom(statement.module, [alias], statement.level), statement))
    return made


def guarded(statement: ast.stmt) -> ast.stmt:
    """`try: import x` and, where there is no module x here, `x = __not_here__(error)`."""
    assert isinstance(statement, ast.Import | ast.ImportFrom)
    alias = statement.names[0]
    bound = alias.asname or alias.name.partition(".")[0]
    code = f"try:\n    pass\nexcept ModuleNotFoundError as __error__:\n    {bound} = {NAME}(__error__)"
    made = ast.parse(code).body[0]
    assert isinstance(made, ast.Try)
    made.body = [statement]
    return ast.copy_location(made, statement)


class Wanting:
    """What the cell that runs now has asked for in vain."""

    def __init__(self) -> None:
        self.modules: list[str] = []

    def not_here(self, error: ModuleNotFoundError) -> NotHere:
        """Bind a name to something that raises; an error about a module that is here is the student's own.

        Raises:
            ModuleNotFoundError: the same, if the package is here and only a part of it is not.
        """
        name = error.name or ""
        root = name.partition(".")[0]
        if root != "google" and _is_here(root):
            raise error
        self.modules.append(name)
        return NotHere(name)

    def take(self) -> list[str]:
        """The modules asked for since this was last called."""
        taken, self.modules = self.modules[:20], []
        return taken


def _is_here(root: str) -> bool:
    try:
        return importlib.util.find_spec(root) is not None
    except (ImportError, ValueError):
        return True


def settle(shell: Any) -> Wanting:
    """Make a shell's imports forgiving, and torch and matplotlib not mind what this machine has not."""
    wanting = Wanting()
    setattr(builtins, NAME, wanting.not_here)
    shell.ast_transformers.append(Guard())
    _replace(torch, "set_default_device", _only_what_is_there(torch.set_default_device))
    with contextlib.suppress(ImportError):
        import matplotlib
        import matplotlib.pyplot

        use, switch = matplotlib.use, matplotlib.pyplot.switch_backend
        _replace(matplotlib, "use", lambda backend, *, force=True: use(backend, force=False))
        _replace(
            matplotlib.pyplot, "switch_backend", lambda name: switch(name) if name.lower() in WITHOUT_SCREEN else None
        )
    return wanting


def _replace(module: Any, name: str, function: Callable[..., Any]) -> None:
    setattr(module, name, function)


def _only_what_is_there(set_device: Callable[[Any], None]) -> Callable[[Any], None]:
    """`torch.set_default_device` that refuses at once what would fail at every later call."""

    def set_default_device(device: Any) -> None:
        torch.empty(0, device=device)
        set_device(device)

    return set_default_device


def carry_on(error: BaseException, source: str, namespace: dict[str, Any]) -> None:
    """Run the imports and definitions of a cell below the line where it stopped for want of something.

    Args:
        error: what stopped it.
        source: the cell, as Python.
        namespace: of the notebook.
    """
    if not lacking(type(error).__name__, str(error)):
        return
    stopped, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals is namespace:
            stopped = trace.tb_lineno
            break
        trace = trace.tb_next
    with contextlib.suppress(Exception):
        for node in Guard().visit(ast.parse(source)).body:
            if isinstance(node, (*DEFINES, ast.Try)) and node.lineno > stopped:
                with contextlib.suppress(Exception):
                    exec(compile(ast.Module([node], []), "<cell>", "exec"), namespace)
