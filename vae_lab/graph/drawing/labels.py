"""What things that are no variables are called: parameters after their modules, steps after torch's functions."""

from __future__ import annotations

from torch.overrides import resolve_name

from vae_lab.graph.recording.tape import Tape
from vae_lab.graph.recording.values import Operation

_SHORT = (("torch.Tensor.", ""), ("torch.nn.functional.", "F."), ("torch.functional.", "torch."))


def parameter_names(tape: Tape, detail: str, fold: list[object]) -> dict[int, str]:
    """What to call each parameter and buffer: the one name of a module shown whole, or else its place in its module."""
    called: dict[int, str] = {}
    for name, module in tape.modules.items():
        for path, tensor in [*module.named_parameters(), *module.named_buffers()]:
            called.setdefault(id(tensor), name if detail == "names" else f"{name}.{path}")
    for group in {g.key: g for op in tape.operations for g in op.groups if g.kind == "module"}.values():
        taken = set(called.values())
        whole = any(group.subject is f or group.name == f for f in fold)
        for path, tensor in [*group.subject.named_parameters(), *group.subject.named_buffers()]:
            full = group.name if whole else f"{group.name}.{path}"
            called.setdefault(id(tensor), full if full not in taken else f"{full} {len(taken)}")
    return called


def spelling(op: Operation) -> str:
    """An operation as a person writes it: `torch.normal`, `F.dropout`, `detach`."""
    if op.call is None:
        return op.name
    written = (resolve_name(op.call[0]) or op.name).removesuffix(".__get__")
    for long, short in _SHORT:
        written = written.replace(long, short)
    if written.startswith("aten") or op.name.startswith("_"):
        return op.name.strip("_")
    return written.strip("_") if written.startswith("__") else written
