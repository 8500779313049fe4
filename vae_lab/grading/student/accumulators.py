"""The names that a loop only adds to: whatever their values are, the loop goes on in the same way.

    while i < 10:              # i is never changed
        total += f(i)          # total is only added to
        seen.append(total)     # and seen only grows

A name is left aside if each place in the loop that reads it is an update of such a name, by `+`, `-` or `*`, an
`append` or a `print`: nothing that can choose a branch or raise reads it. What is not certain is not left aside.
"""

from __future__ import annotations

import ast
import linecache
import types
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import torch

FUNCTIONS = frozenset({"abs", "float", "len"})  # of one argument, which cannot fail once they have not failed
METHODS = frozenset({"detach", "item"})
LEAVES_BY_ITSELF = (ast.Try, ast.With, ast.Yield, ast.YieldFrom, ast.Await, ast.Global, ast.Nonlocal, ast.Delete)
ADDS = (ast.Add, ast.Sub, ast.Mult)
NUMBERS = (bool, int, float, torch.Tensor)
MODULES = frozenset({"torch", "numpy", "math", "random"})

Function = ast.Module | ast.FunctionDef | ast.Lambda
Loop = ast.While | ast.For


class Accumulators(NamedTuple):
    """What may be left aside of a state.

    Args:
        names: of values; only their kinds count.
        chance: whether the states of random numbers may be left aside too: draws reach nothing but these names.
    """

    names: frozenset[str] = frozenset()
    chance: bool = False


class Update(NamedTuple):
    """A statement that gives a name its next value, or a list one more."""

    name: str
    target: ast.Name
    value: ast.expr
    appends: bool


def accumulators(frame: types.FrameType, codes: Iterable[types.CodeType]) -> Accumulators:
    """The names that the loop around a frame's line only adds to.

    Args:
        frame: that is executed.
        codes: all that have been executed in the loop.
    """
    code = frame.f_code
    loop = _loop(code.co_filename, code.co_name, code.co_firstlineno, frame.f_lineno)
    if loop is None or not (FUNCTIONS | {"print"}).isdisjoint({*frame.f_globals, *code.co_varnames}):
        return Accumulators()
    if frame.f_locals is frame.f_globals:
        others = {name for other in codes if other is not code for name in (*other.co_names, *other.co_freevars)}
        own = {name for name in code.co_names if name not in others}
    else:
        own = set(code.co_varnames) - set(code.co_cellvars) - set(code.co_freevars)
    names, fast, appended = _only_added_to(loop, frozenset(own))
    for name in names:
        kinds, kind = (list,) if name in appended else NUMBERS, type(frame.f_locals.get(name))
        if kind not in kinds or (name in fast and kind in (bool, int)):
            return Accumulators()
    return Accumulators(names, bool(names) and _draws_reach_only(names, loop, frame))


def kind_of(value: object) -> object:
    """All that counts of the value of such a name."""
    if isinstance(value, torch.Tensor):
        return [value.dtype, value.shape, value.device, value.requires_grad, value.is_leaf]
    return type(value).__name__


@lru_cache(64)
def _loop(file: str, name: str, first: int, line: int) -> Loop | None:
    """The outermost loop of a function that a line is in."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError, RecursionError):
        return None
    functions: Iterator[Function] = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == name and first in (node.lineno, *_decorated(node))
    )
    inside = tree if name == "<module>" else next(functions, None)
    loops = (node for node in _statements(inside) if isinstance(node, Loop)) if inside is not None else iter(())
    found = next((loop for loop in loops if loop.lineno <= line <= (loop.end_lineno or 0)), None)
    if found is None or any(isinstance(node, LEAVES_BY_ITSELF) for node in ast.walk(found)):
        return None
    return found


def _decorated(node: ast.FunctionDef) -> list[int]:
    return [decorator.lineno for decorator in node.decorator_list[:1]]


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """What is in a function, outer before inner, without what is in functions in it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield child
            yield from _statements(child)


def _updates(loop: Loop) -> Iterator[Update]:
    for node in ast.walk(loop):
        match node:
            case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value) if isinstance(op, ADDS):
                yield Update(name, target, ast.BinOp(ast.Name(name, ast.Load()), op, value), appends=False)
            case ast.Assign(targets=[ast.Name(id=name) as target], value=value):
                yield Update(name, target, value, appends=False)
            case ast.Expr(ast.Call(ast.Attribute(ast.Name(id=name) as target, "append"), [value], [])):
                yield Update(name, target, value, appends=True)


@lru_cache(64)
def _only_added_to(loop: Loop, own: frozenset[str]) -> tuple[frozenset[str], ...]:
    """The names, those of them that may grow faster than by steps, and those that are appended to."""
    updates = [update for update in _updates(loop) if update.name in own]
    names = frozenset(update.name for update in updates)
    while True:
        left = [update for update in updates if update.name in names]
        fine = {id(update.target) for update in left}
        fine |= {id(name) for update in left for name in _passed_on(update.value)}
        fine |= {id(name) for node in ast.walk(loop) for name in _printed(node)}
        others = {node.id for node in ast.walk(loop) if isinstance(node, ast.Name) and id(node) not in fine} & names
        if not others:
            fast = frozenset(name for name in names if _grows_fast(name, left))
            return names, fast, frozenset(update.name for update in left if update.appends)
        names -= others


def _passed_on(value: ast.expr) -> Iterator[ast.Name]:
    """The names in an expression whose values cannot make it fail, nor go elsewhere."""
    match value:
        case ast.Name():
            yield value
        case ast.BinOp(left, op, right) if isinstance(op, ADDS):
            yield from _passed_on(left)
            yield from _passed_on(right)
        case ast.UnaryOp(ast.USub() | ast.UAdd(), operand):
            yield from _passed_on(operand)
        case ast.Call(ast.Name(id=name), [argument], []) if name in FUNCTIONS:
            yield from _passed_on(argument)
        case ast.Call(ast.Attribute(of, method), [], []) if method in METHODS:
            yield from _passed_on(of)


def _printed(node: ast.AST) -> Iterator[ast.Name]:
    """The names that a statement prints."""
    match node:
        case ast.Expr(ast.Call(ast.Name(id="print"), arguments, [])):
            for argument in arguments:
                parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
                for part in parts:
                    yield from _passed_on(part.value if isinstance(part, ast.FormattedValue) else part)


def _grows_fast(name: str, updates: list[Update]) -> bool:
    """Whether a name is multiplied, or added to itself: a whole number then soon has more digits than fit."""
    reached, ahead = set(), [name]
    while ahead:
        at = ahead.pop()
        for update in updates:
            if update.name != at or update.appends:
                continue
            if any(isinstance(node, ast.Mult) for node in ast.walk(update.value)):
                return True
            read = [one.id for one in _passed_on(update.value)]
            if at in read:
                read.remove(at)  # by a step
            if name in read:
                return True
            ahead += [one for one in read if one not in reached]
            reached |= set(read)
    return False


def _draws_reach_only(names: frozenset[str], loop: Loop, frame: types.FrameType) -> bool:
    """Whether all that the loop calls is a library's, and is called for such a name's next value alone."""
    inside = {id(node) for update in _updates(loop) if update.name in names for node in ast.walk(update.value)}
    for call in (node for node in ast.walk(loop) if isinstance(node, ast.Call)):
        called = call.func
        if isinstance(called, ast.Name) and called.id in FUNCTIONS | {"print"}:
            continue
        while isinstance(called, ast.Attribute | ast.Call):
            called = called.value if isinstance(called, ast.Attribute) else called.func
        if not isinstance(called, ast.Name):
            return False
        if called.id in names:
            continue  # an append
        owner = frame.f_globals.get(called.id)
        library = isinstance(owner, types.ModuleType) and owner.__name__.partition(".")[0] in MODULES
        if not (library and called.id not in frame.f_code.co_varnames and id(call) in inside):
            return False
    return True
