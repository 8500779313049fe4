"""Find in Python source the sentences that it can say, each as a template such as `z has shape {shape}.` is.

A sentence is a text or an f-string with English words in it. What is chosen on the spot is written out: a name that is
given one of several texts in the same function, `"a" if x else "b"`, what is added with `+`. What stands between braces
otherwise becomes a place with a name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice, product

MOST = 24  # ways in which one text is written out
DEEPEST = 3
PLACE = re.compile(r"\{[a-z][a-z0-9_]*\}")
QUIET_CALLS = {  # their arguments are for the program, not for a reader
    "compile", "getattr", "setattr", "hasattr", "import_module", "get", "encode", "decode", "replace", "partition",
    "rpartition", "removeprefix", "removesuffix", "split", "strip", "rstrip", "lstrip", "startswith", "endswith",
    "search", "match", "fullmatch", "sub", "findall", "find_spec", "add_argument", "ANCHOR", "Literal", "TypeVar",
    "warm_up", "connect", "version", "which", "which_first", "setLevel", "group", "count", "index", "add_mutually",
}  # fmt: skip
STATES = {"passed", "failed", "epoch", "task", "black", "grey", "white", "autoencoder", "and", "or", "decode"}
STATES |= {"itself", "square", "stochastic", "points", "missing", "note", "none", "deterministic", "nothing"}
# Words in code that are also English, and names that are the same in every language.
CODE = {
    "colab", "com", "cuda", "div", "elbo", "eps", "exp", "false", "float32", "float64", "from", "gib", "gpu",
    "https", "id", "import", "inf", "install", "jupyterlab", "kl", "lab", "log", "logits", "logvar", "loss", "max",
    "mib", "min", "mnist", "mu", "nan", "nn", "no", "org", "phi", "pip", "px", "python", "pytorch", "raise", "relu",
    "saved", "sha256", "sigma", "sigmoid", "softplus", "svg", "tanh", "theta", "torch", "true", "utf", "uv", "vae",
    "x_hat",
}  # fmt: skip
WORD = re.compile(r"(?<![\w.`\\%<-])[A-Za-z][a-z']+(?![\w(`.=_\[])|(?<![\w.`\\%<-])[A-Za-z][a-z']+(?=[.](?:\s|$))")
MARKUP = re.compile(r"<[^>]*>|`[^`]*`|\{[^{}]*\}")

Part = str | tuple[str]
"""Words, or the name of a place."""
Form = tuple[Part, ...]


def sentences(source: str, keys: bool = False) -> dict[str, None]:
    r"""The templates of a module, in the order in which they stand there.

    Args:
        source: of the module.
        keys: whether the keys of dictionaries are shown, too.

    Example:
        >>> list(sentences('def f(x, y):\n    e = "two" if x else "many"\n    fail(f"{y.shape} are {e} shapes.")'))
        ['{shape} are two shapes.', '{shape} are many shapes.']
    """
    return dict.fromkeys(line for form in _Module(ast.parse(source), keys).forms() for line in lines(form))


def lines(form: Form) -> Iterator[str]:
    """The lines of a text as templates, those that say anything."""
    seen: dict[str, int] = {}
    text = ""
    for part in form:
        if isinstance(part, str):
            text += part
            continue
        if PLACE.search(text[-64:]) and text.endswith("}"):  # no words between: one place
            continue
        seen[part[0]] = seen.get(part[0], 0) + 1
        text += "{" + part[0] + (f"_{seen[part[0]]}" if seen[part[0]] > 1 else "") + "}"
    for line in text.split("\n"):
        if speaks(line):
            yield line.strip()


def speaks(text: str) -> bool:
    """Whether there are English words in it.

    Example:
        >>> speaks("Wanted {shape}."), speaks("exp(logvar / 2)"), speaks("passed")
        (True, False, True)
    """
    bare = MARKUP.sub(" ", text)
    words = [word for word in WORD.findall(bare) if word.lower() not in CODE]
    if " " not in text.strip() and not PLACE.search(text):
        return text.strip() in STATES
    return any(
        len(word) > 2 or word.lower() in {"is", "of", "in", "to", "as", "by", "at", "it", "or", "a"} for word in words
    )


class _Module:
    """One module, with who stands around whom."""

    def __init__(self, tree: ast.Module, keys: bool) -> None:
        self.tree, self.keys = tree, keys
        self.parent = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}

    def forms(self) -> Iterator[Form]:
        """All ways in which each text is put together."""
        used = self.parts_of_others
        for node in ast.walk(self.tree):
            if id(node) in used or not _is_text(node) or self._quiet(node):
                continue
            yield from islice(self._written_out(node, 0), MOST)
            yield from self._added_to(node)

    @cached_property
    def parts_of_others(self) -> set[int]:
        """Texts within texts, and those of names that nothing but a text uses."""
        inside = {
            id(part) for node in ast.walk(self.tree) if _is_text(node) for part in ast.walk(node) if part is not node
        }
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                for name in {use.id for use in ast.walk(node) if isinstance(use, ast.Name)}:
                    uses = [u for u in ast.walk(node) if isinstance(u, ast.Name) and u.id == name]
                    read = [use for use in uses if isinstance(use.ctx, ast.Load)]
                    if read and all(id(use) in inside for use in read):
                        inside |= {id(p) for value in _given(name, node) if _is_text(value) for p in ast.walk(value)}
                    for added in _added(name, node):
                        if not _begins_a_sentence(added):
                            inside |= {id(part) for part in ast.walk(added)}
        return inside

    def _quiet(self, node: ast.AST) -> bool:
        """Whether a text is not for a reader: documentation, a key, a pattern, something to compare with."""
        child, above = node, self.parent.get(id(node))
        if isinstance(above, ast.Expr):
            return True
        while above is not None and not isinstance(above, ast.stmt):
            match above:
                case ast.Compare() | ast.Subscript(slice=ast.AST()) if child is not getattr(above, "value", None):
                    return True
                case ast.Dict(keys=keys) if child in keys:
                    return not self.keys
                case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)) if (
                    child is not above.func and name in QUIET_CALLS
                ):
                    return True
                case ast.Tuple(elts=[first, *_]) if child is first and _in_catalogue(above, self.parent):
                    return True
            child, above = above, self.parent.get(id(above))
        if isinstance(above, ast.AnnAssign) and child is above.annotation:
            return True
        return isinstance(above, ast.FunctionDef | ast.arguments)

    def _function(self, node: ast.AST) -> ast.AST:
        above = self.parent.get(id(node))
        while above is not None and not isinstance(above, ast.FunctionDef):
            above = self.parent.get(id(above))
        return above or self.tree

    def _added_to(self, node: ast.AST) -> Iterator[Form]:
        """What becomes of a text that a name is given and that more is added to."""
        above = self.parent.get(id(node))
        if isinstance(above, ast.Assign) and isinstance(above.targets[0], ast.Name):
            for added in _added(above.targets[0].id, self._function(node)):
                if not _begins_a_sentence(added):
                    for form in islice(self._written_out(node, 0), MOST):
                        yield from (form + end for end in islice(self._written_out(added, 0), MOST))

    def _written_out(self, node: ast.AST, depth: int) -> Iterator[Form]:
        match node:
            case ast.Constant(value=str() as text):
                yield (re.sub(r"\\g<(\w+)>", r"{\1}", re.sub(r"\\(\d)", r"{given_\1}", text.replace("{}", "{value}"))),)
            case ast.JoinedStr(values=values):
                yield from self._in_a_row(values, depth)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                yield from self._in_a_row([left, right], depth)
            case ast.IfExp(body=body, orelse=orelse) if _is_text(body) or _is_text(orelse):
                yield from self._written_out(body, depth)
                yield from self._written_out(orelse, depth)
            case ast.FormattedValue(value=value) if node.format_spec is None:
                yield from self._written_out(value, depth)
            case ast.Name(id=name) if depth < DEEPEST and (given := self._texts_of(name, node)):
                for value in given:
                    yield from self._written_out(value, depth + 1)
            case _:
                yield ((place_name(node),),)

    def _texts_of(self, name: str, node: ast.AST) -> list[ast.expr]:
        given = list(_given(name, self._function(node)))
        return given if all(map(_is_text, given)) else []

    def _in_a_row(self, nodes: list[ast.expr], depth: int) -> Iterator[Form]:
        each = [list(islice(self._written_out(node, depth), MOST)) for node in nodes]
        for parts in islice(product(*each), MOST):
            yield tuple(piece for part in parts for piece in part)


def place_name(node: ast.AST) -> str:
    """What to call the place of a value, from the expression that gives it.

    Example:
        >>> place_name(ast.parse("list(value.shape)", mode="eval").body)
        'shape'
    """
    match node:
        case ast.FormattedValue(value=value) | ast.Starred(value=value) | ast.Subscript(value=value):
            return place_name(value)
        case ast.Name(id=name):
            return re.sub(r"\W|^_+", "", name.lower()) or "value"
        case ast.Attribute(value=value, attr=attr) if attr.startswith("__"):
            return place_name(value)
        case ast.Attribute(attr=attr):
            return attr.lower().strip("_")
        case ast.Call(func=ast.Name(id="len"), args=[value]):
            return f"count_{place_name(value)}"
        case ast.Call(func=ast.Name(id="type")):
            return "type"
        case ast.Call(func=ast.Name(id="listed" | "together" | "map" | "sorted")):
            return "names"
        case ast.Call(func=ast.Name(), args=[value, *_]):
            return place_name(value)
        case ast.Call(func=ast.Attribute(attr="join"), args=[value]):
            return "names" if isinstance(value, ast.GeneratorExp | ast.Call) else place_name(value)
        case ast.Call(func=ast.Attribute(value=value, attr=attr)):
            return place_name(value) if attr in QUIET_CALLS or attr == "splitlines" else attr.lower()
        case ast.BinOp(left=left):
            return place_name(left)
        case ast.IfExp(body=body):
            return place_name(body)
        case _:
            return "value"


def _is_text(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _is_text(left) or _is_text(right)
        case ast.IfExp(body=body, orelse=orelse):
            return _is_text(body) and _is_text(orelse)
    return False


def _given(name: str, function: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            yield node.value


def _added(name: str, function: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            yield node.value


def _begins_a_sentence(node: ast.AST) -> bool:
    first = next((part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and part.value), "")
    return isinstance(first, str) and bool(re.match(r"\s*[A-Z(]?[A-Z]", first))


def _in_catalogue(node: ast.AST, parent: dict[int, ast.AST]) -> bool:
    """Whether a pair stands in the list of patterns and sentences."""
    above = parent.get(id(parent.get(id(node), node)))
    return isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name) and above.target.id == "CATALOGUE"
