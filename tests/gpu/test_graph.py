"""A computation recorded on a GPU: the same nodes, edges, verdicts and words as on the processor."""

import inspect
import re

import pytest
import torch

from tests.graph.gradient.test_programs import A, B, plain
from tests.graph.programs import PROGRAMS
from vae_lab.graph import record
from vae_lab.models import VAE

pytestmark = pytest.mark.gpu

# Programs that go through NumPy, or make tensors of their own on the processor, have nothing to say about a GPU.
AT_HOME = re.compile(r"numpy|np\.|torch\.(empty|zeros|tensor)\(|nn\.Linear")
PORTABLE = [p for p in PROGRAMS if not AT_HOME.search(inspect.getsource(p.run))]


def test_most_programs_are_portable():
    assert len(PORTABLE) > len(PROGRAMS) / 2


@pytest.mark.parametrize("p", PORTABLE, ids=lambda p: p.name)
def test_a_program_is_recorded_as_on_the_processor(p, device):
    torch.manual_seed(3)
    a, b = (torch.tensor(values, dtype=torch.float64, device=device, requires_grad=True) for values in (A, B))
    with record(a=a, b=b) as graph:
        out = p.run(a, b)
    picture = graph.picture(out)
    assert {f"{plain(e.source)}>{plain(e.target)} {e.verdict}" for e in picture.edges} == p.edges
    assert {plain(n.id).replace(" ", "_") for n in picture.nodes.values() if n.stochastic} == p.drawn
    assert {s.operation for e in picture.edges for s in e.stops} == p.stops
    arrives = graph.arriving(out)
    wanted = (
        torch.autograd.grad(out, [a, b], allow_unused=True, retain_graph=True) if out.requires_grad else (None, None)
    )
    for name, gradient in zip("ab", wanted, strict=True):
        found = arrives.get(name)
        assert (found is None) == (gradient is None)
        if gradient is not None:
            assert found.device.type == device.type
            torch.testing.assert_close(found, gradient, rtol=1e-12, atol=1e-12)


def test_recording_a_training_step_changes_nothing_of_it(device):
    def step(watched):
        torch.manual_seed(5)
        vae = VAE(latent_dim=2, hidden=(16,)).to(device)
        x = torch.rand(4, 1, 28, 28, device=device)
        generator = torch.Generator(device).manual_seed(1)
        if watched:
            with record(x=x) as graph:
                loss = vae.loss_terms(x, generator=generator).reconstruction.sum()
            assert graph.picture(loss).nodes
        else:
            loss = vae.loss_terms(x, generator=generator).reconstruction.sum()
        loss.backward()
        return [loss, *(parameter.grad for parameter in vae.parameters() if parameter.grad is not None)]

    for watched, bare in zip(step(True), step(False), strict=True):
        assert torch.equal(watched, bare)
