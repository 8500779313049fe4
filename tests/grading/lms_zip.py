"""Zips as Moodle and Canvas make them, and as somebody who means harm would."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

NOON = (2026, 11, 20, 12, 0, 0)


def notebook(lab: str = "sampling", text: str = "") -> bytes:
    """A notebook with one cell of a lab, and some text to tell it from others."""
    source = f"# vae-lab: {lab}/reparameterize\n{text}" if lab else text
    cell = {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()


def make_zip(path: Path, files: dict[str, bytes | tuple[bytes, tuple[int, ...]]]) -> Path:
    """Write a zip; a value is the content, or the content and its time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in files.items():
            content, time = value if isinstance(value, tuple) else (value, NOON)
            member = zipfile.ZipInfo(name, time)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return path
