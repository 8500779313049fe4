"""What `diagnose` says: findings with cause, measurement, remedy and page, and what could not be looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from vae_lab.language import said


@dataclass(frozen=True)
class Finding:
    """One mistake: its short name, the cause in a sentence, what was measured, what to do, and the page to read."""

    name: str
    cause: str
    measured: str
    remedy: str
    page: str

    def __str__(self) -> str:
        return said(f"{self.cause}\n  Measured: {self.measured}\n  Remedy: {self.remedy}\n  Page: {self.page}")


@dataclass
class Diagnosis:
    """All findings, most important first; no finding is no proof, and `not_examined` says what was left out."""

    findings: list[Finding] = field(default_factory=list)
    examined: list[str] = field(default_factory=list)  # what was measured and found in order
    not_examined: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)  # no mistakes, but worth knowing

    @property
    def names(self) -> list[str]:
        """The short names of the findings."""
        return [f.name for f in self.findings]

    def __str__(self) -> str:
        lines = [str(f) for f in self.findings] or [said("Nothing found.")]
        if self.examined:
            lines.append(said("In order: " + "; ".join(self.examined) + "."))
        lines += [said(f"Note: {r}") for r in self.remarks]
        if self.not_examined:
            lines.append(said("Not examined: " + "; ".join(self.not_examined) + "."))
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        items = "".join(
            "<li><b>{}</b><br>{}<br>{}<br>{}</li>".format(*(escape(line.strip()) for line in str(f).split("\n")))
            for f in self.findings
        )
        rest = str(Diagnosis([], self.examined, self.not_examined, self.remarks)).split("\n")[1:]
        head = f"<ul>{items}</ul>" if items else f"<p><b>{escape(said('Nothing found.'))}</b></p>"
        return head + "".join(f"<p>{escape(line)}</p>" for line in rest)
