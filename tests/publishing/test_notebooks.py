"""The notebooks for Colab: the same code as the pages and labs, no MyST left in the text, no link to nowhere."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook

from tools.notebooks import install_cell, lab_notebook, page_notebook, plain_markdown

ROOT = Path(__file__).parents[2]
WHEEL, SITE = "https://x.example/c/vae_lab-0.1.0-py3-none-any.whl", "https://x.example/c"
PAGES = sorted(path for path in (ROOT / "book").glob("*.md") if is_myst_markdown_notebook(path.read_text()))
LABS = sorted((ROOT / "labs").glob("*/*.ipynb"))
MYST = re.compile(r"^\s*(:::|```\{)|\{[a-z:]+\}`|^\s*- \[[x ]\]", re.MULTILINE)


def source(cell):
    return "".join(cell["source"])


def codes(cells):
    return [source(cell) for cell in cells if cell["cell_type"] == "code"]


def links(cells):
    text = "\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"\$[^$]*\$|`[^`]*`", "", text))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_keeps_its_code_and_loses_its_myst(path):
    text = path.read_text()
    made = page_notebook(text, {"elbo": "The loss"}, WHEEL, SITE)
    nbformat.validate(nbformat.from_dict(made))
    install, *rest = codes(made["cells"])
    assert WHEEL in install
    assert [code.replace("True", "False") for code in rest] == [
        code.replace("True", "False") for code in codes(read_myst_markdown_notebook(text).cells)
    ]
    assert not re.search(r"progress\W+False", "\n".join(rest)), "whoever waits for a training wants a sign of life"
    assert made["cells"][0]["source"].startswith("# ")
    for cell in made["cells"]:
        if cell["cell_type"] == "markdown":
            outside = re.sub(r"```.*?```|\$\$.*?\$\$", "", cell["source"], flags=re.DOTALL)
            assert not MYST.search(outside), outside
            assert cell["source"].count("<details>") == cell["source"].count("</details>")
    assert all(link.startswith(("https://", "#")) for link in links(made["cells"]))


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_a_lab_is_published_as_released_with_one_cell_more(path):
    lab = json.loads(path.read_text())
    before = json.dumps(lab)
    made = lab_notebook(lab, WHEEL, SITE)
    assert json.dumps(lab) == before
    nbformat.validate(nbformat.from_dict(made))
    assert codes(made["cells"])[0].endswith(install_cell(WHEEL)["source"])
    assert codes(made["cells"])[1:] == codes(lab["cells"])
    graded = [cell for cell in made["cells"] if "nbgrader" in cell["metadata"]]
    assert graded == [cell for cell in lab["cells"] if "nbgrader" in cell["metadata"]]
    assert len(made["cells"]) == len(lab["cells"]) + 1
    assert made["metadata"]["vae_lab"] == lab["metadata"]["vae_lab"]
    assert all(link.startswith(("https://", "#")) for link in links(made["cells"]))


def test_the_install_cell_does_nothing_where_the_course_is(tmp_path):
    program = install_cell("https://nowhere.invalid/x.whl")["source"]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{program}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=True,
    )
    assert done.stdout.startswith("GPU: ")
    assert done.stderr == ""


def test_the_install_cell_installs_the_wheel_where_the_course_is_missing(tmp_path):
    """Run with a pip that only says what it was asked, and a torch that is there."""
    (tmp_path / "pip.py").write_text("import sys; print(*sys.argv[1:], file=open('asked', 'w'))")
    (tmp_path / "torch.py").write_text("class cuda:\n    is_available = staticmethod(lambda: False)\n")
    subprocess.run([sys.executable, "-S", "-c", install_cell(WHEEL)["source"]], cwd=tmp_path, timeout=60, check=True)
    assert (tmp_path / "asked").read_text().split() == ["install", "--quiet", WHEEL]


def test_the_install_cell_is_plain_python():
    ast.parse(install_cell(WHEEL)["source"])  # no %pip: it must run under a grader that is no notebook, too


PAGE = """\
:::{objectives}
- do a thing;
:::

See [](elbo.md#kl), [the trick](reparameterization.md), [a file](../labs/x.md) and [out](https://a.example/b.md);
{cite:t}`kingma2014` say so, {math}`x` too.

1. An exercise.

   :::{solution}
   Forty-two.

   ```{code-cell} ipython3
   :tags: [hide-input]
   print(6 * 7)
   ```
   :::

::::{note}
:class: tight
:::{div} course-next
Inside.
:::
::::

:::{quiz} What is $2 + 2$?
- [ ] 3

  Count again.
- [x] 4

  Yes.
:::
"""

PLAIN = """\
**After this page you can**

- do a thing;


See [The loss](https://x.example/c/book/elbo.html#kl), [the trick](https://x.example/c/book/reparameterization.html), \
[a file](https://x.example/c/labs/x.html) and [out](https://a.example/b.md);
[kingma2014](https://x.example/c/book/references.html) say so, x too.

1. An exercise.

   <details><summary>Solution</summary>

   Forty-two.

   ```python
   print(6 * 7)
   ```

   </details>

**Note**

Inside.



**Question. What is $2 + 2$?**

- 3

  <details><summary>Is it?</summary>

  **No.**

  Count again.

  </details>

- 4

  <details><summary>Is it?</summary>

  **Right.**

  Yes.

  </details>

"""


def test_directives_become_markdown_that_a_notebook_shows():
    assert plain_markdown(PAGE, {"elbo": "The loss"}, SITE).split() == PLAIN.split()
    assert [line for line in plain_markdown(PAGE, {"elbo": "The loss"}, SITE).splitlines() if line] == [
        line for line in PLAIN.splitlines() if line
    ]
