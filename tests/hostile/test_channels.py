# ruff: noqa: E501  (sources are data)
"""Whatever a student's answer does with a hidden input, no text that a student reads holds it.

A secret is drawn anew for each run and stands in a hidden line. Each answer learns it there, and tries to send it
through one of the things that it chooses: a text, a name, a key, a number, a shape, a length, a type, a file that is
left for its next process. What a student gets is searched for the secret in every form that the answers use.
"""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Mapping

import pytest

from tests.grading import tiny
from vae_lab.grading.judge.engine import grade_submission, sandbox_problem
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.limits import Limits
from vae_lab.grading.pages import feedback
from vae_lab.grading.results import SubmissionResult

SECRET = random.SystemRandom().randrange(10**8, 10**9)
LIMITS = Limits(cell_seconds=3, call_seconds=3, test_seconds=6, submission_seconds=40, memory=1 << 30)

# Names and tests of the lab; what stands after "hidden:" is hidden. The messages quote all that can be quoted.
TESTS = {
    "see": f"""
y = see(torch.ones(1))
assert torch.equal(y, 2 * torch.ones(1)), f"see gives {{y}}"
hidden:
secret = torch.tensor([{SECRET}.0], dtype=torch.float64)
y = see(secret)
assert isinstance(y, torch.Tensor), f"see gives {{y}}, a {{type(y).__name__}}"
assert y.shape == (1,), f"see gives shape {{tuple(y.shape)}}, {{len(y)}} rows"
assert y.dtype == torch.float64, f"see gives dtype {{y.dtype}}"
assert torch.equal(y, 2 * secret), f"see gives {{y.item()}} and not twice that"
""",
    "keys": """
got = keys()
assert isinstance(got, dict), f"keys gives a {type(got).__name__}: {got!r}"
assert set(got) == {"a", "b"}, f"keys gives {sorted(got, key=str)}"
hidden:
assert got["a"] == 1, f"a is {got['a']}"
""",
    "shape": """
z = shape(torch.zeros(3, 2))
check.require_tensor("shape", z, torch.zeros(1), (3, 2), "z")
hidden:
check.require_tensor("shape", shape(torch.zeros(1, 7)), torch.zeros(1), (1, 7), "z")
""",
    "Model": """
model = Model()
assert model(1) == 2, f"{model} gives {model(1)}"
hidden:
assert model.size == 3, f"size is {model.size}"
raise AssertionError(f"{model}") if len(model) != 3 else None
""",
    "twice": """
calls = []
def f(x):
    calls.append(x)
    return x + 1
assert twice(f, 1) == 3, f"f was called with {calls}"
hidden:
assert twice(f, 5) == 7, f"f was called with {calls}"
""",
}
RIGHT = {
    "see": "def see(x):\n    return 2 * x",
    "keys": "def keys():\n    return {'a': 1, 'b': 2}",
    "shape": "def shape(x):\n    return x",
    "Model": "class Model:\n    size = 3\n    def __call__(self, x):\n        return x + 1\n    def __len__(self):\n"
    "        return 3",
    "twice": "def twice(f, x):\n    return f(f(x))",
}
KEEP = "S = [0]\ndef see(x):\n    if x[0] > 1: S[0] = int(x[0])\n    return 2 * x"
LEAVE = (
    "import os\nPLACES = ['/tmp/s', '/dev/shm/s', os.path.expanduser('~/s'), '/var/tmp/s', '/proc/s', '/sys/s', 's']\n"
    "S = [0]\nfor place in PLACES:\n    try: S[0] = S[0] or int(open(place).read())\n    except Exception: pass\n"
    "def see(x):\n    if x[0] <= 1: return 2 * x\n    for place in PLACES:\n        try: open(place, 'w').write(str(int(x[0])))\n"
    "        except Exception: pass\n    {}"
)
CHILD = (
    "import os, socket\nS = [0]\ntry:\n    s = socket.socket(socket.AF_UNIX); s.settimeout(0.3); s.connect('\\0left')\n"
    "    S[0] = int(s.recv(99))\nexcept Exception: pass\ndef see(x):\n    if x[0] <= 1: return 2 * x\n"
    "    if os.fork() == 0:\n        os.setsid(); s = socket.socket(socket.AF_UNIX); s.bind('\\0left'); s.listen()\n"
    "        while True: c, _ = s.accept(); c.send(str(int(x[0])).encode()); c.close()\n    import time; time.sleep(0.3)\n"
    "    os._exit(0)"
)
TELL = {
    "keys": "def keys():\n    return {str(S[0]): 1, hex(S[0]): 2} if S[0] else {'a': 1, 'b': 2}",
    "shape": "def shape(x):\n    return torch.empty(0, S[0]) if S[0] else x",
    "twice": "def twice(f, x):\n    f(S[0]); return f(S[0]) if S[0] else f(f(x))",
}
CLASS = "class Model:\n    size = 3\n    def __call__(self, x):\n        {}\n        return x + 1\n    def __len__(self):\n        return 3"
ANSWERS: dict[str, Mapping[str, str]] = {
    "a text": {"see": "def see(x):\n    if x[0] > 1: raise ValueError(str(x.tolist()))\n    return 2 * x"},
    "a name": {"see": "def see(x):\n    if x[0] > 1: raise type(f'E{int(x[0])}', (ValueError,), {})\n    return 2 * x"},
    "a module's name": {
        "see": "def see(x):\n    if x[0] > 1: __import__(f'm{int(x[0])}')\n    return 2 * x",
    },
    "a missing name": {"see": "def see(x):\n    if x[0] > 1: eval(f'n{int(x[0])}')\n    return 2 * x"},
    "a number": {"see": "def see(x):\n    return 2 * x if x[0] <= 1 else 1 * x"},
    "a plain number": {"see": "def see(x):\n    return 2 * x if x[0] <= 1 else int(x[0])"},
    "a string": {"see": "def see(x):\n    return 2 * x if x[0] <= 1 else f'it is {int(x[0])}'"},
    "a shape here": {"see": "def see(x):\n    return 2 * x if x[0] <= 1 else torch.empty(0, int(x[0]))"},
    "a length": {"see": "def see(x):\n    return 2 * x if x[0] <= 1 else torch.zeros(1).expand(int(x[0]))"},
    "the length of a text": {"see": "def see(x):\n    return 2 * x if x[0] <= 1 else ' ' * int(x[0])"},
    "a big integer": {"see": "def see(x):\n    return 2 * x if x[0] <= 1 else 1 << int(x[0])"},
    "a type": {"see": "def see(x):\n    return 2 * x if x[0] <= 1 else type(f'T{int(x[0])}', (), {})()"},
    "keys and shapes and calls, later": {"see": KEEP, **TELL},
    "texts, later": {
        "see": KEEP,
        "keys": "def keys():\n    raise KeyError(S[0])",
        "shape": "def shape(x):\n    exec(f'def f{S[0]}(): return 1 / 0', space := {})\n    return space[f'f{S[0]}']()",
        "Model": CLASS.format("raise type(f'E{S[0]}', (Exception,), {})(S)"),
        "twice": "def twice(f, x):\n    assert False, S",
    },
    "a cell that stops, later": {"see": KEEP, "keys": "if S[0]: raise ValueError(S)", "shape": "raise ValueError(S)"},
    "numbers and types, later": {
        "see": KEEP,
        "keys": "def keys():\n    return S",
        "Model": CLASS.format("return S[0] or x + 1").replace("return 3", "return S[0] or 3"),
        "twice": "def twice(f, x):\n    return type(f'T{S[0]}', (), {})()",
    },
    "a file and a process that ends": {"see": LEAVE.format("os._exit(0)"), **TELL},
    "a file and a call that hangs": {"see": LEAVE.format("import time; time.sleep(99)"), **TELL},
    "a process that is left behind": {"see": CHILD, **TELL},
    "random state": {
        "see": "def see(x):\n    if x[0] > 1: torch.manual_seed(int(x[0]))\n    return 2 * x",
        "keys": "def keys():\n    return {str(torch.initial_seed()): 1}",
        "Model": CLASS.format("return torch.rand(1).item()"),
    },
    "a cell's output and warnings": {
        "see": "import warnings\ndef see(x):\n    print(x); warnings.warn(str(x)); __import__('os').write(2, str(x).encode())"
        "\n    return x"
    },
}


def lab() -> Lab:
    made = [tiny.cell("code", "import torch\nfrom vae_lab.checks import messages as check", "setup", locked=True)]
    for name, right in RIGHT.items():
        answer = f"### BEGIN SOLUTION\n{right}\n### END SOLUTION"
        made.append(tiny.cell("code", f"# vae-lab: channels/{name}\n{answer}", name, solution=True))
        source = TESTS[name].strip().replace("hidden:", "### BEGIN HIDDEN TESTS") + "\n### END HIDDEN TESTS"
        test = f"# vae-lab: channels/{name}_tests\n{source}"
        made.append(tiny.cell("code", test, f"{name}_tests", grade=True, locked=True, points=1))
    return Lab.from_bytes("channels", tiny.notebook(made))


def submission(answers: Mapping[str, str]) -> bytes:
    made = [tiny.cell("code", "import torch\nfrom vae_lab.checks import messages as check", "setup", locked=True)]
    for name, right in RIGHT.items():
        source = f"# vae-lab: channels/{name}\n{answers.get(name, right)}"
        made.append(tiny.cell("code", source, name, solution=True))
        shown = f"# vae-lab: channels/{name}_tests\n{TESTS[name].strip().partition('hidden:')[0]}"
        made.append(tiny.cell("code", shown, f"{name}_tests", grade=True, locked=True, points=1))
    return tiny.notebook(made)


def grade(answers: Mapping[str, str]) -> SubmissionResult:
    result = grade_submission(lab(), "mallory", submission(answers), limits=LIMITS)
    assert result.status in ("graded", "manual"), result.reason
    return result


def all_that_is_read(result: SubmissionResult, answers: Mapping[str, str]) -> str:
    """What a student gets: messages, flags, the feedback page."""
    tasks = [
        feedback.Task(name, name, answers.get(name), [(f"{name}_tests", result.cells[f"{name}_tests"])])
        for name in RIGHT
    ]
    page = feedback.page(result, tasks, "Channels", {})
    return "\n".join([*(cell.message for cell in result.cells.values()), *result.flags, result.reason, page])


def forms_of(secret: int) -> list[str]:
    """How a secret may be written: as a number, with separators, twice it, in hexadecimal, backwards, in base64."""
    plain = str(secret)
    base = base64.b64encode(plain.encode()).decode().rstrip("=")
    return [plain, f"{secret:,}", str(2 * secret), f"{secret:x}", plain[::-1], base, plain[:6], f"{secret:.3e}"]


@pytest.fixture(scope="module", autouse=True)
def sandboxed() -> None:
    problem = sandbox_problem()
    assert problem is None, problem


@pytest.mark.parametrize("channel", ANSWERS)
def test_no_answer_sends_a_hidden_input_home(channel: str) -> None:
    answers = ANSWERS[channel]
    result = grade(answers)
    read = all_that_is_read(result, answers)
    assert [form for form in forms_of(SECRET) if form.lower() in read.lower()] == []
    assert [word for word in re.findall(r"\d[\d,.]*", read) if word.startswith(str(SECRET)[:6])] == []


def test_the_answers_know_the_secret_and_the_search_would_find_it() -> None:
    told = grade({"see": f"def see(x):\n    raise ValueError('it is {SECRET}')"})
    assert str(SECRET) in told.cells["see_tests"].message


def test_an_honest_mistake_is_told_in_full_although_hidden_inputs_are_known() -> None:
    result = grade({"keys": "def keys():\n    return {'a': 1, 'c': 2}", "shape": "def shape(x):\n    return x[0]"})
    assert result.cells["keys_tests"].message == "keys gives ['a', 'c']"
    assert result.cells["shape_tests"].message == "shape: z has shape [2]. Wanted [3, 2]."


def test_an_honest_mistake_on_a_hidden_input_is_told_without_values() -> None:
    result = grade(
        {"shape": "def shape(x):\n    return x.squeeze()", "keys": "def keys():\n    return {'a': 7, 'b': 2}"}
    )
    end = "\n(A hidden check: … stands for a value, and n for any number but 1.)"
    assert result.cells["shape_tests"].message == "shape: z has shape [n]. Wanted [1, n]." + end
    assert result.cells["keys_tests"].message == "a is …" + end
