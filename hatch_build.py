"""Write the book's address into the package's metadata, from the setting that says where the course is published."""

from __future__ import annotations

import os
import re
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

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
