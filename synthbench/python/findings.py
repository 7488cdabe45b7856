"""What `sb.check` and `sb.audit` return: the findings as tables, shown as tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthbench.commands.audit import Audited
from synthbench.data.audit.leaks import KINDS
from synthbench.python.show import as_html, as_text, in_a_line
from synthbench.testing import Finding

__all__ = ["Checked", "Leaks"]


@dataclass(frozen=True, repr=False)
class Checked:
    """A plugin under the conformance suite."""

    plugin: str
    results: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed; with an advice it has."""
        return all(finding.ok for finding in self.results)

    @property
    def findings(self) -> pd.DataFrame:
        """A row a check: check, ok, found, advice."""
        columns = ["check", "ok", "found", "advice"]
        return pd.DataFrame([[getattr(f, name) for name in columns] for f in self.results], columns=columns)

    def __repr__(self) -> str:
        return f"{in_a_line(self._title())}\n{as_text(self.findings)}"

    def _repr_html_(self) -> str:
        return as_html(self._title(), self.findings)

    def _title(self) -> str:
        failed = sum(not finding.ok for finding in self.results)
        return f"{self.plugin}: {len(self.results) - failed} checks passed, {failed} failed"


@dataclass(frozen=True, repr=False)
class Leaks:
    """Images that two parts of a benchmark's data share."""

    audited: Audited

    @property
    def pairs(self) -> pd.DataFrame:
        """audit.csv: a row a match."""
        return self.audited.audit.pairs

    @property
    def counts(self) -> pd.DataFrame:
        """A row a part: its images, those that training knows by kind, in all, and their share (0-1)."""
        audit = self.audited.audit
        parts = [part for part in audit.ids if part != "train"]
        rows = [{"part": part, "images": len(audit.ids[part]), **audit.counts(part)} for part in parts]
        columns = ["part", "images", *(f"leaked_{kind}" for kind in KINDS), "leaked"]
        counts = pd.DataFrame(rows, columns=columns)
        return counts.assign(share=counts["leaked"] / counts["images"])

    @property
    def leaking(self) -> dict[str, float]:
        """The test sets of which training knows more than the benchmark's `max_leak`, and how much (0-1)."""
        return self.audited.leaking

    @property
    def file(self) -> Path:
        """audit.csv."""
        return self.audited.file

    def __repr__(self) -> str:
        return "\n".join([in_a_line(self._title()), as_text(self.counts), *map(in_a_line, self._notes())])

    def _repr_html_(self) -> str:
        return as_html(self._title(), self.counts, self._notes())

    def _title(self) -> str:
        return f"{self.audited.name}: images that the training set knows"

    def _notes(self) -> list[str]:
        limit = f"more than max_leak = {self.audited.max_leak:.1%}"
        leaks = [f"leak: training knows {share:.1%} of {name}, {limit}" for name, share in self.leaking.items()]
        return [*leaks, f"every pair: {self.file}"]
