"""Compare a function with its closed form: shape, values, gradients; name the wrong formula if it is a known one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor

from vae_lab.checks.instruments.projection import multiple
from vae_lab.checks.instruments.sampler import gradients, is_close
from vae_lab.checks.messages import Misconception, ask, fail, require_tensor

Wrong = list[tuple[Callable[..., Tensor], Misconception]]
"""Formulas that people write instead, in the order in which they are tried."""

Points = Sequence[Mapping[str, float]]
"""Inputs that one can put into a formula by hand, the simplest first."""

Measure = Callable[[Callable[..., Any]], tuple[str, Misconception | None]]
"""Looks at a function that is wrong: what was measured, in a sentence, and the mistake that this is, if it is one."""

Terms = Callable[..., Sequence[Sequence[Tensor]]]
"""Ways to write the closed form as a sum: of each the terms, in the shape of the result."""

SQUEEZED = Misconception(
    "an axis of length 1 is gone: one image, too, keeps its place in [B]. squeeze() takes every such axis.",
    "labs",
)
AT_RANDOM = Misconception(
    "a formula hangs on its arguments alone, not on a draw or on earlier calls: the same numbers give the same result.",
    "elbo",
)
NO_GRADIENT = Misconception(
    "detach(), no_grad(), .item() and a trip through NumPy cut the graph silently: nothing would be learned.",
    "stochastic_nodes",
)


def require_closed_form(
    task: str,
    function: Callable[..., Any],
    closed: Callable[..., Tensor],
    inputs: Mapping[str, Tensor],
    wrong: Wrong,
    *,
    by_hand: Points = (),
    measure: Measure | None = None,
    terms: Terms | None = None,
) -> None:
    """Require that a function has the shape, the values and the gradients of its closed form.

    No statistics: a right answer always passes.

    Args:
        task: the name of the student's function.
        function: the student's function.
        closed: the closed form; called in double precision.
        inputs: the arguments by name, in order; those that require grad are leaves.
        wrong: wrong formulas and what to say about them; one is named if it gives the very values that were seen.
        by_hand: where nothing is named, the first of these at which the answer is wrong is shown with both values.
        measure: where nothing is named, looks further.
        terms: the terms of the closed form, to see whether some of them send no gradient.

    Raises:
        CheckFailed: if not.

    Example:
        >>> x = {"x": torch.tensor([3.0], requires_grad=True)}
        >>> require_closed_form("square", lambda x: x * x, torch.square, x, [])
    """
    before = [tensor.detach().clone() for tensor in inputs.values()]
    seen = ask(task, function, *inputs.values(), names=tuple(inputs))
    exact = {name: t.detach().double().requires_grad_(t.requires_grad) for name, t in inputs.items()}
    wanted = closed(*exact.values())
    if isinstance(seen, Tensor) and seen.shape != wanted.shape:
        shapes = f"the result has shape {list(seen.shape)}.", f"Wanted {list(wanted.shape)}."
        one = tuple(wanted.shape) == (1,) and not seen.ndim  # of one image, nobody can say that it was added up
        fail(task, *shapes, SQUEEZED if one else name_formula(seen, wrong, before))
    require_tensor(task, seen, next(iter(inputs.values())), tuple(wanted.shape))
    if not is_close(seen, wanted):
        _fail_values(
            task,
            function,
            closed,
            inputs,
            seen,
            wanted.detach(),
            name_formula(seen, wrong, before),
            by_hand,
            measure,
            wrong,
        )
    if not seen.requires_grad:
        fail(task, "the result does not require a gradient although the inputs do.", "Wanted one.", NO_GRADIENT)
    names = [name for name, tensor in inputs.items() if tensor.requires_grad]
    weights = torch.rand_like(wanted).detach() + 0.5
    ours = torch.autograd.grad((wanted * weights).sum(), [exact[name] for name in names])
    leaves = [inputs[name] for name in names]
    theirs = gradients(task, (seen * weights.to(seen.dtype)).sum(), leaves)
    for name, have, want in zip(names, theirs, ours, strict=True):
        if have is None or not bool(have.any()):
            fail(task, f"the value is right, but no gradient reaches {name}.", "Wanted one.", NO_GRADIENT)
        if not is_close(have, want):
            cut = any(is_close(have, part) for part in _parts(terms, exact, name, weights))
            broken = ~torch.isfinite(have)
            if bool(broken.any()):
                case = f" It is nan or infinite in {int(broken.sum())} of {have.numel()} places."
            else:
                case = "" if cut else f" On average it is {multiple(have, want):.2g} times that."
            seen_slope = f"the value is right, but the gradient for {name} is not.{case}"
            fail(task, seen_slope, "Wanted its derivative.", NO_GRADIENT if cut else None)


def _parts(terms: Terms | None, exact: Mapping[str, Tensor], name: str, weights: Tensor) -> Iterator[Tensor]:
    """The derivatives of the closed form where some of its terms send no gradient."""
    for way in terms(*exact.values()) if terms is not None else ():
        each: list[Tensor] = []
        for term in way:
            total = (term * weights).sum() + 0 * exact[name].sum()  # a term without that argument has the derivative 0
            each += torch.autograd.grad(total, exact[name], retain_graph=True)
        for kept in itertools.product((0.0, 1.0), repeat=len(each)):
            yield torch.stack([k * slope for k, slope in zip(kept, each, strict=True)]).sum(0)


def _fail_values(
    task: str,
    function: Callable[..., Any],
    closed: Callable[..., Tensor],
    inputs: Mapping[str, Tensor],
    seen: Tensor,
    right: Tensor,
    named: Misconception | None,
    by_hand: Points,
    measure: Measure | None,
    wrong: Wrong,
) -> NoReturn:
    """Say of wrong values what they are."""
    if torch.allclose(seen.detach().double(), right, rtol=1e-4, atol=1e-4):
        rounded = [tensor.detach().float().to(tensor.dtype) for tensor in inputs.values()]
        with torch.no_grad():
            coarse = function(*rounded)
        if isinstance(coarse, Tensor) and torch.equal(coarse, seen.detach()):
            fail(task, "the result is of float64, but no more exact than float32.", "Wanted float64 all the way.")
        off = float(((seen.detach().double() - right).abs() / right.abs().clamp(min=1e-12)).max())
        fail(task, f"the values are off by up to {off:.1g} (relative); rounding explains less.", "Wanted the formula.")
    if named is not None and not _holds_elsewhere(function, inputs, named, wrong):
        named = None
    found = "the values are wrong."
    if not bool(torch.isfinite(seen).all()):
        found = "the result holds nan or infinite numbers."
    with torch.no_grad():
        again = function(*(tensor.detach().clone() for tensor in inputs.values()))
    if isinstance(again, Tensor) and not torch.equal(again.nan_to_num(), seen.detach().nan_to_num()):
        fail(task, "two calls with the same numbers give two results.", "Wanted the formula of the text.", AT_RANDOM)
    if named is None and measure is not None:
        measured, named = measure(function)
        found = f"{found} {measured}".strip()
    case = smallest_case(function, closed, inputs, by_hand)
    fail(task, f"{found} {case}".strip(), "Wanted the formula of the text.", named)


def _holds_elsewhere(
    function: Callable[..., Any], inputs: Mapping[str, Tensor], named: Misconception, wrong: Wrong
) -> bool:
    """Whether the wrong formula that was recognised is that of the answer at other numbers as well."""
    others = [tensor.detach() * (4 if tensor.requires_grad else 1) for tensor in inputs.values()]
    try:
        with torch.no_grad():
            seen = function(*(tensor.clone() for tensor in others))
    except Exception:
        return True
    formulas = [pair for pair in wrong if pair[1] is named]
    if not isinstance(seen, Tensor) or not bool(torch.isfinite(seen).all()):
        return True
    exact = [tensor.double() for tensor in others]
    return any(
        value.shape == seen.shape and torch.allclose(seen.double(), value.double(), rtol=1e-3, atol=1e-3)
        for formula, _ in formulas
        for value in (formula(*exact), formula(*others))  # some formulas round differently in float32
    )


def smallest_case(
    function: Callable[..., Any], closed: Callable[..., Tensor], like: Mapping[str, Tensor], points: Points
) -> str:
    """The first of some points at which an answer is wrong, in a sentence with both values; "" if there is none.

    Args:
        function: the student's function.
        closed: the closed form.
        like: its inputs; here each is one entry.
        points: values for them.

    Example:
        >>> smallest_case(lambda x: x, torch.square, {"x": torch.ones(1)}, [{"x": 1.0}, {"x": 3.0}])
        'By hand: for x = 3 you give 3, wanted 9.'
    """
    for point in points:
        given = [torch.full((1,) * like[name].ndim, value).to(like[name].detach()) for name, value in point.items()]
        wanted = float(closed(*(tensor.double() for tensor in given)).sum())
        try:
            with torch.no_grad():
                seen = function(*given)
            value = float(seen.sum()) if isinstance(seen, Tensor) else float("nan")
        except Exception:
            continue
        if not abs(value - wanted) <= 2e-3 * (abs(wanted) + 0.05):
            where = ", ".join(f"{name} = {number:g}" for name, number in point.items())
            return f"By hand: for {where} you give {value:.4g}, wanted {wanted:.4g}."
    return _case_of_two(function, closed, like, points)


def _case_of_two(
    function: Callable[..., Any], closed: Callable[..., Tensor], like: Mapping[str, Tensor], points: Points
) -> str:
    """Two points in one image, or in two, for what goes wrong between them; "" if nothing does."""
    flat = {tensor.ndim for tensor in like.values()} != {4}
    for axis, name_of_it in (
        (-1, "one image"),
        (0, "two images"),
        (2, "one image of two rows"),
        (1, "one image of two channels"),
    ):
        for other in () if axis > 0 and flat else points[1:]:
            given = [
                torch.tensor([points[0][name], other[name]])
                .reshape([2 if place == axis % like[name].ndim else 1 for place in range(like[name].ndim)])
                .to(like[name].detach())
                for name in other
            ]
            wanted = closed(*(tensor.double() for tensor in given)).flatten()
            try:
                with torch.no_grad():
                    seen = function(*given).detach().double().flatten()
            except Exception:
                continue
            if seen.shape == wanted.shape and not torch.allclose(seen, wanted, rtol=2e-3, atol=1e-4):
                where = ", ".join(f"{name} = ({points[0][name]:g}, {number:g})" for name, number in other.items())
                return f"By hand: for {name_of_it} with {where} you give {_list(seen)}, wanted {_list(wanted)}."
    return ""


def _list(numbers: Tensor) -> str:
    return " and ".join(f"{number:.4g}" for number in numbers.tolist())


def fitted(seen: Tensor, terms: Mapping[str, Tensor]) -> dict[str, float] | None:
    """The weights with which terms add up to what was seen, or None if no weights do.

    Args:
        seen: [N], N above the number of terms.
        terms: each [N].

    Example:
        >>> x = torch.linspace(-2, 2, 9)
        >>> fitted(3 * x.square() - 1, {"x^2": x.square(), "x": x, "1": torch.ones(9)})
        {'x^2': 3.0, '1': -1.0}
    """
    columns = torch.stack([term.detach().double().cpu() for term in terms.values()], -1)
    wanted = seen.detach().double().cpu()
    if not bool(torch.isfinite(wanted).all()) or wanted.shape != columns.shape[:1]:
        return None
    weights = torch.linalg.lstsq(columns, wanted[:, None], driver="gelsd").solution[:, 0]
    if not torch.allclose(columns @ weights, wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max())):
        return None
    least = 2e-3 * float(weights.abs().max())
    kept = {name: float(w) for name, w in zip(terms, weights, strict=True) if abs(float(w)) > least}
    return {name: round(w, 3) if abs(w) > 0.1 else float(f"{w:.3g}") for name, w in kept.items()}


def in_words(weights: Mapping[str, float]) -> str:
    """A sum of weighted terms, as one writes it.

    Example:
        >>> in_words({"mu^2": 0.5, "logvar": -1.0, "1": -0.5})
        '0.5 mu^2 - logvar - 0.5'
    """
    text = ""
    for name, weight in weights.items():
        size = abs(weight)
        words = f"{size:g}" if name == "1" else name if size == 1 else f"{size:g} {name}"
        text += (" - " if weight < 0 else " + ") + words
    return text.removeprefix(" + ").strip() or "0"


def name_formula(seen: Tensor, wrong: Wrong, inputs: list[Tensor]) -> Misconception | None:
    """Recognise the first wrong formula that has this shape and these values, or None.

    Example:
        >>> double = (lambda x: 2 * x, Misconception("2 * x doubles x.", "intro"))
        >>> name_formula(torch.tensor([6.0]), [double], [torch.tensor([3.0])]).says
        '2 * x doubles x.'
    """
    doubles = [tensor.double() for tensor in inputs]
    for formula, misconception in wrong:
        value = formula(*doubles)
        if value.shape == seen.shape and torch.allclose(
            seen.detach().double(), value, rtol=5e-5, atol=5e-5, equal_nan=True
        ):
            return misconception
    return None
