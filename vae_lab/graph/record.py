"""`record`: the way in."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from torch import Tensor, nn

from vae_lab.graph.graph import Graph
from vae_lab.graph.recording.recorder import Recorder


def record(*unnamed: object, fold: Iterable[object] = (), **named: Tensor | nn.Module) -> Graph:
    """Record the computation in a `with` block.

    A tensor given by name becomes an input; a module given by name is shown whole, and its parameters are one node of
    that name. Results get the names of the local variables that hold them, unless some are marked with `graph.mark`.

    Args:
        unnamed: nothing; a tensor or module without a name is refused with a word about it.
        fold: further modules and functions to be shown whole: objects, or names of classes.
        named: the tensors and modules that the computation begins with.

    Returns:
        The graph; it can be asked and drawn as soon as the block has ended.

    Raises:
        TypeError: where what is named is neither a tensor nor a module, or something comes without a name.
        ValueError: where two names mean one tensor, or one of them was computed from another before the block.
        RecordingError: at the end of the block, where part of the computation could not be seen.

    Example:
        >>> import torch
        >>> mu, sigma = torch.zeros(3, requires_grad=True), torch.ones(3, requires_grad=True)
        >>> with record(mu=mu, sigma=sigma) as graph:
        ...     z = torch.normal(mu, sigma)
        ...     loss = (z**2).sum()
        >>> graph.kinds()["z"], graph.gradient("loss")["mu", "z"]
        ('stochastic', 'zero')
        >>> with record(mu=mu, sigma=sigma) as graph:
        ...     eps = torch.randn(3)
        ...     z = mu + sigma * eps
        ...     loss = (z**2).sum()
        >>> graph.kinds()["z"], graph.kinds()["eps"], graph.gradient("loss")["mu", "z"]
        ('deterministic', 'stochastic', 'passes')

    Source:
        Schulman et al. (2015), Gradient estimation using stochastic computation graphs.
    """
    if unnamed:
        here = sys._getframe(1).f_globals | sys._getframe(1).f_locals
        called = [next((n for n, v in here.items() if v is thing), f"name_{i}") for i, thing in enumerate(unnamed, 1)]
        raise TypeError(
            "record: give each tensor and each module a name, for the picture: "
            f"record({', '.join(f'{n}={n}' for n in called)}). The computation itself goes into the block below it."
        )
    if isinstance(fold, Tensor | nn.Module | str):
        raise TypeError(
            f"record: fold is a {type(fold).__name__}; a list of modules, functions or class names is wanted."
        )
    graph = Graph(Recorder(sys._getframe(1), [f.__code__ for f in fold if hasattr(f, "__code__")]), fold)
    enter(graph, named)
    return graph


def enter(graph: Graph, named: dict[str, Tensor | nn.Module]) -> None:
    """Make tensors the inputs of a graph, and modules the owners of its parameters."""
    tape = graph.tape
    for name, thing in named.items():
        if isinstance(thing, nn.Module):
            tape.modules[name] = thing
            tape.learned |= {id(p): p for p in thing.parameters()}
        elif not isinstance(thing, Tensor):
            raise TypeError(f"record: {name} is a {type(thing).__name__}; a tensor or a module is wanted.")
    for name, thing in named.items():
        if isinstance(thing, Tensor):
            known = tape.find(thing)
            if known is not None:
                raise ValueError(f"record: {name} and {known.name} are the same tensor; give it one name.")
            if thing.grad_fn is not None and tape.follows(thing):
                raise ValueError(
                    f"record: {name} was computed from another of the names before the block; compute it inside."
                )
            tape.leaf(thing, name)
