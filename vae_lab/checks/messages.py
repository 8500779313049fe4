"""What a student reads when a check fails: what was seen, what was wanted, the likely mistake, the page to read.

A failed check is an AssertionError with a plain text, and a notebook shows that text instead of a traceback.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from torch import Tensor

from vae_lab.checks.book_address import page
from vae_lab.checks.common_errors import in_plain_words
from vae_lab.checks.student_line import student_line
from vae_lab.checks.untouched import Untouched
from vae_lab.language import said

TITLES = {
    "intro": "The variational autoencoder and its one line of code",
    "autoencoders": "Autoencoders and the latent space: two numbers for a digit",
    "computation_graphs": "Computation graphs: what is computed from what",
    "stochastic_nodes": "Stochastic and deterministic nodes: a die in the graph",
    "reparameterization": "The reparameterization trick: draw ε, compute z",
    "gradient_paths": "Gradient paths: how the gradient reaches the encoder",
    "two_gradients": "Score function and pathwise gradients: two estimators compared",
    "elbo": "The ELBO: what a VAE maximises",
    "training": "Training a VAE: the loop, the loss, and six mistakes",
    "generation": "Generating images: samples from the prior, gaps and smoothness",
    "how_good": "The importance-weighted bound: how good is the ELBO?",
    "beyond_gaussians": "Beyond Gaussians: Gumbel-softmax, implicit gradients, inverse distribution functions",
    "summary": "Summary: four sentences, and what was measured",
    "labs": "The labs",
    "notation": "Notation",
}  # the book's pages that a message may name

LONGEST = 300  # letters of an exception's own text

NOT_WRITTEN = "not written yet. Replace `raise NotImplementedError()` by your answer."


class Misconception(NamedTuple):
    """A mistake that has a name.

    Args:
        says: one sentence that puts it right.
        page: slug of the book's page that explains it, one of `TITLES`.
    """

    says: str
    page: str


class Said(NamedTuple):
    """What a message is made of: see `fail`."""

    task: str
    seen: str
    wanted: str
    mistake: Misconception | None = None


class CheckFailed(AssertionError):
    """An answer did not pass. Its text is all there is to read, so IPython shows no traceback with it."""

    said: Said | None = None

    def _render_traceback_(self) -> list[str]:
        return [f"{said('Not yet:')} {said(str(self))}"]


class GraphUsedUp(CheckFailed):
    """Backward has been called on an answer already; right functions beside it would only hide that."""


def fail(
    task: str,
    seen: str,
    wanted: str,
    mistake: Misconception | None = None,
    kind: type[CheckFailed] = CheckFailed,
) -> NoReturn:
    """End a check.

    Args:
        task: the function or class that the student wrote.
        seen: what its answer looks like.
        wanted: what a right answer looks like.
        mistake: the misconception that the answer matches, if any.
        kind: of the exception.

    Raises:
        CheckFailed: always.

    Example:
        >>> fail("square", "square(3) is 6.", "Wanted 9.", Misconception("2 * x doubles x.", "intro"))
        Traceback (most recent call last):
            ...
        vae_lab.checks.messages.CheckFailed: square: square(3) is 6. Wanted 9.
        Likely mistake: 2 * x doubles x.
        Read next: the book's page "The variational autoencoder and its one line of code" (intro.html).
    """
    error = kind(f"{task}: {seen} {wanted}{read_next(mistake)}")
    error.said = Said(task, seen, wanted, mistake)
    raise error


def read_next(mistake: Misconception | None) -> str:
    """The last two lines of a message, on the mistake that has a name; "" if none has."""
    if mistake is None:
        return ""
    title = TITLES[mistake.page]
    return f'\nLikely mistake: {mistake.says}\nRead next: the book\'s page "{title}" ({page(mistake.page)}).'


def ask(task: str, function: Callable[..., Any], *args: Any, names: Sequence[str] = ()) -> Any:
    """Call the student's function; if it raises, say where in the student's own lines.

    Args:
        task: the name of the student's function.
        function: the student's function.
        args: what it is called with; tensors appear in the message as shape and dtype, never with their values.
        names: what the student knows the arguments as, for a message that one has changed.

    Returns:
        Whatever the function returns.

    Raises:
        CheckFailed: if the function raises, or changes a tensor that it was given; the change is undone.

    Example:
        >>> ask("halve", lambda x: x / 2, 3)
        1.5
    """
    copies = Untouched(args, names)
    try:
        answer = function(*args)
    except CheckFailed:
        raise
    except Exception as error:
        if is_stub(error):
            raise CheckFailed(f"{task}: {not_written(task, error)}") from error
        raise CheckFailed(told(f"{task}({brief(*args)})", error)) from error
    finally:
        changed = copies.put_back()
    if changed is not None:
        fail(task, f"{changed} has changed during the call.", "Wanted it left alone.", IN_PLACE)
    return answer


def type_name(value: object) -> str:
    """What kind of thing an answer is, in one process as across the boundary, where a stand-in holds its place.

    Example:
        >>> type_name(0.5), type_name(iter([1])), type_name(abs), type_name(Misconception("", ""))
        ('float', 'iterator', 'function', 'object')
    """
    kind = type(value)
    if hasattr(kind, "__next__"):
        return "iterator"
    if kind.__module__ in ("builtins", "torch", "numpy") and not callable(value):
        return kind.__name__
    return "function" if callable(value) else "object"


def told(call: str, error: BaseException) -> str:
    """What a student reads of an exception: what was called, what it says, and which line of their own raised it.

    Args:
        call: what was called, and with what.
        error: the exception; one that was raised in another process brings its own text and line along.

    Example:
        >>> told("half(float32 [3])", TypeError("no"))
        'half(float32 [3]) raised TypeError: no'
    """
    kind = getattr(error, "kind", type(error).__name__)
    text = str(getattr(error, "text", error)).strip()
    line = getattr(error, "student_line", None) or student_line(error)
    plain = in_plain_words(kind, text, line.source if line else "")
    if len(text) > LONGEST:  # torch prints whole tensors, and what follows would be far below
        text = f"{text[:LONGEST].rstrip()} ..."
    return "\n".join(
        [f"{call} raised {kind}" + (f": {text}" if text else ""), *filter(None, (line and str(line), plain))]
    )


def not_written(task: str, error: BaseException) -> str:
    """What to say of a stub that was reached: the task itself, or another one that it uses."""
    line = getattr(error, "student_line", None) or student_line(error)
    if line is None or line.function in (*task.split("."), "__init__") or line.function.startswith("<"):
        return NOT_WRITTEN
    return f"it uses {line.function}, which is not written yet."


def is_stub(error: BaseException) -> bool:
    """Whether an exception is the lab's own `raise NotImplementedError()`, and not one of torch's by that name.

    Example:
        >>> is_stub(NotImplementedError()), is_stub(NotImplementedError("xor is not implemented for floats"))
        (True, False)
    """
    if getattr(error, "kind", type(error).__name__) != "NotImplementedError":
        return False
    line = getattr(error, "student_line", None) or student_line(error)
    if line is not None:
        return line.source.startswith("raise NotImplementedError")
    return not str(getattr(error, "withheld", "") or getattr(error, "text", error)).strip()


def brief(*values: Any) -> str:
    """What a function was called with: tensors by dtype and shape, never by their values.

    Example:
        >>> import torch
        >>> brief(torch.zeros(2, 3), 7, None)
        'float32 [2, 3], 7, ...'
    """
    return ", ".join(_brief(value) for value in values)


def require_tensor(task: str, value: Any, like: Tensor, shape: tuple[int, ...], what: str = "the result") -> Tensor:
    """Insist on a floating tensor of the given shape, with the dtype and device of `like`.

    Args:
        task: the name of the student's function.
        value: what it returned.
        like: a tensor with the wanted dtype and device.
        shape: the wanted shape.
        what: which part of the answer it is.

    Returns:
        The value.

    Raises:
        CheckFailed: if it is anything else.
    """
    if not isinstance(value, Tensor):
        kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        fail(task, f"{what} is of type {kind}.", "Wanted one torch.Tensor.", NOT_A_TENSOR if value is None else None)
    if tuple(value.shape) != tuple(shape):
        fail(task, f"{what} has shape {list(value.shape)}.", f"Wanted {list(shape)}.")
    if value.dtype != like.dtype:
        fail(task, f"{what} has dtype {value.dtype}.", f"Wanted {like.dtype}, as the inputs have.", OTHER_DTYPE)
    if value.device != like.device:
        fail(task, f"{what} is on {value.device}.", f"Wanted it on {like.device}, where the inputs are.", OTHER_DEVICE)
    return value


def require_parts(task: str, value: Any, names: Sequence[str]) -> list[Any]:
    """Insist on a tuple or list with one part for each name.

    Example:
        >>> require_parts("VAE.encode", (1, 2), ("mu", "logvar"))
        [1, 2]
    """
    if not isinstance(value, tuple | list) or len(value) != len(names):
        size = f" of {len(value)}" if isinstance(value, tuple | list) else ""
        fail(task, f"the result is a {type_name(value)}{size}.", f"Wanted ({', '.join(names)}).")
    return list(value)


def _brief(arg: Any) -> str:
    if isinstance(arg, Tensor):
        return f"{str(arg.dtype).removeprefix('torch.')} {list(arg.shape)}"
    return repr(arg) if isinstance(arg, bool | int | float | str) else "..."


NOT_A_TENSOR = Misconception("a function without a `return` line returns None.", "labs")
OTHER_DTYPE = Misconception(
    "noise and constants must be made like the inputs: torch.randn_like(x), or dtype=x.dtype, device=x.device.",
    "labs",
)
OTHER_DEVICE = OTHER_DTYPE
NO_COPY = "the model that a check passes cannot be copied or pickled; use it itself"
"""What an answer reads that copies one: what is done to a copy would go unseen."""
IN_PLACE = Misconception("an operation that ends in _ changes the caller's tensor; write a new one.", "gradient_paths")
