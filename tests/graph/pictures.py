"""The pictures that are kept in `golden/`. To draw them anew: `python -m tests.graph.pictures`."""

import re
from collections.abc import Callable
from pathlib import Path

import torch

from tests.graph.programs import PROGRAMS
from vae_lab.graph import Drawing, record, vae_views

GOLDEN = Path(__file__).parent / "golden"


def of_program(name: str, **options: bool) -> Drawing:
    program = next(p for p in PROGRAMS if p.name == name)
    torch.manual_seed(3)
    a = torch.tensor([0.3, -0.7, 1.2], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([0.5, 0.2, -0.4], dtype=torch.float64, requires_grad=True)
    with record(a=a, b=b) as graph:
        out = program.run(a, b)
    return graph.draw(out, **options)


PICTURES: dict[str, Callable[[], Drawing]] = {
    "vae_as_written": lambda: vae_views().as_written.draw(),
    "vae_reparameterized": lambda: vae_views().reparameterized.draw(),
    "vae_with_kl_as_written": lambda: vae_views(kl=True).as_written.draw(shapes=True),
    "vae_every_step": lambda: vae_views().reparameterized.draw(detail="all", legend=False),
    "normal_with_parameters": lambda: of_program("normal_with_parameters"),
    "detach": lambda: of_program("detach"),
    "numpy_computation": lambda: of_program("numpy_computation"),
    "dropout": lambda: of_program("dropout", shapes=True),
    "dead_unit": lambda: of_program("dead_unit"),
    "write_through_a_view": lambda: of_program("write_through_a_view", legend=False),
    "loop_with_numbers": lambda: of_program("loop", numbers=True, shapes=True),
}


def drawn(name: str) -> str:
    """The SVG as it is kept: without the line numbers of this code, one element a line."""
    return re.sub(r"line \d+", "line N", PICTURES[name]().svg).replace("><", ">\n<") + "\n"


if __name__ == "__main__":
    for name in PICTURES:
        (GOLDEN / f"{name}.svg").write_text(drawn(name), encoding="utf-8")
