"""Gradients across: results of the other side as nodes of this side's graph, and what each side remembers for that."""

from __future__ import annotations

import weakref
from typing import Any

import torch

from vae_lab.grading.rpc.connection import Connection


class KeptGraph:
    """What the answering side keeps of one answer for later vector-Jacobian products."""

    def __init__(self, outs: list[torch.Tensor], ins: list[torch.Tensor]) -> None:
        self.outs, self.ins = outs, ins


class Link:
    """What the asking side keeps: which record, and its own tensors that the record's inputs stand for."""

    def __init__(self, peer: Connection, record: int, inputs: list[torch.Tensor]) -> None:
        self.peer, self.record, self.inputs = peer, record, inputs
        weakref.finalize(self, peer.forget.append, record)


class RemoteFunction(torch.autograd.Function):
    """Results that were computed on the other side, as a node of this side's graph."""

    @staticmethod
    def forward(ctx: Any, link: Link, results: list[torch.Tensor], *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Hand out what the other side computed."""
        ctx.link = link
        ctx.set_materialize_grads(False)
        return tuple(results)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor | None) -> Any:
        """Ask the other side for vector-Jacobian products."""
        link: Link = ctx.link
        create = torch.is_grad_enabled()
        wanted = list(ctx.needs_input_grad[2:])
        products = link.peer.ask("vjp", link.record, list(grads), create, wanted, link=link)
        if type(products) is not list or len(products) != len(link.inputs):
            raise link.peer.broken("gradients are malformed")
        for product, tensor in zip(products, link.inputs, strict=True):
            if product is not None and (
                not isinstance(product, torch.Tensor) or product.shape != tensor.shape or product.dtype != tensor.dtype
            ):
                raise link.peer.broken("a gradient does not have the shape and dtype of its input")
        return (None, None, *products)


def products_of(
    pairs: list[tuple[torch.Tensor, torch.Tensor]], ins: list[torch.Tensor], *, create: bool
) -> tuple[torch.Tensor | None, ...]:
    """Vector-Jacobian products, sum over pairs of grad^T d(out)/d(in), as gradients of the scalars sum(out * grad).

    (`torch.autograd.grad` with `grad_outputs` means the same, and loads SymPy for it: over three seconds of a fork.)

    Args:
        pairs: (out, grad), of one shape and dtype each.
        ins: what to differentiate by.
        create: whether the products are to have a graph themselves.

    Raises:
        ValueError: if a gradient does not have the shape and dtype of its output.

    Example:
        >>> x = torch.tensor([3.0, 4.0], requires_grad=True)
        >>> products_of([(x.square(), torch.tensor([1.0, 10.0]))], [x], create=False)
        (tensor([ 6., 80.]),)
    """
    if any(out.shape != grad.shape or out.dtype != grad.dtype for out, grad in pairs):
        raise ValueError("a gradient does not have the shape and dtype of its output")
    with torch.enable_grad():
        totals = [(out * (grad.conj() if grad.is_complex() else grad)).sum() for out, grad in pairs]
        totals = [total.real if total.is_complex() else total for total in totals]
    return torch.autograd.grad(totals, ins, allow_unused=True, retain_graph=True, create_graph=create)
