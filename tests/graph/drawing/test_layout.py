"""The layout: edges point down, nodes keep their distance, and the number of crossings is the smallest there is."""

import itertools
import random

import pytest

from vae_lab.graph.drawing.layout import lay_out


def graph(seed: int, n: int = 12, m: int = 16) -> tuple[dict[str, tuple[float, float]], list[tuple[str, str]]]:
    rng = random.Random(seed)
    names = [f"n{i}" for i in range(n)]
    edges = {tuple(sorted(rng.sample(range(n), 2))) for _ in range(m)}
    return {v: (rng.uniform(30, 90), rng.uniform(20, 40)) for v in names}, [
        (names[a], names[b]) for a, b in sorted(edges)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_edges_point_down_and_nodes_do_not_touch(seed: int) -> None:
    sizes, edges = graph(seed)
    layout = lay_out(sizes, edges, gap=10, rise=40)
    for a, b in edges:
        ys = [y for _, y in layout.route[a, b]]
        assert ys == sorted(ys)
        assert layout.route[a, b][0] == layout.position[a]
        assert layout.route[a, b][-1] == layout.position[b]
    for a, b in itertools.combinations(sizes, 2):
        (ax, ay), (bx, by) = layout.position[a], layout.position[b]
        apart_x = abs(ax - bx) >= (sizes[a][0] + sizes[b][0]) / 2 + 10 - 1e-6
        apart_y = abs(ay - by) >= (sizes[a][1] + sizes[b][1]) / 2
        assert apart_x or apart_y, (a, b)
    for name, (x, y) in layout.position.items():
        assert x - sizes[name][0] / 2 + 1e-6 >= 0
        assert x + sizes[name][0] / 2 <= layout.width + 1e-6
        assert sizes[name][1] / 2 <= y + 1e-6
        assert y + sizes[name][1] / 2 <= layout.height + 1e-6


def fewest(sizes: dict[str, tuple[float, float]], edges: list[tuple[str, str]]) -> int:
    """By trying all orders of two layers."""
    top = sorted({a for a, _ in edges})
    bottom = sorted({b for _, b in edges})
    best = 10**9
    for p in itertools.permutations(top):
        for q in itertools.permutations(bottom):
            ends = [(p.index(a), q.index(b)) for a, b in edges]
            crossed = sum((a - c) * (b - d) < 0 for (a, b), (c, d) in itertools.combinations(ends, 2))
            best = min(best, crossed)
    return best


@pytest.mark.parametrize("seed", range(15))
def test_crossings_of_two_layers_are_as_few_as_there_can_be(seed: int) -> None:
    rng = random.Random(seed)
    edges = sorted({(f"a{rng.randrange(4)}", f"b{rng.randrange(4)}") for _ in range(7)})
    sizes = {n: (40.0, 20.0) for e in edges for n in e}
    assert lay_out(sizes, edges).crossings == fewest(sizes, edges)


def test_a_tree_a_chain_and_nothing_have_no_crossing() -> None:
    tree = [(f"t{i}", f"t{(i - 1) // 2}") for i in range(1, 15)]
    assert lay_out({f"t{i}": (30, 20) for i in range(15)}, tree).crossings == 0
    chain = lay_out(dict.fromkeys("abcd", (30, 20)), [("a", "b"), ("b", "c"), ("c", "d")])
    assert len({x for x, _ in chain.position.values()}) == 1
    assert lay_out({}, []).crossings == 0
    assert lay_out({"only": (30, 20)}, []).width == 30


def test_a_cycle_is_refused() -> None:
    with pytest.raises(ValueError, match="the edges form a cycle"):
        lay_out({"a": (1, 1), "b": (1, 1)}, [("a", "b"), ("b", "a")])


def test_the_same_input_gives_the_same_layout() -> None:
    assert lay_out(*graph(1)) == lay_out(*graph(1))
