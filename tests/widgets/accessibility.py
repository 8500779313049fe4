"""What axe-core finds in an open page against WCAG 2.1 AA."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
OPTIONS = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}  # only what is broken, in full


def violations(page: Any, where: str) -> list[str]:
    """One line for each element inside the CSS selector `where` that breaks a rule."""
    found = Axe().run(page, context=where, options=OPTIONS)
    return [
        f"{broken['id']}: {node['html'][:200]} {node['failureSummary']}"
        for broken in found.response["violations"]
        for node in broken["nodes"]
    ]
