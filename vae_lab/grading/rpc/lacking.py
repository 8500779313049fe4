"""What a machine lacks, told from an exception: the student's machine had it, the grader's has not.

Only fixed words come out, whatever the exception's text is, so that nothing else can be told by them.
"""

from __future__ import annotations

import re

MODULE = "a module"
# Cell magics whose body is in another language: it is not run.
OTHER_LANGUAGES = {
    *("bash", "sh", "cmd", "powershell", "script", "system", "html", "HTML", "javascript", "js", "svg", "SVG", "latex"),
    *("markdown", "mermaid", "perl", "ruby", "R", "cython", "sql", "bigquery", "julia", "octave", "python2"),
}
LACKS = (
    (
        "a GPU",
        re.compile(r"no NVIDIA driver|not compiled with (?:CUDA|MPS)|No CUDA GPUs|CUDA driver|No HIP GPUs", re.I),
    ),
    ("a keyboard", re.compile(r"input\(\) is not available")),
    ("a screen", re.compile(r"Cannot load backend|no display name|couldn't connect to display|libGL\.so", re.I)),
    ("a C++ compiler", re.compile(r"InvalidCxxCompiler|No working C\+\+ compiler|C compiler", re.I)),
    (
        "a network",
        re.compile(r"URLError|urlopen error|name resolution|Name or service not known|Network is unreachable", re.I),
    ),
)


def lacking(kind: str, text: str) -> str:
    """What is missing here, or "" if the exception is the code's own fault.

    Args:
        kind: name of the exception's type.
        text: what it says.

    Example:
        >>> lacking("ModuleNotFoundError", "No module named 'pandas'"), lacking("ValueError", "too few")
        ('a module', '')
    """
    if kind == "ModuleNotFoundError":
        return MODULE
    said = f"{kind}: {text}"
    return next((what for what, pattern in LACKS if pattern.search(said)), "")
