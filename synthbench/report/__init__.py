"""report.html: one page that shows a run, made from its folder alone; figures and tables for papers beside it.

write_report       make it; nothing heavy is imported before
report_or_warning  the same at the end of a run, which it must not fail: the line to print
gallery            the pictures that only a run can make, for it has the pixels: called while it runs

board, bars, fold             the leaderboard's rows, columns and bars; long boards folded
metrics, fidelity, subgroups  which metrics stand where, beside what references
headline_plots, roc_plots, training, album  the plots; each as PNG, SVG and inline SVG
generator_sections, provenance_tables       what the page says of generators, data and set-up
theme, page, export           colours; all of it into the template; leaderboard.md and .tex
"""

from __future__ import annotations

from pathlib import Path

from synthbench.errors import SynthbenchError

__all__ = ["REPORT", "report_or_warning", "write_report"]

REPORT = "report.html"


def write_report(out: Path) -> Path:
    """Write report.html, figures/, leaderboard.md and leaderboard.tex into the folder `out` of a run.

    The same folder gives the same files, byte for byte. Returns the path of the page. Raises DataError where
    `out` holds no leaderboard.csv, OSError where it cannot be written.
    """
    from synthbench.report.page import make_report

    return make_report(out, out / REPORT)


def report_or_warning(out: Path) -> str:
    """`write_report` for the end of a run: where the page lies, or one line that says why there is none."""
    try:
        return f"report: {write_report(out)}"
    except Exception as error:
        why = str(error) if isinstance(error, SynthbenchError) else f"{type(error).__name__}: {error}"
        return f"warning: no report ({' '.join(why.split())}); the results are complete without it"
