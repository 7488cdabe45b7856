"""Puts pytest-benchmark's JSON into docs/performance.md: `python benchmarks/timings/table.py timings.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["insert", "render"]

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
START, END = "<!-- generated: timings -->", "<!-- end -->"
PEAK = "test_matrix_product"
UNDISTURBED = 0.1
"""Cores that other work may use before the page must say so."""

Report = Mapping[str, Any]


def render(report: Report) -> str:
    """What a report says, in Markdown: the machine, then a row a benchmark."""
    head = [
        "| benchmark | what | median | spread | images/s | GFLOP/s | of the peak | peer | its median | as fast |"
    ]
    head += ["|---|---|--:|--:|--:|--:|--:|---|--:|--:|"]
    rows = report["benchmarks"]
    peak = max((row["extra_info"]["gflop_per_s"] for row in rows if row["name"] == PEAK), default=None)
    return "\n".join([_machine(report), "", *head, *(_row(row, peak) for row in rows), ""])


def insert(page: str, table: str) -> str:
    """The page with `table` between its markers. Raises ValueError where it lacks them."""
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"the page needs a line {START} and after it a line {END}")
    return f"{before}{START}\n{table}{END}{after}"


def _machine(report: Report) -> str:
    about, machine = report["environment"], report["machine_info"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    commit = report["commit_info"].get("id", "")[:7] or "unknown"
    dirty = " with changes" if report["commit_info"].get("dirty") else ""
    rounds = min(bench["stats"]["rounds"] for bench in report["benchmarks"])
    cores, vectors = about["cores"], about.get("vector_instructions", "unknown")
    lines = [
        f"Measured on {report['datetime'][:10]}: {machine['cpu']['brand_raw']}, {cores} cores, {vectors}, "
        f"{about['memory_gb']:.0f} GB, {machine['system']}; {machine['python_implementation']} "
        f"{machine['python_version']}, {versions}; {about.get('torch_threads', 'no')} torch threads, "
        f"OMP_WAIT_POLICY={about['omp_wait_policy'] or 'unset'}; commit {commit}{dirty}; timed rounds: {rounds}.",
        "",
        _disturbance(about["other_work_cores"], cores),
    ]
    return "\n".join(lines)


def _disturbance(used: float, cores: int) -> str:
    if used < UNDISTURBED:
        return f"The machine did little else: other work took {used:.2f} of its {cores} cores."
    return (
        f"**Measured under load: other work took {used:.1f} of the {cores} cores on average.** "
        "On a free machine these times are shorter."
    )


def _row(bench: Report, peak: float | None) -> str:
    info, stats = bench["extra_info"], bench["stats"]
    rate, other = info.get("gflop_per_s"), info.get("peer_seconds")
    return "| {} |".format(
        " | ".join(
            [
                f"`{bench['name'].removeprefix('test_')}`",
                info["what"],
                _duration(stats["median"]),
                f"{_duration(stats['min'])} - {_duration(stats['max'])}",
                _number(info.get("images_per_s")),
                _number(rate),
                f"{rate / peak:.0%}" if rate and peak else "",
                info.get("peer", ""),
                _duration(other) if other else "",
                _number(other / stats["median"]) if other else "",
            ]
        )
    )


def _duration(seconds: float) -> str:
    """Three digits: "1.23 s", "45.6 ms"."""
    return f"{_number(seconds)} s" if seconds >= 1 else f"{_number(seconds * 1000)} ms"


def _number(value: float | None) -> str:
    """Three digits or all before the point, thousands apart; nothing for None."""
    if value is None:
        return ""
    for limit, digits in ((9.995, 2), (99.95, 1)):
        if value < limit:
            return f"{value:.{digits}f}"
    return f"{value:,.0f}"


def main() -> None:
    """Rewrite the page's table from the report named on the command line."""
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    PAGE.write_text(insert(PAGE.read_text(encoding="utf-8"), render(report)), encoding="utf-8")


if __name__ == "__main__":
    main()
