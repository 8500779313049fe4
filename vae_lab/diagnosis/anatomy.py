"""Which tensors of a run are the encoder's two answers, z, and the picture: found by the way the numbers flow.

The noise is what was drawn at random, z the last that follows from it before a layer mixes it (or what `decode` was
given), the answers are the tensors of z's size from which it was made, and the picture is what the last layer behind z
gives in the size of the images. At each such place other numbers can be put in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from vae_lab.diagnosis.doors import Doors, numbers, quiet
from vae_lab.diagnosis.lines import factor
from vae_lab.diagnosis.watch import DRAWS, MIXES, NORMAL, SHAPES, Call, Change, Enough, Watch

Place = tuple[int, int]
BASE, OTHER = 0.3, 1.1  # constants that no common formula confuses


class Anatomy:
    """One run of the model, with the places of its parts."""

    def __init__(self, doors: Doors, x: Tensor) -> None:
        self.doors, self.x = doors, x
        self.decoded: list[Tensor] = []
        with quiet(doors.modules), torch.enable_grad():
            doors.run(x)  # what is made in the first run only, and kept, makes calls that later runs lack
        with quiet(doors.modules), torch.enable_grad(), _heard(doors, self.decoded), Watch() as self.watch:
            self.outputs, self.loss = doors.run(x)
        noise = self._noises()
        self.from_draw = self.watch.after(noise)
        self._blurred = self.watch.after(noise, plainly=True)  # noise, and what is made of it before a layer
        self.told_numbers = self._told_numbers()
        self.z_tensor = self._find_z()
        self.heads: list[Place] = []
        self.z: Place | None = None
        if self.z_tensor is not None:
            self.z = self._place(self.z_tensor)
            self.heads = self._answers(self.z_tensor)
        self.told = self._told()
        self.heads = [h for h in dict.fromkeys([*self.heads, *self.told]) if h != self.z or not self.several_draws()]
        if self.z_tensor is not None and self.z is None and self.heads:
            self.z = self._leaf_place(self.z_tensor)
        self.changed_behind = self._step_back()
        self.picture = self._find_picture()

    # -- running again -------------------------------------------------------------------------------------------

    def again(
        self, changes: dict[Place, Change], seed: int = 0, mode: str = "train", x: Tensor | None = None,
        until: int | None = None,
    ) -> tuple[Watch, Tensor | None]:  # fmt: skip
        """Run once more with other numbers at some places."""
        watch = Watch(changes, until)
        loss = None
        with quiet(self.doors.modules, seed, mode), torch.enable_grad():
            try:
                with watch:
                    loss = self.doors.run(self.x if x is None else x)[1]
            except Enough:
                pass
        return watch, loss

    def price(self, changes: dict[Place, Change], seed: int = 0) -> float:
        """The loss with other numbers at some places."""
        loss = self.again(changes, seed)[1]
        return float("nan") if loss is None else float(loss.detach())

    def with_leaf(
        self, place: Place, numbers: Tensor, changes: dict[Place, Change], until: int | None = None
    ) -> tuple[Watch, Tensor | None, Tensor | None]:
        """Run once more with numbers at a place that can be asked for a gradient: the run, its loss, and the leaf."""
        leaves: list[Tensor] = []

        def put_in(t: Tensor) -> Tensor:
            leaves.append(numbers.reshape(t.shape).to(t).detach().requires_grad_())
            return leaves[-1].clone()  # which may be written in place

        watch, loss = self.again(changes | {place: put_in}, until=until)
        return watch, loss, leaves[-1] if leaves else None

    def value(self, watch: Watch, place: Place) -> Tensor:
        """The tensor at a place of another run."""
        return watch.calls[place[0]].outputs[place[1]]

    def picture_held(self) -> dict[Place, Change]:
        """The change that keeps the picture as it was in the first run, whatever is decoded."""
        assert self.picture is not None
        still = self.value(self.watch, self.picture).detach().clone()
        return {self.picture: lambda t: still.to(t)}

    def like(self, watch: Watch, place: Place) -> Tensor | None:
        """The tensor at a place of a run in another mode, which may make other calls: found from the end of the run."""
        name, size = self.watch.calls[place[0]].name, self.value(self.watch, place).numel()

        def alike(calls: list[Call]) -> list[Tensor]:
            outputs = [c.outputs[place[1]] for c in calls if c.name == name and len(c.outputs) > place[1]]
            return [tensor for tensor in outputs if tensor.numel() == size]

        found, later = alike(watch.calls), len(alike(self.watch.calls[place[0] + 1 :]))
        return found[-1 - later] if len(found) > later else None

    def z_with(self, changes: dict[Place, Change], seed: int = 0, mode: str = "train") -> tuple[Tensor, Tensor | None]:
        """What z becomes, and the normal noise that was drawn for it, where that could be seen."""
        assert self.z is not None
        watch, _ = self.again(changes, seed, mode, until=self.z[0])
        z = self.value(watch, self.z)
        if [c.name for c in watch.calls] != [c.name for c in self.watch.calls[: len(watch.calls)]]:
            # noise that is drawn until it fits makes more calls, or fewer
            watch, _ = self.again(changes, seed, mode)
            found = self.like(watch, self.z)
            z = found if found is not None else z
        behind = watch.made_by[id(z)][0].number if id(z) in watch.made_by else self.z[0]
        z = z.detach()
        drawn = [c for c in watch.draws() if c.number <= behind and c.name in NORMAL]
        drawn = [c for c in drawn if c.outputs[0].numel() == z.numel()]
        return z, _noise_of(drawn[-1]).reshape(z.shape) if drawn else None

    def noise(self) -> Place | None:
        """The call that drew the normal noise of z, where it was seen."""
        if self.z is None or self.z_tensor is None:
            return None
        size = self.z_tensor.numel()
        drawn = [c for c in self.watch.draws() if c.name in NORMAL and c.number <= self.z[0]]
        fitting = [c.number for c in drawn if c.outputs[0].numel() == size]
        return (fitting[-1], 0) if fitting else None

    def drawn_apart(self) -> bool:
        """Whether the noise was drawn by itself, and not around mu and sigma in one go."""
        place = self.noise()
        return place is not None and not _drawn_with(self.watch.calls[place[0]])

    # -- finding ---------------------------------------------------------------------------------------------------

    def _place(self, tensor: Tensor) -> Place | None:
        made = self.watch.made_by.get(id(tensor))
        return (made[0].number, made[1]) if made is not None else None

    def _find_z(self) -> Tensor | None:
        rows = len(self.x)
        given = self.decoded[0] if self.decoded else None
        if given is not None and not isinstance(self.doors.decode, nn.Module):
            return given
        for call in self.watch.calls:
            if call.name in MIXES:
                hit = [t for t in call.inputs if id(t) in self.from_draw and t.numel() % rows == 0]
                if hit and not self._spreads(call):
                    return self._before_joining(hit[0])
        return given if given is not None else self._told_and_used()  # a module may be given less, or more, than z

    def several_draws(self) -> bool:
        """Whether z holds more than one draw for each image, and so more numbers than the encoder's answers."""
        return self.z_tensor is not None and id(self.z_tensor) in self.from_draw and len(self.z_tensor) != len(self.x)

    def _step_back(self) -> bool:
        """Take the draw itself for z, where something else than one factor is done to it before the decoder.

        A flow, a softmax, a normalisation: what comes out of it is not mu + sigma * eps, and what goes in is.
        """
        if self.z is None or self.z_tensor is None or not self.heads:
            return False
        size, draws = self.z_tensor.numel(), self.watch.draws()
        sources = [t for c in draws if c.name in NORMAL for t in c.outputs]
        tops = [self.value(self.watch, p) for p in self._answers(self.z_tensor)]
        follow = [self.watch.after([t], plainly=True) for t in tops] + [self.watch.after(sources, plainly=True)]
        for call in self.watch.calls:
            for i, t in enumerate(call.outputs):
                if t.numel() == size and all(id(t) in ids for ids in follow) and tops:
                    place = (call.number, i)
                    later = any(call.number < c.number < self.z[0] for c in draws)
                    if call.number >= self.z[0] or later or id(self.z_tensor) not in self.watch.after([t]):
                        return False
                    if self._one_factor(place):
                        return False
                    self.z, self.z_tensor = place, t
                    return True
        return False

    def _one_factor(self, place: Place) -> bool:
        """Whether z is what was drawn there, times one number, plus another."""
        assert self.z is not None
        watch, _ = self.again({p: constant(BASE) for p in self.heads}, until=self.z[0])
        before, z = (self.value(watch, p).detach() for p in (place, self.z))
        slope = factor(before, z)
        return slope is not None and float(slope.abs()) > 1e-4

    @property
    def matrix(self) -> bool:
        """Whether the noise is mixed by a matrix that the encoder gives."""
        return any(self._spreads(call) for call in self.watch.calls)

    def _spreads(self, call: Call) -> bool:
        """Whether the call mixes noise with a matrix that the encoder gives (a full covariance): a part of the draw."""
        others = [t for t in call.inputs if id(t) not in self.from_draw]
        return call.name in MIXES and len(others) < len(call.inputs) and any(id(t) in self._from_x for t in others)

    def _told_and_used(self) -> Tensor | None:
        """Without any noise: what the model tells of itself, in its narrowest form, and a layer takes."""
        narrow = [t for t in self.told_numbers if t.ndim == 2 and t.numel() < self.x.numel()]
        for call in self.watch.calls:
            for into in call.inputs if call.name in MIXES else []:
                same = [t for t in narrow if t.shape == into.shape and torch.equal(t, into.detach())]
                if same and id(into) in self.watch.made_by:
                    return into
        return None

    def _before_joining(self, tensor: Tensor) -> Tensor:
        """What was drawn of a tensor that is z and something else, side by side."""
        made = self.watch.made_by.get(id(tensor))
        while made is not None and made[0].name in {"cat", "concat", "concatenate", "hstack", "stack"}:
            tensor = next(t for t in made[0].inputs if id(t) in self.from_draw)
            made = self.watch.made_by.get(id(tensor))
        return tensor

    def _answers(self, z: Tensor) -> list[Place]:
        """The tensors of z's size, made by a layer or cut out of a larger one, from which z follows.

        What is the same for every image, a sigma that is no answer of the encoder's, is left out.
        """
        found: dict[Place, None] = {}
        todo, seen = [z], set()
        while todo:
            tensor = todo.pop()
            made = self.watch.made_by.get(id(tensor))
            if made is None or id(tensor) in seen:
                continue
            seen.add(id(tensor))
            call, place = made
            if (call.name in DRAWS and not _drawn_with(call)) or self._spreads(call):
                continue
            up = [t for t in call.sources(place) if t.numel() == z.numel() and t is not tensor]
            from_x = [t for t in call.inputs if t.numel() > t.shape[-1:].numel() and t.numel() != z.numel()]
            layer = call.name in MIXES or any(id(t) in self._from_x for t in from_x)
            if id(tensor) in self._blurred and (layer or not up):
                continue  # noise, or made of it: no answer of the encoder's
            if layer or (not up and tensor.numel() == z.numel() and call.name not in _MAKES):
                found[call.number, place] = None
            else:
                todo += up
        of_images = [place for place in found if id(self.value(self.watch, place)) in self._from_x]
        return sorted(of_images or found)

    @property
    def _from_x(self) -> set[int]:
        if not hasattr(self, "_follows_x"):
            self._follows_x = self.watch.after([self.x])
        return self._follows_x

    def _told_numbers(self) -> list[Tensor]:
        """What `encode`, or else the model, gives back."""
        for f in (self.doors.encode, self.doors.model):
            if f is None or not callable(f):
                continue
            try:
                with quiet(self.doors.modules), torch.no_grad():
                    told = numbers(f(self.x))
            except (TypeError, RuntimeError, ValueError, NotImplementedError):
                continue
            if len(told) > 1 or f is self.doors.model or not isinstance(f, torch.nn.Module):
                return told
        return []

    def _noises(self) -> list[Tensor]:
        """What was drawn for z: not what was drawn for the image (to blur it), nor dropout, if there is more."""
        varying = self._what_varies()
        every = [t for c in self.watch.draws() for t in c.outputs] + varying
        near = self.watch.after([self.x], plainly=True)
        sizes = {id(t): t.numel() for c in self.watch.calls for t in (*c.inputs, *c.outputs)}
        images = {i for i in near if sizes.get(i) == self.x.numel()}
        dropped = {id(t) for c in self.watch.calls if "dropout" in c.name for t in c.outputs}
        kept = [t for t in every if id(t) not in dropped and not self.watch.after([t], plainly=True) & images]
        return kept or every

    def _what_varies(self) -> list[Tensor]:
        """Where noise comes in that no function of torch's drew: numbers that differ from seed to seed first."""
        other, _ = self.again({}, seed=1)
        if [c.name for c in other.calls] != [c.name for c in self.watch.calls]:
            return []
        varies: set[int] = set()
        first: list[Tensor] = []
        for mine, theirs in zip(self.watch.calls, other.calls, strict=True):
            for t, u in zip(mine.outputs, theirs.outputs, strict=True):
                if t.shape == u.shape and not torch.equal(t.detach(), u.detach()):
                    if not any(id(i) in varies for i in mine.inputs):
                        first.append(t)
                    varies.add(id(t))
        return first

    def _told(self) -> list[Place]:
        """Places of the same size whose numbers are those that `encode`, or the outputs, tell."""
        if self.z_tensor is None:
            return []
        told, size = self.told_numbers, self.z_tensor.numel()
        wanted = [t for t in told if t.numel() == size]
        wanted += [half for t in told if t.numel() == 2 * size and t.ndim == 2 for half in t.chunk(2, 1)]
        found = []
        for answer in wanted:
            for call in self.watch.calls:
                candidates = [t if t.numel() == size and id(t) not in self.from_draw else None for t in call.outputs]
                same = [i for i, t in enumerate(candidates) if t is not None and _equal(t, answer)]
                if same:
                    top = self._answers(call.outputs[same[0]])
                    found += top or [(call.number, same[0])]
                    break
        return found

    def _leaf_place(self, z: Tensor) -> Place | None:
        """Where a z that came from outside torch (NumPy) first appears."""
        for call in self.watch.calls:
            for i, t in enumerate(call.outputs):
                if t is z:
                    return call.number, i
        return None

    def _find_picture(self) -> Place | None:
        """The last tensor of the images' size that a layer behind z makes, or that is cut from a larger one."""
        if self.z_tensor is None:
            return None
        behind = self.watch.after([self.z_tensor])
        last: Place | None = None
        for call in self.watch.calls:
            into = [t for t in call.inputs if id(t) in behind]
            if not into:
                continue
            for i, t in enumerate(call.outputs):
                new = call.name in MIXES or all(u.numel() != self.x.numel() for u in into)
                shift = last is not None and call.name in _ADDS and self._adds_to(call, last, behind)
                moved = (
                    last is not None and call.name in _MOVES and any(u is self.value(self.watch, last) for u in into)
                )
                if t.numel() == self.x.numel() and (new or shift or moved):
                    last = call.number, i
        return last

    def _adds_to(self, call: Call, place: Place, behind: set[int]) -> bool:
        """Whether the call only adds something that is not made of z (a bias, or the image itself) to the picture."""
        tensor = self.watch.calls[place[0]].outputs[place[1]]
        others = [t for t in call.inputs if t is not tensor]
        return any(t is tensor for t in call.inputs) and all(id(t) not in behind for t in others)


_MOVES = {"unflatten", "flatten", "view", "reshape", "view_as", "reshape_as", "permute", "squeeze", "unsqueeze"}
_MOVES |= {"t", "transpose", "T", "mT", "swapaxes", "movedim", "contiguous"}
_ADDS = {"add", "__add__", "__radd__", "add_", "__iadd__"}
_MAKES = SHAPES | {"zeros", "ones", "full", "empty", "tensor", "new_tensor"}


def _drawn_with(call: Call) -> bool:
    """Whether the draw was given a mean or a spread of its own that is more than 0 and 1."""
    if call.name != "normal":
        return False
    plain = all(bool((t == t.flatten()[0]).all()) and float(t.detach().flatten()[0]) in {0.0, 1.0} for t in call.inputs)
    return bool(call.inputs) and not plain


def _noise_of(call: Call) -> Tensor:
    """The standard normal numbers behind a draw: its result, or what torch.normal(mean, std) made of them."""
    drawn = call.outputs[0].detach()
    if not _drawn_with(call):
        return drawn
    given = [t.detach() for t in call.inputs]
    mean, std = (given[0], given[1]) if len(given) > 1 else (given[0], torch.ones_like(given[0]))
    return torch.nan_to_num((drawn - mean) / std)


def constant(c: float) -> Change:
    """The change that puts one number everywhere."""
    return partial(torch.full_like, fill_value=c)


def _equal(a: Tensor, b: Tensor) -> bool:
    return torch.equal(a.detach().flatten(), b.detach().flatten())


class _heard:
    """Notes what `decode` is given during a run."""

    def __init__(self, doors: Doors, heard: list[Tensor]) -> None:
        self.doors, self.heard = doors, heard
        self.undo: list[Callable[[], Any]] = []

    def note(self, arguments: Iterable[Any]) -> None:
        tensors = [t for t in arguments if isinstance(t, Tensor)]
        if tensors:
            self.heard.append(tensors[0])

    def __enter__(self) -> None:
        decode, model = self.doors.decode, self.doors.model
        if decode is None:
            return
        if isinstance(decode, nn.Module):
            self.undo.append(decode.register_forward_pre_hook(lambda _, args: self.note(args)).remove)
            return
        owner = getattr(decode, "__self__", None)
        name = getattr(decode, "__name__", "")
        if owner is not None and owner is model and getattr(model, name, None) == decode:

            def noted(*args: Any, **kwargs: Any) -> Any:
                self.note([*args, *kwargs.values()])
                return decode(*args, **kwargs)

            object.__setattr__(model, name, noted)
            self.undo.append(lambda: object.__delattr__(model, name))

    def __exit__(self, *exc: Any) -> None:
        for undo in self.undo:
            undo()
