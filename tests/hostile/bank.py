# ruff: noqa: E501  (sources are data, one case a line)
"""Hostile submissions: each tries to forge points, read what it must not, stop the class, outlive it, or attack the reader.

A case is data: a name, its kind, sources for solution cells of the tests' tiny lab, cells to add, or a change of the
whole notebook, and which test cells it loses. `build(case)` gives the submitted bytes. The other cells keep the
solution, so that a case also shows that it hurts nobody but itself. Grade them with `LIMITS`, inside a sandbox only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.grading import tiny
from vae_lab.grading.limits import Limits

LIMITS = Limits(cell_seconds=2, call_seconds=2, test_seconds=5, submission_seconds=20, memory=600 << 20, restarts=4)

Change = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Hostile:
    """One hostile submission.

    Args:
        name: what it tries.
        kind: "forge", "read", "stop", "outlive" or "reader".
        cells: sources that replace solution cells, by grade_id.
        loses: the test cells that it deserves to lose.
        first: source of a cell added at the top.
        last: source of a cell added at the end.
        change: a change of the notebook as a whole.
        data: the bytes themselves, where it is no notebook of ours.
        flag: text that one of the result's flags must contain.
        says: text that the message of each lost cell must contain.
    """

    name: str
    kind: str
    cells: Mapping[str, str] = field(default_factory=dict)
    loses: frozenset[str] = frozenset()
    first: str = ""
    last: str = ""
    change: Change | None = None
    data: bytes | None = None
    flag: str = ""
    says: str = ""


def build(case: Hostile) -> bytes:
    """The bytes that a student hands in."""
    if case.data is not None:
        return case.data
    notebook = json.loads(tiny.submission(case.cells))
    if case.first:
        notebook["cells"].insert(0, tiny.cell("code", case.first))
    if case.last:
        notebook["cells"].append(tiny.cell("code", case.last))
    if case.change is not None:
        case.change(notebook)
    return json.dumps(notebook).encode("utf-8", "surrogatepass")


ALL = frozenset(tiny.POINTS)
D = frozenset({"double_tests"})
F = frozenset({"facts_tests"})
HONEST = "\ndef double(x):\n    return 2 * x\n"
CHEAT = "\ndef double(x):\n    return 3 * x\n"
FACTS = "\ndef facts():\n    return {'pi': 3.14, 'primes': {2, 3, 5}}\n"


def double(name: str, source: str, kind: str = "forge", **more: Any) -> Hostile:
    """A case that puts a dishonest answer in place of `double` and deserves to lose its test."""
    return Hostile(name, kind, {"double": source}, more.pop("loses", D), **more)


def facts(name: str, source: str, kind: str, **more: Any) -> Hostile:
    return Hostile(name, kind, {"facts": source}, more.pop("loses", F), **more)


def tests(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id", "") in ALL]


def every_test(**changes: Any) -> Change:
    def change(notebook: dict[str, Any]) -> None:
        for cell in tests(notebook):
            for key, value in changes.items():
                cell[key] = {**cell["metadata"], **value} if key == "metadata" else value

    return change


def every_test_info(**changes: Any) -> Change:
    def change(notebook: dict[str, Any]) -> None:
        for cell in tests(notebook):
            cell["metadata"]["nbgrader"].update(changes)

    return change


# -- forging points ----------------------------------------------------------------------------------------------------

NUMBER = {"output_type": "execute_result", "data": {"text/plain": "100"}, "metadata": {}, "execution_count": 1}
SUBCLASS = """
class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in ("allclose", "equal", "eq", "isclose", "all", "__bool__"):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})
    def __eq__(self, other): return True
def double(x):
    return (3 * x).as_subclass(Yes)
"""
FRAME = "import struct, json\nHEAD = struct.Struct('>4sIQ')\ndef frame(text, blob=b''):\n    body = json.dumps(text).encode()\n"
FRAME += "    return HEAD.pack(b'VLB1', len(body), len(blob)) + body + blob\n"


def on_wire(action: str) -> str:
    """A `double` that writes to the runner's own socket, which it finds among its open files."""
    return f"import os, socket\n{FRAME}\ndef double(x):\n    s = socket.socket(fileno=os.dup(3))\n    {action}\n    return 3 * x\n"


FORGE = [
    Hostile(
        "skip-execution tags on the tests",
        "forge",
        {"double": CHEAT},
        D,
        change=every_test(metadata={"tags": ["skip-execution"]}),
    ),
    Hostile(
        "outputs of 100 points left in the tests", "forge", {"double": CHEAT}, D, change=every_test(outputs=[NUMBER])
    ),
    Hostile(
        "tests replaced by pass",
        "forge",
        {"double": CHEAT},
        D,
        change=every_test(source="pass"),
        flag="locked cell edited",
    ),
    Hostile("tests turned into text", "forge", {"double": CHEAT}, D, change=every_test(cell_type="markdown")),
    Hostile("tests worth 1000 points", "forge", {"double": CHEAT}, D, change=every_test_info(points=1000)),
    Hostile("tests worth NaN points", "forge", {"double": CHEAT}, D, change=every_test_info(points=float("nan"))),
    Hostile(
        "tests marked as solutions",
        "forge",
        {"double": CHEAT},
        D,
        change=every_test_info(solution=True, locked=False, grade=False),
    ),
    Hostile("a schema of the future", "forge", {"double": CHEAT}, D, change=every_test_info(schema_version=99)),
    double("a tensor subclass that equals everything", SUBCLASS),
    double(
        "a number that equals everything",
        "class E:\n    def __eq__(self, o): return True\n    def __getattr__(self, n): return self\n    def __call__(self, *a, **k): return self\ndef double(x): return E()",
    ),
    double(
        "torch.allclose patched",
        "torch.allclose = torch.equal = lambda *a, **k: True\nimport builtins\nbuiltins.abs = lambda x: 0" + CHEAT,
    ),
    double(
        "assert disabled through the AST",
        "ip = get_ipython()\nimport ast\nclass N(ast.NodeTransformer):\n    def visit_Assert(self, n): return ast.Pass()\nip.ast_transformers.append(N())"
        + CHEAT,
    ),
    double(
        "run_cell patched",
        "ip = get_ipython()\nip.run_cell = lambda *a, **k: None\ntype(ip).run_cell = lambda *a, **k: None" + CHEAT,
        loses=ALL,
    ),
    double(
        "input transformers that swap sources",
        "ip = get_ipython()\nip.input_transformers_cleanup.append(lambda lines: ['pass\\n'])" + CHEAT,
        loses=ALL,
    ),
    double("a hook after each cell", "get_ipython().events.register('post_run_cell', lambda *a: print(100))" + CHEAT),
    double(
        "a display hook that prints points",
        "import sys\nsys.displayhook = lambda v: print(100)\nget_ipython().displayhook = sys.displayhook" + CHEAT,
    ),
    double("an exit hook", "import atexit, sys\natexit.register(lambda: print(100))" + CHEAT),
    double("a trace function", "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)" + CHEAT),
    double(
        "frames walked for the runner",
        "import sys\ndef double(x):\n    f = sys._getframe()\n    while f:\n        for k, v in list(f.f_locals.items()):\n            if k in ('result', 'answer', 'passed', 'reply'):\n                f.f_locals[k] = True\n        f = f.f_back\n    return 3 * x",
    ),
    double(
        "garbage collector searched for the judge",
        "import gc\nfor o in gc.get_objects():\n    if type(o).__name__ == 'Peer':\n        o.trusted = True\n        o.channel.close()"
        + CHEAT,
        loses=D,
    ),
    double(
        "an exception as a verdict", "class Passed(Exception): pass\ndef double(x): raise Passed('all tests passed')"
    ),
    double("SystemExit(0)", "def double(x): raise SystemExit(0)"),
    double("os._exit(0) in the call", "import os\ndef double(x): os._exit(0)"),
    double("KeyboardInterrupt", "def double(x): raise KeyboardInterrupt"),
    double("a generator instead of a tensor", "def double(x):\n    while True: yield x"),
    double("NaN as an answer", "def double(x): return x * float('nan')"),
    double(
        "an answer forged on the socket", on_wire("s.sendall(frame({'m': 'answer', 'n': 3, 'ok': True, 'v': None}))")
    ),
    double(
        "answers for every question",
        on_wire("s.sendall(b''.join(frame({'m': 'answer', 'n': n, 'ok': True, 'v': True}) for n in range(60)))"),
    ),
    double("rubbish on the socket", on_wire("s.sendall(os.urandom(4096))")),
    double("a giant frame announced", on_wire("s.sendall(HEAD.pack(b'VLB1', 2**32 - 1, 2**63))")),
    double(
        "half a frame, then silence",
        on_wire("s.sendall(HEAD.pack(b'VLB1', 500, 0) + b'{'); import time; time.sleep(60)"),
    ),
    double("deep JSON on the socket", on_wire("b = b'[' * 10**6; s.sendall(HEAD.pack(b'VLB1', len(b), 0) + b)")),
    double(
        "questions about the judge's objects",
        on_wire(
            "s.sendall(frame({'m': 'ask', 'n': 1, 'op': 'attr', 'v': {'k': 'list', 'v': [{'k': 'object', 'yours': 0}, '__globals__']}}))"
        ),
        loses=D | F,
    ),
    double("the socket closed", "import os\nos.close(3)" + CHEAT, loses=D),
    double(
        "the judge's random numbers zeroed",
        "class Z: pass\ndef double(x):\n    s = torch.get_rng_state(); s[24:] = 0\n    try: torch.set_rng_state(s)\n    except Exception: pass\n    return 3 * x",
    ),
    double(
        "pickle smuggled as a value",
        "import pickle, os\nclass P:\n    def __reduce__(self): return (os.system, ('true',))\ndef double(x): return pickle.dumps(P())",
    ),
    Hostile(
        "the expected answer recognised and nothing else",
        "forge",
        {"double": "def double(x):\n    return torch.tensor([2.0, 4.0]) if x.tolist() == [1.0, 2.0] else x * 0"},
        D,
    ),
    Hostile(
        "answers that watch who asks",
        "forge",
        {
            "double": "import inspect\ndef double(x):\n    graded = len(inspect.stack()) > 10\n    return 2 * x if not graded else 3 * x"
        },
        D,
    ),
    Hostile(
        "an argument changed to fit",
        "forge",
        {"double": "def double(x):\n    with torch.no_grad(): x.zero_()\n    return x"},
        D,
        flag="in place",
    ),
    Hostile(
        "a model that claims its gradients",
        "forge",
        {
            "Line": "class Line(nn.Module):\n    def __init__(self, n):\n        super().__init__()\n        self.w = nn.Parameter(torch.ones(1, n))\n    def forward(self, x):\n        with torch.no_grad(): y = x @ self.w.T\n        return y"
        },
        frozenset({"Line_tests", "fit_tests"}),
    ),
    Hostile(
        "losses made up",
        "forge",
        {"fit": "def fit(model, x, y, steps):\n    return [1 / (i + 1) for i in range(steps)]"},
        frozenset({"fit_tests"}),
    ),
    Hostile(
        "a callback not called",
        "forge",
        {"apply_twice": "def apply_twice(f, x): return x ** 4"},
        frozenset({"apply_twice_tests"}),
    ),
]

# -- reading what is not theirs ----------------------------------------------------------------------------------------


LOOK = """
import glob, inspect, os, socket, sys
def files():
    for place, folders, names in os.walk('/'):
        folders[:] = [name for name in folders if name not in ('site-packages', 'lib', 'lib64', 'usr', 'dev')]
        yield from (os.path.join(place, name) for name in names)
def look():
    try:
        return bool(EXPRESSION)
    except Exception:
        return False
FOUND = look()
def double(x):
    return 2 * x if FOUND else 3 * x
"""


def found(expression: str, name: str) -> Hostile:
    """A case that answers rightly only if it can read something; it must not be able to."""
    return Hostile(name, "read", {"double": LOOK.replace("EXPRESSION", expression)}, D, says="double(x) is not 2 x")


READ = [
    found("[p for p in files() if p.endswith('.ipynb')]", "notebooks on the disk"),
    found("[p for p in files() if p.endswith(('.db', '.sqlite', '.sql'))]", "a gradebook on the disk"),
    found("os.path.exists('/etc/passwd') or os.path.exists('/etc/shadow')", "password files"),
    found(
        "glob.glob('/course/tests*') or glob.glob('/course/sol*') or glob.glob('/course/lab*')",
        "solutions and tests of the course",
    ),
    found("[p for p in os.listdir('/proc') if p.isdigit()]", "processes in /proc"),
    found("open('/proc/1/environ', 'rb').read()", "the environment of another process"),
    found("open('/proc/self/mem', 'rb')", "memory through /proc"),
    found(
        "[k for k in os.environ if 'KEY' in k or 'TOKEN' in k or 'SECRET' in k or k == 'USER' or k == 'SSH_AUTH_SOCK']",
        "secrets in the environment",
    ),
    found("socket.create_connection(('1.1.1.1', 53), 1)", "the network"),
    found("socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "an internet socket"),
    found("socket.getaddrinfo('example.org', 80)", "a name server"),
    found("[fd for fd in range(4, 256) if not os.dup(fd) < 0]", "files left open by the runner"),
    found("__import__('subprocess').run(['/bin/sh', '-c', 'true'])", "a shell"),
    found("__import__('ctypes').CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0", "the parent through ptrace"),
    found("__import__('ctypes').CDLL(None).unshare(0x10000000) == 0", "a user namespace of its own"),
    found("__import__('ctypes').CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0", "a mount"),
    found("__import__('ctypes').CDLL(None).syscall(250, 0, 0) >= 0", "the kernel's keyring"),
    found("os.symlink('/etc/shadow', 'x') or open('x').read()", "a link out of the sandbox"),
    found("open('/course/vae_lab/planted.py', 'w')", "the package made writable"),
    found("open(os.path.join(os.path.dirname(torch.__file__), 'planted.py'), 'w')", "torch made writable"),
    found("os.setuid(0) is None and os.getuid() == 0 and os.chroot('/') is None", "root"),
    found(
        "[s for f in inspect.stack() for s in str(f.frame.f_locals).split() if '52.321'[::-1] in s]",
        "hidden inputs on the stack",
    ),
    found("'52.321'[::-1] in str(__import__('gc').get_objects()[:200000])", "hidden tests in memory"),
    found("[m for m in list(sys.modules) if 'judge' in m or 'server' in m and 'vae_lab' in m]", "the judge's modules"),
    double(
        "hidden inputs in an exception",
        "def double(x):\n    raise ValueError(f'inputs: {x.tolist()}') if x[0] > 100 else None\n    return 3 * x if x[0] > 100 else 2 * x",
        "read",
    ),
    double(
        "hidden inputs printed",
        "import sys\ndef double(x):\n    print(x, file=sys.stderr); print(x); open('/tmp/seen', 'a').write(str(x))\n    return 2 * x",
        "read",
        loses=frozenset(),
    ),
]

# -- stopping the class ------------------------------------------------------------------------------------------------

STOP = [
    facts("an endless loop in a cell", "while True: pass", "stop"),
    facts("an endless loop in a call", "def facts():\n    while True: pass", "stop"),
    facts(
        "an endless loop that swallows interrupts",
        "def facts():\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass",
        "stop",
    ),
    facts("alarms ignored", "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass", "stop"),
    facts("a sleep for ever", "import time\ntime.sleep(10**6)", "stop"),
    facts("a catastrophic regular expression", "import re\nre.match('(a+)+$', 'a' * 60 + 'b')", "stop"),
    facts("os._exit in a cell", "import os\nos._exit(0)", "stop", flag="ended its process"),
    facts("a segmentation fault", "import ctypes\nctypes.string_at(0)", "stop", flag="ended its process"),
    facts(
        "SIGKILL to itself and all",
        "import os, signal\nfor p in (0, -1, 1, os.getppid()):\n    try: os.kill(p, signal.SIGKILL)\n    except Exception: pass"
        + FACTS,
        "stop",
        loses=frozenset(),
    ),
    facts("a fork bomb", "import os\nwhile True: os.fork()", "stop"),
    facts(
        "a thread bomb",
        "import threading, time\nts = [threading.Thread(target=time.sleep, args=(99,), daemon=True) for _ in range(10**5)]\nfor t in ts: t.start()",
        "stop",
    ),
    facts("memory taken at once", "x = bytearray(10**11)", "stop"),
    facts("memory taken bit by bit", "x = []\nwhile True: x.append(bytearray(10**7))", "stop"),
    facts(
        "memory in shared pages",
        "import mmap\nm = []\nwhile True:\n    a = mmap.mmap(-1, 10**8)\n    a.write(b'x' * 10**8)\n    m.append(a)",
        "stop",
    ),
    facts("a full disk", "f = open('/tmp/full', 'wb')\nwhile True: f.write(b'x' * 10**6)", "stop"),
    facts("many small files", "i = 0\nwhile True:\n    open(f'/tmp/{i}', 'w').write('x'); i += 1", "stop"),
    facts(
        "files without end in /dev/shm",
        "for i in range(10**6):\n    open(f'/dev/shm/{i}', 'wb').write(b'x' * 10**6)",
        "stop",
    ),
    facts("endless output", "while True: print('x' * 10**6)", "stop"),
    facts(
        "a value nested without end",
        "def facts():\n    a = []\n    for _ in range(10**5): a = [a]\n    return a",
        "stop",
    ),
    facts("a giant list", "def facts(): return list(range(10**7))", "stop"),
    facts("a giant text", "def facts(): return {'pi': 'x' * 10**8}", "stop"),
    facts("a giant tensor", "def facts(): return torch.zeros(10**9)", "stop"),
    facts("an expanded tensor", "def facts(): return torch.zeros(1).expand(10**12)", "stop"),
    facts("a giant integer", "def facts(): return 10 ** 10**6", "stop"),
    facts("sockets without end", "import socket\ns = []\nwhile True: s.append(socket.socketpair())", "stop"),
    facts("recursion without end", "def facts(): return facts()", "stop"),
    facts("a deep expression", "x = " + "-" * 20_000 + "1", "stop"),
    facts("many brackets", "x = " + "(" * 5_000 + ")" * 5_000, "stop"),
    facts(
        "an object that hangs when it is asked",
        "class H:\n    def __getattribute__(self, n):\n        while True: pass\ndef facts(): return H()",
        "stop",
    ),
    facts("input() waited for", "x = input()", "stop"),
    facts("a debugger", "breakpoint()", "stop"),
    facts(
        "a broken stdout",
        "import sys\nimport os; os.close(1); os.close(2)" + FACTS,
        "stop",
        loses=frozenset(),
    ),
    Hostile(
        "a callback asked for ever",
        "stop",
        {"apply_twice": "def apply_twice(f, x):\n    while True: f(x)"},
        frozenset({"apply_twice_tests"}),
    ),
    Hostile(
        "a callback called deeper and deeper",
        "stop",
        {"apply_twice": "def apply_twice(f, x):\n    for _ in range(10**5): x = f(x)\n    return x"},
        frozenset({"apply_twice_tests"}),
    ),
    Hostile("every cell ends the process", "stop", dict.fromkeys(tiny.SOLUTIONS, "import os; os._exit(1)"), ALL),
    Hostile(
        "modules beside the notebook that shadow torch",
        "stop",
        first="open('torch.py', 'w').write('raise SystemExit')\nopen('random.py', 'w').write('1/0')",
    ),
    Hostile("sys.modules emptied", "stop", last="import sys\nsys.modules.clear()"),
    Hostile(
        "builtins deleted",
        "stop",
        {"facts": "import builtins\ndel builtins.len, builtins.isinstance"},
        F,
    ),
    Hostile("no JSON", "stop", loses=ALL, data=b"{"),
    Hostile("an empty file", "stop", loses=ALL, data=b""),
    Hostile("deep JSON", "stop", loses=ALL, data=b"[" * 10**6),
    Hostile(
        "deep JSON in metadata",
        "stop",
        loses=ALL,
        data=b'{"cells": [], "metadata": ' + b'{"a":' * 10**5 + b"1" + b"}" * 10**5 + b"}",
    ),
    Hostile("a list instead of a notebook", "stop", loses=ALL, data=b"[]"),
    Hostile(
        "cells of the wrong type",
        "stop",
        loses=ALL,
        data=b'{"cells": [1, null, {"source": 3}, {"cell_type": []}, []], "nbformat": 4}',
    ),
    Hostile("no cells", "stop", loses=ALL, data=b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'),
    Hostile("too many cells", "stop", loses=ALL, data=json.dumps({"cells": [tiny.cell("code", "1")] * 5_000}).encode()),
    Hostile("lone surrogates", "stop", {"facts": "x = '\udc80'"}, F),
    Hostile("a null byte", "stop", {"facts": "x = 1\x00"}, F),
    Hostile(
        "duplicated grade_ids",
        "stop",
        change=lambda notebook: notebook["cells"].extend(tests(notebook)),
        flag="duplicated",
    ),
    Hostile(
        "metadata of the wrong type",
        "stop",
        change=lambda notebook: [cell.update(metadata=7) for cell in notebook["cells"]],
    ),
]

# -- outliving it, and attacking the reader ----------------------------------------------------------------------------

OUTLIVE = [
    facts("a daemon", "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        while True: time.sleep(1)\n    os._exit(0)" + FACTS, "outlive", loses=frozenset()),
    facts("a thread that goes on", "import threading, time\ndef spin():\n    while True: time.sleep(0.0001)\nthreading.Thread(target=spin, daemon=True).start()" + FACTS, "outlive", loses=frozenset()),
    facts("a finalizer that forks", "import os\nclass Z:\n    def __del__(self):\n        if os.fork() == 0:\n            import time; time.sleep(100)\nz = Z()" + FACTS, "outlive", loses=frozenset()),
    facts("signals blocked", "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\nfor s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n    except Exception: pass" + FACTS, "outlive", loses=frozenset()),
    facts("files left for the next", "open('/tmp/planted.py', 'w').write('1/0')\nimport sys; sys.path.insert(0, '/tmp')\nopen('/dev/shm/planted', 'w').write('x')" + FACTS, "outlive", loses=frozenset()),
    facts("children that answer too", "import os\ndef facts():\n    os.fork()\n    return {'pi': 3.14, 'primes': {2, 3, 5}}", "outlive", loses=frozenset()),
]  # fmt: skip

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"
READER = [
    double("script in an exception's text", f"def double(x): raise ValueError({SCRIPT!r})", "reader"),
    double(
        "terminal codes in an exception's text",
        "def double(x): raise ValueError('\\x1b]0;owned\\x07\\x1b[2J\\u202egnp')",
        "reader",
    ),
    double(
        "an exception named like markup",
        f"E = type({SCRIPT!r}, (Exception,), {{}})\ndef double(x): raise E()",
        "reader",
    ),
    double("an endless exception", "def double(x): raise ValueError('x' * 10**7)", "reader"),
    double(
        "an exception whose text raises",
        "class E(Exception):\n    def __str__(self): raise E\ndef double(x): raise E()",
        "reader",
    ),
    double("a formula for a spreadsheet", "def double(x): raise ValueError('=HYPERLINK(1)')", "reader"),
]

BANK: list[Hostile] = [*FORGE, *READ, *STOP, *OUTLIVE, *READER]
