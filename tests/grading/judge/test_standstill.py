# ruff: noqa: E501
"""Code that goes in circles is found out; code that gets on, or waits for something, never is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CIRCLES = {
    "nothing in it": "def f():\n    while True: pass",
    "two lines": "def f():\n    while True:\n        x = 1\n        y = x",
    "a forgotten increment": "def f():\n    i, x = 0, torch.ones(3)\n    while i < 10:\n"
    "        z = torch.nn.functional.relu(x * 2).sum().item()",
    "a helper": "def g(x): return [abs(v) for v in x]\ndef f():\n    while g([1, -2]): y = g([1, 2])",
    "three steps": "def f():\n    i = 0\n    while True: i = (i + 1) % 3",
    "the notebook's name": "N = 3\ndef f():\n    while N > 0: pass",
    "a loop in it": "def f():\n    while True:\n        for i in range(3): y = i",
    "in a loop": "def f():\n    for k in range(3):\n        while True: x = k",
    "a counter": "def f():\n    i = 0\n    while True: i += 1",
    "a counter on two lines": "def f():\n    n = 0\n    while True:\n        n = n + 1",
    "a sum": "def f():\n    i, total = 0, 0.0\n    while i < 10:\n        total += float(torch.exp(torch.ones(3)).sum())",
    "a sum of tensors": "def f():\n    i, x, total = 0, torch.ones(3), torch.zeros(3)\n    while i < 10:\n        total = total + x * i",
    "a growing list": "def f():\n    i, seen = 0, []\n    while i < 10:\n        y = abs(i - 3)\n        seen.append(y)",
    "a list of draws": "def f():\n    i, draws = 0, []\n    while i < 10:\n        draws.append(torch.randn(2))",
    "a running mean of draws": "def f():\n    mu, n, k, total = torch.ones(2), 5, 0, torch.zeros(2)\n    while k < n:\n"
    "        eps = torch.randn_like(mu)\n        z = mu + torch.exp(mu) * eps\n        total += z",
    "a printed count": "def f():\n    n = 0\n    while True:\n        n += 1\n        print(f'step {n}')",
    "counts of counts": "def f():\n    n = total = 0\n    while True:\n        n += 1\n        total += n",
    "a helper's sum": "def g(x): return x * x\ndef f():\n    i, s = 3, 0\n    while i: s += g(i)",
    "nested functions": "def f():\n    def g():\n        while True: pass\n    g()",
}
GETS_ON = {
    "a counter that ends it": "def f():\n    i = 0\n    while True:\n        i += 1\n        if i > 10**12: break",
    "a counter in the condition": "def f():\n    i = 0\n    while i < 10**12: i += 1",
    "a counter that stops by an exception": "def f():\n    i = 0\n    while True:\n        i += 1\n        [0] * 10 if [1][i - i] else {}[i]",
    "a counter that somebody reads": "def f():\n    i = 0\n    def g(): return i > 10**12\n    while not g(): i += 1",
    "a counter in a comprehension": "def f():\n    i = 0\n    while not any([i > 10**12 for _ in [1]]): i += 1",
    "a counter by its square": "def f():\n    i, j = 0, 0\n    while j < 10**24:\n        i += 1\n        j = i * i",
    "a counter in an index": "def f():\n    i, x = 0, range(10**12)\n    while True:\n        i += 1\n        x[i]",
    "a counter that is divided": "def f():\n    i = -10**12\n    while True:\n        i += 1\n        y = 1 / i",
    "a counter in a try": "def f():\n    i = 0\n    while True:\n        try: i += 1\n        except OverflowError: break",
    "a sum by another name": "def f():\n    x = torch.zeros(1)\n    y = x\n    while y < 10**12: x += 1",
    "a list by its length": "def f():\n    seen, x = [], 0\n    while len(seen) < 10**12:\n        seen.append(None)\n        seen.clear() if x else None",
    "a draw that ends it": "def f():\n    n = 0\n    while True:\n        n += 1\n        if torch.rand(1) > 2: break",
    "a draw that ends it, kept": "def f():\n    total = torch.zeros(1)\n    while True:\n        u = torch.rand(1)\n        total += u\n        if u > 2: break",
    "a draw by a helper": "def g():\n    u = torch.rand(1)\n    if u > 2: raise ValueError\n    return u\ndef f():\n    s = 0\n    while True: s = s + g()",
    "a count for others": "n = 0\ndef more(): return n < 10**12\ndef f():\n    global n\n    while more(): n += 1",
    "a print of its own": "def print(x):\n    if x > 10**12: raise ValueError\ndef f():\n    n = 0\n    while True:\n        n += 1\n        print(n)",
    "a number that doubles": "def f():\n    n, x = 1, 0.0\n    while True:\n        n = n + n\n        x = x + 0.5\n        n = 1 if False else n",
    "a clock": "import time\ndef f():\n    end = time.time() + 9\n    while time.time() < end: pass",
    "a clock by its name": "from time import perf_counter as now\ndef f():\n    end = now() + 9\n    while now() < end: pass",
    "a clock by a date": "from datetime import datetime\ndef f():\n    while datetime.now().year: pass",
    "a rest": "import time\ndef f(): time.sleep(9)",
    "a hidden count": "import itertools\ndef f():\n    for _ in itertools.repeat(None): pass",
    "the same again and again": "def f():\n    for _ in [1] * 10**9: pass",
    "an iterator": "it = iter(range(10**12))\ndef f():\n    while next(it, None) is not None: pass",
    "an iterator of equals": "def f():\n    for a, b in zip([1] * 10**9, [2] * 10**9): c = a + b",
    "an iterator taken up again": "it = iter([1] * 10**9)\ndef f():\n    while True:\n        for a in it:\n            break",
    "a generator": "def g():\n    n = 0\n    while n < 10**12:\n        n += 1\n        yield 1\ndef f():\n    for _ in g(): pass",
    "chance": "import random\ndef f():\n    while random.random() < 2: pass",
    "torch's chance": "def f():\n    while torch.rand(1) < 2: pass",
    "an object": "class C: n = 0\nc = C()\ndef f():\n    while c.n < 10**12: c.n += 1",
    "a class": "class C: n = 0\ndef f():\n    while C.n < 10**12: C.n += 1",
    "a function's own": "def h():\n    h.n += 1\n    return h.n\nh.n = 0\ndef f():\n    while h(): pass",
    "a closure": "def make():\n    n = 0\n    def h():\n        nonlocal n\n        n += 1\n        return n\n    return h\n"
    "h = make()\ndef f():\n    while h(): pass",
    "a default": "def h(a=[0]):\n    a[0] += 1\n    return a[0]\ndef f():\n    while h(): pass",
    "a tensor in place": "def f():\n    x = torch.zeros(1)\n    while x < 10**12: x += 1",
    "a model's training": "model = torch.nn.Linear(2, 1)\ndef f():\n    o = torch.optim.SGD(model.parameters(), lr=1e-6)\n"
    "    while True:\n        l = (model(torch.ones(1, 2)) ** 2).sum()\n        o.zero_grad()\n        l.backward()\n        o.step()",
    "another thread": "import threading\ndone = []\ndef f():\n    threading.Timer(9, done.append, [1]).start()\n    while not done: pass",
}  # fmt: skip
SCRIPT = """
import json, linecache, os, sys
import torch
from vae_lab.grading.student import shell

def outcome(source, seconds):
    shell.first_look[0] = 0.3
    names = {"torch": torch, "__name__": "__main__"}
    file = f"<ipython-input-{abs(hash(source))}>"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    exec(compile(source, file, "exec"), names)
    def run():
        with shell.time_limit(seconds):
            names["f"]()
    shell._serve = run
    try:
        run()
    except BaseException as error:
        return type(error).__name__
    return "ended"

circles, gets_on = json.loads(sys.argv[1])
found = {name: outcome(source, 60) for name, source in circles.items()}
found |= {name: outcome(source, 1.5) for name, source in gets_on.items()}
print(json.dumps(found), flush=True)
os._exit(0)
"""


def test_circles_are_found_and_nothing_that_gets_on_is_taken_for_one() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([CIRCLES, GETS_ON])],
        capture_output=True,
        text=True,
        timeout=600,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    expected = dict.fromkeys(CIRCLES, "StandsStill") | dict.fromkeys(GETS_ON, "TookTooLong")
    assert json.loads(done.stdout.splitlines()[-1]) == expected
