"""What `synthbench check` prints: every finding, and what to change."""

from __future__ import annotations

from collections.abc import Sequence

from synthbench.cli.surroundings import say
from synthbench.testing import Finding

__all__ = ["print_findings"]


def print_findings(use: str, findings: Sequence[Finding]) -> None:
    """A line a check, its advice below it, then the count."""
    for finding in findings:
        say(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.check}: {finding.found}")
        if finding.advice:
            say(f"      {'consider' if finding.ok else 'what to change'}: {finding.advice}")
    failed = sum(not finding.ok for finding in findings)
    say(f"{use}: {len(findings) - failed} checks passed, {failed} failed")
