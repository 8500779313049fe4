"""What the package gets when it is built: the book's address in its metadata, and the words of other languages.

The address comes from the setting that says where the course is published. Of the catalogues the wheel has those that
the package itself speaks with; the pages' words are in the built book.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

SPOKEN = re.compile(r"(?:messages|widgets|lab-[\w-]+)\.po")
GITHUB = re.compile(r"https://github\.com/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?")


class BookAddress(MetadataHookInterface):
    """`Project-URL: Book`, if the course is published anywhere; `book/_ext/published.py` says the same of the pages."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in the addresses."""
        import tomllib

        with open(os.path.join(self.root, "pyproject.toml"), "rb") as file:
            setting = tomllib.load(file)["tool"]["vae-lab"]["repository"]
        repository = os.environ.get("VAE_LAB_REPOSITORY", setting)
        found = GITHUB.fullmatch(repository)
        metadata["urls"] = {}
        if found:
            host = f"{found['owner'].lower()}.github.io"
            site = f"https://{host}" if found["name"].lower() == host else f"https://{host}/{found['name']}"
            metadata["urls"] = {"Book": site, "Repository": repository}


class Words(BuildHookInterface):
    """`vae_lab/locale/<language>/LC_MESSAGES/`: labs, messages and interactions."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files; an editable install reads them where they lie."""
        if version != "standard":
            return
        for path in Path(self.root).glob("locale/*/LC_MESSAGES/*.po"):
            if SPOKEN.fullmatch(path.name):
                build_data["force_include"][str(path)] = f"vae_lab/{path.relative_to(self.root).as_posix()}"
