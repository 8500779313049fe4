"""Where the course is published, and what follows from it on each page.

One setting, `repository` under `[tool.vae-lab]` in pyproject.toml, says it (the environment variable VAE_LAB_REPOSITORY
goes before it; the publishing workflow sets that to its own repository, so that a fork need not change a thing). If
it is empty, the book is built for reading from a folder: no button and no link leads to a place that does not exist.

From it follow: the button that opens a page in Colab, canonical addresses and OpenGraph tags, the addresses in the
notebooks (tools/notebooks.py), what a reader types to install the package, and the link to the whole book as one zip on
the first page.
"""

from __future__ import annotations

import html
import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tools.notebooks import lab_notebook
from tools.translation.around import said
from vae_lab import lab_files

ROOT = Path(__file__).parents[2]
BRANCH = "gh-pages"  # what GitHub Pages serves, and where Colab finds the notebooks
OFFLINE = "vae-lab-book.zip"
PICTURE = "_static/picture-book.png"  # what the preview of a shared link shows; tools/pictures.py takes it
GITHUB = re.compile(r"https://github\.com/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?")


class Address(NamedTuple):
    """The course's place on GitHub: https://github.com/<owner>/<name>."""

    owner: str
    name: str

    @property
    def site(self) -> str:
        """Where GitHub Pages serves the book, without a slash at the end."""
        host = f"{self.owner.lower()}.github.io"
        return f"https://{host}" if self.name.lower() == host else f"https://{host}/{self.name}"

    def colab(self, path: str) -> str:
        """What opens a notebook of the published branch in Colab."""
        return f"https://colab.research.google.com/github/{self.owner}/{self.name}/blob/{BRANCH}/{path}"


def address(setting: str | None = None) -> Address | None:
    """Read the setting; None if the course is not published anywhere.

    Raises:
        ValueError: if it is neither empty nor the address of a repository on GitHub.
    """
    if setting is None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        setting = os.environ.get("VAE_LAB_REPOSITORY", project["tool"]["vae-lab"]["repository"])
    if not setting:
        return None
    found = GITHUB.fullmatch(setting)
    if not found:
        raise ValueError(f"the repository {setting!r} is not of the form https://github.com/OWNER/NAME")
    return Address(found["owner"], found["name"])


def notebook_path(docname: str, language: str = "en") -> str:
    """Where the published branch keeps the notebook of a page: notebooks/elbo.ipynb, notebooks/vi/elbo.ipynb."""
    return f"notebooks/{'' if language == 'en' else f'{language}/'}{docname.rsplit('/', 1)[-1]}.ipynb"


def book_site(site: str, language: str) -> str:
    """Where the book in a language is: the English one at the top, each other in a folder of its own."""
    return site if language == "en" else f"{site}/{language}"


class OpenLab(SphinxDirective):
    """Links to a lab, `:::{open-lab} sampling`: open it in Colab (where the course is published), or download it."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Build a line of links."""
        lab = self.arguments[0]
        source = lab_files.labs(self.env.config.language or "en").get(lab) or lab_files.labs().get(lab)
        if source is None:
            raise self.error(f"there is no lab {lab!r}")
        self.env.note_dependency(str(source))
        line = nodes.paragraph(classes=["open-lab"])
        place, language = address(), self.env.config.language
        if place:
            folder = "" if source == lab_files.labs().get(lab) else f"{language}/"
            url = place.colab(f"notebooks/labs/{folder}{lab}.ipynb")
            words = said("Open {lab} in Colab", language).format(lab=lab)
            line += nodes.reference("", words, refuri=url)
            line += nodes.Text(" · ")
        offered = Path(self.env.doctreedir) / "labs" / f"{lab}.ipynb"
        offered.parent.mkdir(parents=True, exist_ok=True)
        text = lab_to_download(source.read_text(encoding="utf-8"), place, self.env.config.language or "en")
        offered.write_text(text, encoding="utf-8")
        target = os.path.relpath(offered, Path(self.env.doc2path(self.env.docname)).parent)
        line += addnodes.download_reference(
            "", "", nodes.Text(said("Download {lab}.ipynb", language).format(lab=lab)), reftarget=target, refdoc=lab
        )
        return [line]


def lab_to_download(released: str, place: Address | None, language: str = "en") -> str:
    """A lab as a reader takes it away: no link in it leads into a repository that is not there.

    Args:
        released: the text of `labs/<lab>/<lab>.ipynb`.
        place: where the course is published: links lead to its pages, and a first cell installs the course. If it is
            nowhere, the pages' titles stand alone.
        language: of the lab, and of the book that its links lead to.
    """
    if place is None:
        return lab_files.with_live_links(released, "")
    site = place.site if language == "en" else f"{place.site}/{language}"
    made = lab_notebook(json.loads(released), f"{place.site}/{wheel_name()}", site, language)
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def wheel_name() -> str:
    """The wheel's file name, which has the version in it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{project['name'].replace('-', '_')}-{project['version']}-py3-none-any.whl"


def install_command(extras: list[str], place: Address | None) -> str:
    """What somebody types to install the package: from the published wheel, or else from a copy of the repository.

    Args:
        extras: "grade", "book"; what is no extra of ours is a package to install beside it.
        place: where the course is published, if it is.

    Example:
        >>> install_command(["jupyterlab"], None)
        'pip install . jupyterlab'
        >>> install_command(["grade"], None)
        "pip install '.[grade]'"
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = [extra for extra in extras if extra in project["optional-dependencies"]]
    beside = [extra for extra in extras if extra not in ours]
    brackets = f"[{','.join(ours)}]" if ours else ""
    if place:
        url = f"{place.site}/{wheel_name()}"
        what = f"'{project['name']}{brackets} @ {url}'" if ours else url
    else:
        what = f"'.{brackets}'" if ours else "."
    return " ".join(["pip install", what, *beside])


class InstallCourse(SphinxDirective):
    """The command that installs the package, `:::{install-course} jupyterlab`, with extras and packages beside it."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Build a block with the command."""
        self.env.note_dependency(str(ROOT / "pyproject.toml"))
        place = address()
        command = install_command(self.arguments[0].split() if self.arguments else [], place)
        return [nodes.literal_block(command, command, language="bash")]


def one_line_start(lab: str, place: Address | None) -> str:
    """What somebody who has uv types to solve a lab with nothing installed: Python, the course and JupyterLab for once.

    Example:
        >>> one_line_start("sampling", None)
        'uvx --python 3.12 --from . --with jupyterlab vae-lab lab sampling'
    """
    course = f"'vae-lab @ {place.site}/{wheel_name()}'" if place else "."
    return f"uvx --python 3.12 --from {course} --with jupyterlab vae-lab lab {lab}"


class StartLab(SphinxDirective):
    """One line that opens a lab with uv, `:::{start-lab} sampling`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Build a block with the command."""
        self.env.note_dependency(str(ROOT / "pyproject.toml"))
        command = one_line_start(self.arguments[0], address())
        return [nodes.literal_block(command, command, language="bash")]


def environment_commands(place: Address | None) -> list[str]:
    """What somebody types before installing: in a new folder, or, where the course is a copy here, in that one."""
    return [*(["mkdir vae", "cd vae"] if place else []), "python3 -m venv env", ". env/bin/activate"]


class StudentEnvironment(SphinxDirective):
    """Where to be and what to type before `install-course`, `:::{student-environment}`."""

    def run(self) -> list[nodes.Node]:
        """Build a sentence and a block with the commands."""
        place, language = address(), self.env.config.language
        if place:
            where = said("Open a terminal, and make a folder with an environment of its own:", language)
        else:
            where = said(
                "Open a terminal in the folder of your copy of the course's repository, the one with pyproject.toml in it, and make an environment there:",  # noqa: E501
                language,
            )
        commands = "\n".join(environment_commands(place))
        return [nodes.paragraph(where, where), nodes.literal_block(commands, commands, language="bash")]


class CopyCourse(SphinxDirective):
    """Where the repository is, `:::{copy-course}`: the command that copies it, if it is published anywhere."""

    def run(self) -> list[nodes.Node]:
        """Build a block with the command, or a sentence."""
        place = address()
        if place is None:
            return []
        command = f"git clone --depth 1 https://github.com/{place.owner}/{place.name} vae-lab"
        return [nodes.literal_block(command, command, language="bash")]


def on_page(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Add to a page what leads to or from the outside."""
    place = address()
    if place is None or doctree is None:
        return
    if "kernelspec" in app.env.metadata.get(page, {}):
        button = {
            "type": "link",
            "text": "Colab",
            "tooltip": said("Open this page in Colab", app.config.language),
            "icon": "fas fa-rocket",
            "label": "colab-button",
            "url": place.colab(notebook_path(page, app.config.language)),
        }
        context["header_buttons"].insert(0, button)
    url = f"{book_site(place.site, app.config.language)}/{page}.html"
    context["pageurl"] = url
    first = next((node.astext() for node in doctree.findall(nodes.paragraph) if len(node.astext()) > 40), "")
    words = {
        "og:type": "article",
        "og:title": re.sub(r"<[^>]+>", "", str(context.get("title", ""))),
        "og:site_name": app.config.html_title or app.config.project,
        "og:url": url,
        "og:description": " ".join(first.split())[:200],
        "og:image": f"{place.site}/{PICTURE}",
    }
    tags = [f'<meta property="{name}" content="{html.escape(text)}" />' for name, text in words.items() if text]
    context["metatags"] = (context.get("metatags") or "") + "\n".join(["", *tags, ""])
    if page == app.config.root_doc or page.endswith("/intro"):
        up = "../" * (page.count("/") + (app.config.language != "en"))
        take = said("Take it with you: {link}the whole book as a zip{end}.", app.config.language)
        context["body"] += f'<p class="offline">{take.format(link=f"""<a href="{up}{OFFLINE}">""", end="</a>")}</p>'


def setup(app: Sphinx) -> dict[str, Any]:
    """Run after the theme has made its own buttons."""
    address()  # a wrong setting ends the build at once
    app.add_config_value("published_at", str(address()), "html")  # another place: the pages are written again
    app.add_directive("open-lab", OpenLab)
    app.add_directive("install-course", InstallCourse)
    app.add_directive("copy-course", CopyCourse)
    app.add_directive("start-lab", StartLab)
    app.add_directive("student-environment", StudentEnvironment)
    app.connect("html-page-context", on_page, priority=950)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
