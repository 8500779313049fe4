"""The race: equal work for all, a gate that can fail, ratios by round, and the usual loop as an equal of ours."""

from dataclasses import replace

import pytest
import torch
from torchvision.datasets import MNIST

from benchmarks.training import matrix_products, ours, rounds, usual_loop
from benchmarks.training.shares import ADAM, PRODUCTS, REST, kind, shares
from benchmarks.training.work import first_weights, judge, make_work

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return make_work(tmp_path_factory.mktemp("race"), epochs=1, device=CPU, images=300)


def test_torchvision_reads_back_the_images_that_all_train_on(work):
    assert torch.equal(MNIST(work.root, train=True).data, work.images[:, 0])
    assert work.batches == 3


def test_all_start_from_the_same_weights_and_give_them_back(work):
    for prepare in (usual_loop.prepare, lambda weights, work: ours.prepare(weights, work, capture=False)):
        weights = first_weights(3)
        trained = prepare(weights, work)[1]()
        assert all(torch.equal(*pair) for pair in zip(weights, trained, strict=True))


def test_the_usual_loop_does_the_same_work_as_ours(work):
    longer = replace(work, epochs=20)
    losses = {"start": judge(first_weights(0), work)}
    for name, prepare in (("usual", usual_loop.prepare), ("ours", lambda w, k: ours.prepare(w, k, capture=False))):
        train, trained = prepare(first_weights(0), longer)
        train()
        losses[name] = judge(trained(), longer)
    assert losses["start"] > 500
    assert losses["usual"] == pytest.approx(losses["ours"], rel=0.03)


def test_the_floor_makes_all_products_of_a_step(work, monkeypatch):
    seen = []
    monkeypatch.setattr(torch, "mm", lambda a, b, *, out: seen.append((a.shape[0], a.shape[1], b.shape[1])))
    matrix_products.prepare(first_weights(0), work)[0]()
    step = seen[: len(seen) // work.batches]
    assert len(step) == 11
    forward = 128 * (784 * 400 + 400 * 40 + 20 * 400 + 400 * 784)
    assert sum(n * k * m for n, k, m in step) == 3 * forward - 128 * 784 * 400


def test_a_round_starts_afresh_and_its_order_turns(work):
    calls = []

    def contender(name):
        def prepare(weights, work):
            return lambda: calls.append((name, weights[0][0, 0].item())), list

        return prepare

    seconds, losses = rounds.race({"a": contender("a"), "b": contender("b")}, work, 2)
    assert [name for name, _ in calls] == ["a", "b", "a", "b", "b", "a"]  # the first two warm up
    assert calls[2][1] == calls[3][1] != calls[4][1]
    assert [len(times) for times in seconds.values()] == [2, 2]
    assert losses == {}


def test_the_ratio_is_the_median_of_ratios():
    assert rounds.ratio({"slow": [2.0, 30.0, 8.0], "quick": [1.0, 3.0, 2.0]}, "slow", "quick") == 4.0


def test_the_gate_can_fail():
    assert rounds.equal_work({"a": 100.0, "b": 100.5})
    assert not rounds.equal_work({"a": 100.0, "b": 100.4, "c": 99.8})


def test_the_shares_of_a_step_are_found_by_kind(work):
    found = shares(first_weights(0), work, steps=2)
    assert list(found) == [PRODUCTS, ADAM, REST]
    assert sum(found.values()) == pytest.approx(1)
    assert min(found.values()) > 0
    assert [kind(name) for name in ("aten::mm", "Optimizer.step#Adam.step", "aten::copy_")] == [PRODUCTS, ADAM, REST]
