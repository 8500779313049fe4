"""What is published, and the one setting that says where."""

import hashlib
import html
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from book._ext.published import OFFLINE, PICTURE, Address, address, install_command, notebook_path, on_page, wheel_name
from tools import publish as tool
from tools.notebooks import lab_notebook

ROOT = Path(__file__).parents[2]
SITE = "https://ada.github.io/course"
HEAD = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {name: python3, display_name: Python 3, language: python}
---
"""


@pytest.mark.parametrize(
    ("setting", "site"),
    [
        ("https://github.com/Ada/course", "https://ada.github.io/course"),
        ("https://github.com/Ada/course.git", "https://ada.github.io/course"),
        ("https://github.com/ada/Ada.github.io/", "https://ada.github.io"),
    ],
)
def test_the_site_follows_from_the_repository(setting, site):
    assert address(setting).site == site


@pytest.mark.parametrize(
    "setting", ["github.com/a/b", "https://gitlab.com/a/b", "https://github.com/a", "https://github.com/a/b/c", "x"]
)
def test_another_setting_is_refused_in_one_line(setting):
    with pytest.raises(ValueError, match="not of the form https://github"):
        address(setting)


def test_the_setting_is_read_and_the_environment_goes_before_it(monkeypatch):
    monkeypatch.delenv("VAE_LAB_REPOSITORY", raising=False)
    address()  # whatever the file says is valid
    assert address("") is None
    monkeypatch.setenv("VAE_LAB_REPOSITORY", "https://github.com/ada/course")
    assert address() == Address("ada", "course")


def test_only_one_file_says_where_the_course_is_published():
    """A fork changes one line: no other file of the repository may name the place."""
    said = re.compile(r"https://[\w-]+\.github\.io|colab\.research\.google\.com/github/(?!\{)")
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    wanted = [name for name in files if name.endswith((".md", ".py", ".yml", ".ipynb", ".toml", ".cff"))]
    named = [
        name
        for name in wanted
        if not name.startswith("tests/") and (ROOT / name).is_file() and said.search((ROOT / name).read_text())
    ]
    assert not named


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A built book of two pages and a lab, and a wheel that is quick to build."""
    root = tmp_path / "course"
    for name, text in {
        "_build/html/index.html": "<html>",
        "_build/html/book/intro.html": "<html>",
        "_build/html/_static/a.html": "<html>",
        "_build/html/.buildinfo": "x",
        "_build/html/search.html": "<html>",
        "book/intro.md": f"{HEAD}\n# Hello\n\n```{{code-cell}}\n1\n```\n",
        "book/words.md": "# Words only\n",
        "labs/small/small.ipynb": json.dumps(
            {
                "cells": [{"cell_type": "code", "metadata": {}, "source": "2", "outputs": [], "execution_count": None}],
                "metadata": {},
                "nbformat": 4,
                "nbformat_minor": 4,
            }
        ),
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    def quick(out, root):
        wheel = out / "vae_lab-0.2.0-py3-none-any.whl"
        wheel.write_bytes(b"new")
        return wheel

    monkeypatch.setattr(tool, "build_wheel", quick)
    return root


def test_everything_is_there_and_has_its_checksum(course, tmp_path):
    out = tmp_path / "site"
    made = tool.publish(out, SITE, course)
    names = {path.relative_to(out).as_posix() for path in made}
    assert names == {
        *(OFFLINE, "vae_lab-0.2.0-py3-none-any.whl", "sitemap.xml", "SHA256SUMS"),
        *("notebooks/intro.ipynb", "notebooks/labs/small.ipynb"),
    }
    assert (out / ".nojekyll").exists()
    assert not (out / ".buildinfo").exists()
    sums = dict(reversed(line.split("  ")) for line in (out / "SHA256SUMS").read_text().splitlines())
    assert set(sums) == names - {"SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    for name in ("intro", "labs/small"):
        assert f"{SITE}/vae_lab-0.2.0-py3-none-any.whl" in (out / "notebooks" / f"{name}.ipynb").read_text()
    assert re.findall(r"<loc>(.*?)</loc>", (out / "sitemap.xml").read_text()) == [f"{SITE}/book/intro.html"]


def test_the_offline_book_is_the_pages_alone_and_always_the_same(course, tmp_path):
    for out in (tmp_path / "one", tmp_path / "two"):
        tool.publish(out, SITE, course)
    assert (tmp_path / "one" / OFFLINE).read_bytes() == (tmp_path / "two" / OFFLINE).read_bytes()
    with zipfile.ZipFile(tmp_path / "one" / OFFLINE) as archive:
        names = archive.namelist()
    assert "vae-lab-book/index.html" in names
    assert not [name for name in names if name.endswith((".whl", ".zip", ".ipynb"))]


def test_wheels_of_earlier_versions_stay_for_students_saved_notebooks(course, tmp_path):
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    for version in ("0.1.0", "0.2.0"):
        (earlier / f"vae_lab-{version}-py3-none-any.whl").write_bytes(b"old")
    out = tmp_path / "site"
    tool.publish(out, SITE, course, earlier)
    assert (out / "vae_lab-0.1.0-py3-none-any.whl").read_bytes() == b"old"
    assert (out / "vae_lab-0.2.0-py3-none-any.whl").read_bytes() == b"new"
    assert "vae_lab-0.1.0" in (out / "SHA256SUMS").read_text()


def test_what_is_missing_is_said_in_one_line(course, tmp_path):
    (course / "labs/small/small.ipynb").unlink()
    with pytest.raises(FileNotFoundError, match="run: make labs"):
        tool.publish(tmp_path / "site", SITE, course)
    (course / "_build/html/index.html").unlink()
    with pytest.raises(FileNotFoundError, match="run: make book"):
        tool.publish(tmp_path / "site", SITE, course)


CONFIGURATION = """
import sys
sys.path.insert(0, {extensions!r})
project, html_title = "Course", "The Course"
extensions = ["myst_nb", "published"]
nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence"]
html_theme = "sphinx_book_theme"
root_doc = "intro"
"""


def build_small(folder, monkeypatch, repository, labs="# Labs\n\n:::{open-lab} sampling\n:::\n"):
    monkeypatch.setenv("VAE_LAB_REPOSITORY", repository)
    head = f"{HEAD}\n"
    pages = {
        "intro.md": f"{head}# Start <here>\n\nThe first paragraph says what & why this page is for, in some words.\n\n"
        "```{toctree}\nwords\nlabs\n```\n\n```{code-cell}\n1\n```\n",
        "words.md": "# Words\n\nNo code is on this page, so that it has nothing to open in Colab.\n",
        "labs.md": labs,
        "conf.py": CONFIGURATION.format(extensions=str(ROOT / "book" / "_ext")),
    }
    folder.mkdir()
    for name, text in pages.items():
        (folder / name).write_text(text)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", str(folder), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return {name: (folder / "html" / f"{name}.html").read_text() for name in ("intro", "words", "labs")}


def test_a_published_page_leads_to_colab_and_says_what_it_is(tmp_path, monkeypatch):
    pages = build_small(tmp_path / "book", monkeypatch, "https://github.com/ada/course")
    url = "https://colab.research.google.com/github/ada/course/blob/gh-pages/notebooks/intro.ipynb"
    assert notebook_path("intro") == "notebooks/intro.ipynb"
    assert f'href="{url}"' in pages["intro"]
    assert "colab" not in pages["words"]
    for name, page in pages.items():
        assert f'<link rel="canonical" href="{SITE}/{name}.html"' in page
        assert f'<meta property="og:url" content="{SITE}/{name}.html" />' in page
        assert '<meta property="og:site_name" content="The Course" />' in page
        assert f'<meta property="og:image" content="{SITE}/{PICTURE}" />' in page
    assert 'content="The first paragraph says what &amp; why this page is for, in some words."' in pages["intro"]
    assert OFFLINE in pages["intro"]
    assert OFFLINE not in pages["words"]
    assert "/blob/gh-pages/notebooks/labs/sampling.ipynb" in pages["labs"]
    (download,) = re.findall(r'href="(_downloads/[^"]+/sampling.ipynb)"', pages["labs"])
    offered = json.loads((tmp_path / "book/html" / download).read_text())
    released = json.loads((ROOT / "labs/sampling/sampling.ipynb").read_text())
    assert offered == lab_notebook(released, f"{SITE}/{wheel_name()}", SITE)


def test_a_lab_downloaded_from_a_book_that_is_published_nowhere_has_no_dead_links(tmp_path, monkeypatch):
    pages = build_small(tmp_path / "book", monkeypatch, "")
    (download,) = re.findall(r'href="(_downloads/[^"]+/sampling.ipynb)"', pages["labs"])
    text = (tmp_path / "book/html" / download).read_text()
    released = (ROOT / "labs/sampling/sampling.ipynb").read_text()
    assert "](../../book/" in released
    assert not re.findall(r"\]\((?!https?:)[^)]*\.md", text)
    assert [cell["metadata"] for cell in json.loads(text)["cells"]] == [
        cell["metadata"] for cell in json.loads(released)["cells"]
    ]


def test_an_unpublished_page_is_left_as_it_is(monkeypatch):
    monkeypatch.setenv("VAE_LAB_REPOSITORY", "")
    context = {"header_buttons": [], "title": "x", "body": "y"}
    on_page(None, "book/intro", "page.html", context, object())
    assert context == {"header_buttons": [], "title": "x", "body": "y"}


def test_the_picture_of_a_shared_link_is_there_and_small():
    for name in ("picture-book.png", "picture-report.png"):
        picture = (ROOT / "book" / "_static" / name).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 150_000
    assert (ROOT / "book" / PICTURE).is_file()


@pytest.mark.parametrize(
    ("extras", "published", "copied"),
    [
        (["jupyterlab"], "pip install {wheel} jupyterlab", "pip install . jupyterlab"),
        (["grade"], "pip install 'vae-lab[grade] @ {wheel}'", "pip install '.[grade]'"),
        (["book", "grade"], "pip install 'vae-lab[book,grade] @ {wheel}'", "pip install '.[book,grade]'"),
    ],
)
def test_what_to_type_to_install_follows_from_the_place(extras, published, copied):
    wheel = f"{SITE}/{wheel_name()}"
    assert install_command(extras, Address("ada", "course")) == published.format(wheel=wheel)
    assert install_command(extras, None) == copied


def typed(text):
    """The shell blocks of a built page, in order, line by line."""
    blocks = re.findall(r'<div class="highlight-bash[^"]*"><div class="highlight"><pre>(.*?)</pre>', text, re.DOTALL)
    return [line for block in blocks for line in html.unescape(re.sub(r"<[^>]+>", "", block)).splitlines() if line]


def steps(folder, monkeypatch, repository):
    blocks = ("student-environment", "install-course} jupyterlab", "start-lab} sampling")
    page = "".join(f":::{{{block if '}' in block else block + '}'}\n:::\n\n" for block in blocks)
    return typed(build_small(folder, monkeypatch, repository, f"# Labs\n\n{page}")["labs"])


def test_what_a_student_types_works_in_the_order_of_the_page(tmp_path, monkeypatch):
    """Typed into a copy of the repository, with a pip that only notes where it was called and for what."""
    *lines, last = steps(tmp_path / "book", monkeypatch, "")
    assert last == "uvx --python 3.12 --from . --with jupyterlab vae-lab lab sampling"
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "pyproject.toml").symlink_to(ROOT / "pyproject.toml")
    stub = 'pip() { test -f "$2/pyproject.toml" && echo "$VIRTUAL_ENV: $*" > asked; }'
    script = "\n".join(["set -e", "export PATH", stub, *lines])
    subprocess.run(["bash", "-c", script], cwd=copy, check=True, timeout=120)
    assert (copy / "asked").read_text() == f"{copy / 'env'}: install . jupyterlab\n"


def test_what_a_student_types_where_the_course_is_published_needs_no_copy(tmp_path, monkeypatch):
    lines = steps(tmp_path / "book", monkeypatch, "https://github.com/ada/course")
    wheel = f"{SITE}/{wheel_name()}"
    assert lines == [
        *("mkdir vae", "cd vae", "python3 -m venv env", ". env/bin/activate"),
        f"pip install {wheel} jupyterlab",
        f"uvx --python 3.12 --from 'vae-lab @ {wheel}' --with jupyterlab vae-lab lab sampling",
    ]


def test_one_sitemap_names_each_page_of_both_books_and_its_other_language(tmp_path):
    for name in ("index", "search", "book/intro", "vi/index", "vi/search", "vi/book/intro"):
        (tmp_path / f"{name}.html").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.html").write_text("<html>")
    text = tool.sitemap(tmp_path, SITE).read_text()
    assert re.findall(r"<loc>(.*?)</loc>", text) == [f"{SITE}/book/intro.html", f"{SITE}/vi/book/intro.html"]
    links = re.findall(r'hreflang="(\w+)" href="([^"]+)"', text)
    assert links == [("en", f"{SITE}/book/intro.html"), ("vi", f"{SITE}/vi/book/intro.html")] * 2
