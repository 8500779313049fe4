"""How a name in code is written in mathematics: `mu` as μ, `x_hat` as x with a hat, `h_1` with a subscript."""

from __future__ import annotations

from typing import NamedTuple

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "eps": "ε", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "kappa": "κ", "lam": "λ", "lambda_": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "std": "σ", "logvar": "log σ²", "log_var": "log σ²",
}  # fmt: skip


class Symbol(NamedTuple):
    """A name ready to be drawn: its main part, its subscript, and whether it is a mathematical letter."""

    base: str
    sub: str
    math: bool

    @property
    def plain(self) -> str:
        """Both parts as one text, to measure or to say."""
        return self.base + self.sub


def symbol(name: str) -> Symbol:
    """The symbol of a name.

    >>> symbol("sigma").plain, symbol("x_hat").plain, symbol("h_2")
    ('σ', 'x̂', Symbol(base='h', sub='2', math=True))
    >>> symbol("loss")
    Symbol(base='loss', sub='', math=False)
    """
    head, _, tail = name.partition("_")
    if name in _GREEK:
        return Symbol(_GREEK[name], "", True)
    if tail == "hat" and len(_GREEK.get(head, head)) == 1:
        return Symbol(_GREEK.get(head, head) + "\u0302", "", True)
    if tail and len(tail) <= 3 and (head in _GREEK or len(head) == 1):
        return Symbol(_GREEK.get(head, head), tail, True)
    if len(name) == 1:
        return Symbol(name, "", True)
    if name.startswith("noise"):
        return Symbol("noise", "", False)
    head, _, tail = name.rpartition(" ")
    return Symbol(head if head and tail.isdigit() else name, "", False)
