"""What a student reads of a check that failed once hidden inputs were known: words of the check's own source, no value.

A message is made of words and of values: "z has shape [3, 1]." A value comes from the student's answer, which may have
put into it whatever it was called with. So the message is read against the line of the check that made it: what stands
there between quotation marks is kept, and what stood between braces is not, unless it is one of a few:

- a text that is itself written in the checks (the name of an axis, a formula), a dtype, the name of a builtin type;
- nan and inf;
- a shape of at most four axes, of which no more is told than where it has a 1: `[n, 1]`.

Which line failed and which of these it was is all that can be learned: a dozen bits or so, see `grading/README.md`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice, product
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple

import vae_lab.checks
from vae_lab.checks.messages import CheckFailed, Misconception, fail, read_next
from vae_lab.grading.lab.source import LabCell, parse
from vae_lab.grading.rpc.values import DTYPES

LEFT_OUT = "…"
MOST_FORMS = 400  # ways in which one message can have been put together that are looked at
DEEPEST = 4  # names that stand for other names
LONGEST_NAME = 60  # characters of a value that may be one of the checks' own texts
SHAPE = re.compile(r"[\[(](\d{1,12}(?:, \d{1,12}){0,3})?,?[\])]")
BUILTIN = ("NoneType", "bool", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "ndarray", "range")
TYPES = frozenset({*BUILTIN, "set", "slice", "str", "tuple", "Tensor", "numpy.ndarray", "torch.Tensor", "Parameter"})
SAID_ALWAYS = TYPES | {f"torch.{name}" for name in DTYPES} | {"nan", "inf", "-inf", ""}

Part = str | None
"""A piece of a message: words, or None for a value."""
Form = tuple[Part, ...]
"""A message as its line in the check makes it."""


class Words(NamedTuple):
    """What may be read of a message.

    Args:
        text: the words, with LEFT_OUT for values.
        whole: whether nothing is left out.
    """

    text: str
    whole: bool


class Place(NamedTuple):
    """Where a check made a message: its function or a test cell, the statement in it, and its module's names."""

    tree: ast.AST
    statement: ast.stmt
    names: Mapping[str, Any]


def words_of(error: AssertionError, cell: LabCell) -> Words:
    """What may be read of a failed check's message.

    Args:
        error: as it was raised, with its traceback.
        cell: the test cell that was executed.
    """
    place = _place(error, cell)
    if isinstance(error, CheckFailed) and error.said is not None:
        return _words_of_check(error, place, cell)
    if place is None or not str(error):
        return Words("A hidden check failed.", False)
    return _best(str(error), _forms_of_assertion(place), cell) or Words("A hidden check failed.", False)


def _words_of_check(error: CheckFailed, place: Place | None, cell: LabCell) -> Words:
    said = error.said
    assert said is not None
    call = _call_of_fail(place.statement) if place is not None else None
    parts = []
    for number, text in ((1, said.seen), (2, said.wanted)):
        forms = _argument(call, number, place) if call is not None and place is not None else iter([(None,)])
        parts.append(_best(text, forms, cell) or Words(LEFT_OUT, False))
    known = said.task in constants(cell)
    text = f"{said.task if known else 'A check'}: {_joined(parts)}"
    whole = known and all(part.whole for part in parts)
    if said.mistake is not None:
        remedy = _remedy(said.mistake, cell)
        text, whole = text + remedy, whole and bool(remedy)
    return Words(text, whole)


def _joined(parts: list[Words]) -> str:
    """What was seen and what was wanted; sentences in which there is nothing but values are not worth reading."""
    text = " ".join(part.text for part in parts)
    return re.sub(rf"(?:{LEFT_OUT} ?)+(?={LEFT_OUT})", "", text).strip()


def _remedy(mistake: Misconception, cell: LabCell) -> str:
    """The sentence on a mistake, if it is written in a check, and the page to read."""
    known = constants(cell)
    fits = (_fit(form, mistake.says) for form in _sentences_with_a_gap())
    written = mistake.says in known or any(pieces and set(pieces[1::2]) <= known for pieces in fits)
    return read_next(mistake) if written else ""


def _best(text: str, forms: Iterator[Form], cell: LabCell) -> Words | None:
    """The text as the first form that fits makes it, the forms with most words first."""
    tried = sorted(islice(forms, MOST_FORMS), key=lambda form: -sum(len(part or "") for part in form))
    for form in tried:
        if (pieces := _fit(form, text)) is not None:
            made = _shown(pieces, cell)
            return Words(made, made == text)
    return None


def _shown(pieces: list[str], cell: LabCell) -> str:
    """Words and values in turn; values with nothing between them stand or fall together, for their cut is a guess."""
    made, run = pieces[0], ""
    for place in range(1, len(pieces), 2):
        value, words = _value(pieces[place], cell), pieces[place + 1]
        run = LEFT_OUT if LEFT_OUT in (run.strip(), value) else run + value
        if words.strip() or place == len(pieces) - 2:
            made, run = made + run + words, ""
        elif run != LEFT_OUT:
            run += words
    return made


def _fit(form: Form, text: str) -> list[str] | None:
    """The text cut into the pieces of a form, in time proportional to its length, or None if it does not fit."""
    if form.count(None) == 0:
        return [text] if "".join(map(str, form)) == text else None
    merged: list[str] = [""]  # the words before, between and after the values
    for part in form:
        if part is None:
            merged.append("")
        else:
            merged[-1] += part
    first, *between, last = merged
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return None
    pieces, rest = [first], text[len(first) : len(text) - len(last)]
    for words in between:
        value, found, rest = rest.partition(words) if words else ("", "", rest)
        if found != words:
            return None
        pieces += [value, words]
    return [*pieces, rest, last]


def _value(text: str, cell: LabCell) -> str:
    """What may be read of a value in a message."""
    if text in SAID_ALWAYS or (len(text) <= LONGEST_NAME and text in constants(cell)):
        return text
    if found := SHAPE.fullmatch(text):
        axes = found[1].split(", ") if found[1] else []
        return f"[{', '.join(axis if axis == '1' else 'n' for axis in axes)}]"
    return LEFT_OUT


def get_ready() -> None:
    """Read the checks' source once, in a process that is forked for each submission: it takes a quarter of a second."""
    _constants_of_checks()
    _sentences_with_a_gap()


# -- where a message was made ------------------------------------------------------------------------------------------


def _place(error: BaseException, cell: LabCell) -> Place | None:
    frames = list(_frames(error.__traceback__))
    if frames and frames[-1][0].f_code is fail.__code__:
        frames.pop()
    if not frames:
        return None
    frame, line = frames[-1]
    tree = _tree(frame.f_code, cell)
    statements = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr | ast.Assert | ast.Raise | ast.Return | ast.Assign)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    if not statements:
        return None
    names = frame.f_globals if _is_of_checks(frame.f_code.co_filename) else {}  # a test cell's hold answers
    return Place(tree, max(statements, key=lambda node: node.lineno), names)


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _tree(code: CodeType, cell: LabCell) -> ast.AST:
    """The syntax of the function that is executed, or of the test cell."""
    if code.co_filename == f"<{cell.grade_id}>":
        return _innermost(_cell_tree(cell.source), code)
    return _innermost(_module_tree(code.co_filename), code) if _is_of_checks(code.co_filename) else ast.Module([], [])


def _innermost(tree: ast.AST, code: CodeType) -> ast.AST:
    functions = (ast.FunctionDef, ast.Lambda)
    of_code = [n for n in ast.walk(tree) if isinstance(n, functions) and _begins(n) == code.co_firstlineno]
    return of_code[0] if of_code and code.co_name != "<module>" else tree


def _begins(node: ast.FunctionDef | ast.Lambda) -> int:
    above = [one.lineno for one in getattr(node, "decorator_list", [])]
    return min([node.lineno, *above])


@cache
def _module_tree(filename: str) -> ast.Module:
    return ast.parse(Path(filename).read_text(encoding="utf-8"))


@cache
def _cell_tree(source: str) -> ast.Module:
    return parse(source) or ast.Module([], [])


CHECKS = Path(vae_lab.checks.__file__).parent


def _is_of_checks(filename: str) -> bool:
    return Path(filename).is_relative_to(CHECKS)


# -- how it was put together -------------------------------------------------------------------------------------------


def _call_of_fail(statement: ast.stmt) -> ast.Call | None:
    calls = (node for node in ast.walk(statement) if isinstance(node, ast.Call))
    return next((call for call in calls if isinstance(call.func, ast.Name) and call.func.id == fail.__name__), None)


def _argument(call: ast.Call, number: int, place: Place) -> Iterator[Form]:
    """The forms of one argument of a call of `fail`: task, seen, wanted."""
    arguments: list[ast.expr] = []
    for argument in call.args:
        if isinstance(argument, ast.Starred) and isinstance(argument.value, ast.Name):
            given = [value for value, _ in _assigned(argument.value.id, place) if isinstance(value, ast.Tuple)]
            arguments += given[0].elts if given else [argument.value, argument.value]
        else:
            arguments.append(argument)
    return _forms(arguments[number], place) if number < len(arguments) else iter([(None,)])


def _forms_of_assertion(place: Place) -> Iterator[Form]:
    match place.statement:
        case ast.Assert(msg=ast.expr() as message):
            yield from _forms(message, place)
        case ast.Raise(exc=ast.Call(args=[message, *_])):
            yield from _forms(message, place)


def _forms(node: ast.expr, place: Place, depth: int = 0) -> Iterator[Form]:
    """All ways in which an expression makes a text, as far as its source tells."""
    match node:
        case ast.Constant(value=str() as text):
            yield (text,)
        case ast.JoinedStr(values=values):
            yield from _in_a_row(values, place, depth)
        case ast.FormattedValue(value=ast.Name() as name, conversion=-1, format_spec=None):
            yield from _forms(name, place, depth)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from _in_a_row([left, right], place, depth)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _forms(body, place, depth)
            yield from _forms(orelse, place, depth)
        case ast.Subscript(value=ast.Dict(values=values)):
            for value in values:
                yield from _forms(value, place, depth)
        case ast.Call(func=ast.Attribute(value=value, attr="strip"), args=[]):
            for form in _forms(value, place, depth):
                yield form
                if len(form) > 1 and form[-1] is None and (before := form[-2]) is not None:
                    yield (*form[:-2], before.rstrip())  # where the last value is empty
        case ast.Name(id=name) if depth < DEEPEST:
            for value, more in _assigned(name, place):
                for form in _forms(value, place, depth + 1):
                    yield form
                    for added in more:
                        for end in _forms(added, place, depth + 1):
                            yield form + end
            if isinstance(place.names.get(name), str):
                yield (place.names[name],)
            yield (None,)
        case _:
            yield (None,)


def _in_a_row(nodes: list[ast.expr], place: Place, depth: int) -> Iterator[Form]:
    each = [list(islice(_forms(node, place, depth), MOST_FORMS)) for node in nodes]
    for parts in islice(product(*each), MOST_FORMS):
        yield tuple(piece for part in parts for piece in part)


def _assigned(name: str, place: Place) -> Iterator[tuple[ast.expr, list[ast.expr]]]:
    """What a name is given in a function, and what is added to it."""
    added = [
        node.value
        for node in ast.walk(place.tree)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id == name
    ]
    for node in ast.walk(place.tree):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            yield node.value, added


# -- what is written in the checks -------------------------------------------------------------------------------------


def constants(cell: LabCell) -> frozenset[str]:
    """All texts that are written in the package's checks, and in a test cell."""
    return _constants_of_checks() | _texts_in(cell.source)


@cache
def _constants_of_checks() -> frozenset[str]:
    return frozenset().union(*(_texts(_module_tree(str(path))) for path in sorted(CHECKS.rglob("*.py"))))


@cache
def _texts_in(source: str) -> frozenset[str]:
    return _texts(_cell_tree(source))


def _texts(tree: ast.AST) -> frozenset[str]:
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    return frozenset(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside
    )


@cache
def _sentences_with_a_gap() -> tuple[Form, ...]:
    """Sentences of the checks that a name is put into: filled in by `format`, or f-strings that begin with it."""
    found: list[Form] = []
    for text in sorted(_constants_of_checks()):
        if text.count("{}") == 1 and len(text) > 20:
            before, after = text.split("{}")
            found.append((before, None, after))
    for path in sorted(CHECKS.rglob("*.py")):
        for node in ast.walk(_module_tree(str(path))):
            match node:
                case ast.JoinedStr(values=[ast.FormattedValue(), ast.Constant(value=str() as text)]) if len(text) > 20:
                    found.append((None, text))
    return tuple(found)
