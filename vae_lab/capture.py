"""A training step as one CUDA graph: recorded once, then replayed whole, with no Python and one launch a step.

A small VAE on a GPU waits for Python: each step launches some eighty kernels that take a few microseconds each. A graph
holds those launches and their addresses. So what changes from step to step must lie at a fixed address (the numbers of
the batch's images, the weights, the state of the noise), and what happens must not depend on values that Python reads.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from vae_lab.training_step import Step

WARM_UP = 3  # real steps, on the same side stream: libraries set themselves up before anything is recorded


def reason_against(step: Step) -> str | None:
    """Why this step cannot be replayed from a graph, or None where nothing speaks against it.

    Example:
        >>> from vae_lab.models import VAE
        >>> reason_against(Step(VAE(hidden=(8,)), torch.zeros(9, 1, 28, 28)))
        'the images are on cpu'
    """
    if not step.images.is_cuda:
        return f"the images are on {step.images.device.type}"
    if not hasattr(torch.cuda.CUDAGraph, "register_generator_state"):
        return f"torch {torch.__version__} cannot replay noise from a generator"
    if torch.is_anomaly_enabled():
        return "anomaly detection is on"
    if isinstance(step.model, nn.Module):
        for name, module in step.model.named_modules():
            if any(value for key, value in vars(module).items() if key.endswith("_hooks")):
                return f"{name or 'the model'} has hooks, which a replay would not call"
    return None


@contextmanager
def synchronising_is_an_error() -> Iterator[None]:
    """Torch's watch for what waits for the GPU; that torch calls it a prototype is no news for a student."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Synchronization debug mode is a prototype")
        try:
            torch.cuda.set_sync_debug_mode("error")
            yield
        finally:
            torch.cuda.set_sync_debug_mode(before)


class Captured:
    """A `Step` that is replayed from a graph for full batches, and runs as it is for others.

    The first steps are made eagerly, the first of them under torch's watch for synchronisation: a model that reads
    a value back while it computes cannot be captured, and every step stays eager. `note` says which it is.

    Use it, with everything else that touches the weights, inside `torch.cuda.stream(stream)` of one side stream.
    """

    def __init__(self, step: Step, batch_size: int) -> None:
        self.step, self.note, self.warm = step, "eager", 0
        self.index = torch.zeros(batch_size, dtype=torch.int64, device=step.images.device)
        self.graph: torch.cuda.CUDAGraph | None = None
        self.sums: Tensor
        self.impossible = reason_against(step)
        if self.impossible:
            self.note = f"eager: {self.impossible}"

    def __call__(self, index: Tensor) -> Tensor:
        """Make the step; what is returned is overwritten by the next call."""
        if self.impossible or len(index) != len(self.index):
            return self.step(index)
        if self.warm < WARM_UP:
            self.warm += 1
            return self._watched(index) if self.warm == 1 else self.step(index)
        self.index.copy_(index)
        if self.graph is None and not self._capture():
            return self.step(index)
        assert self.graph is not None
        self.graph.replay()
        return self.sums

    def _watched(self, index: Tensor) -> Tensor:
        """Make a step in which reading a value back is an error; after one, put the noise back and do it again."""
        before = self._noise()
        try:
            with synchronising_is_an_error():
                return self.step(index)
        except RuntimeError as error:
            if "synchroniz" not in str(error):
                raise
        self._give_up("the model reads a value back from the GPU in its step")
        self._put_back(before)
        return self.step(index)

    def _capture(self) -> bool:
        """Record the step, which changes nothing yet; False where CUDA refuses."""
        before, graph = self._noise(), torch.cuda.CUDAGraph()
        try:
            if self.step.generator is not None:
                graph.register_generator_state(self.step.generator)
            self.step.optimizer.zero_grad()  # so that the gradients are the graph's own memory
            with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
                self.sums = self.step(self.index)
        except RuntimeError as error:
            self._give_up(str(error).splitlines()[0])
            self._put_back(before)
            self.step.optimizer.zero_grad()
            return False
        self.graph, self.note = graph, "captured"
        return True

    def _give_up(self, reason: str) -> None:
        self.impossible, self.note = reason, f"eager: {reason}"

    def _noise(self) -> Tensor | None:
        return None if self.step.generator is None else self.step.generator.get_state()

    def _put_back(self, state: Tensor | None) -> None:
        # a new generator: one that took part in a failed capture cannot be used again
        if state is not None:
            self.step.generator = torch.Generator(self.step.images.device)
            self.step.generator.set_state(state)


def run_on_side_stream(work: Callable[[], None], device: torch.device) -> None:
    """Do all the work on one new stream, after what is queued so far and before what will be."""
    outer, side = torch.cuda.current_stream(device), torch.cuda.Stream(device)
    side.wait_stream(outer)
    with torch.cuda.stream(side):
        work()
    outer.wait_stream(side)
