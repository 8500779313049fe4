"""What axe-core finds in an open page against WCAG 2.1 AA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

AXE = Path(__file__).parent / "axe" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


def violations(page: Any, where: str) -> list[str]:
    """One line for each element inside the CSS selector `where` that breaks a rule."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return page.evaluate(
        """([where, rules]) => axe.run(where, {runOnly: rules}).then((result) => result.violations.flatMap((v) =>
             v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 200)} ${n.failureSummary}`)))""",
        [where, RULES],
    )
