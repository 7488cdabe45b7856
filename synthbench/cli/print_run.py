"""What people see on the terminal: the plan, the board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from synthbench.benchmark.definition import Benchmark
from synthbench.benchmark.plan import Trial
from synthbench.cli.console import basis_of, make_console, rank_of, warnings_of, with_interval
from synthbench.leaderboard.judge_notes import judge_notes

if TYPE_CHECKING:
    from rich.table import Table

    from synthbench.data.test_sets import TestSet
    from synthbench.results.folder import Row
    from synthbench.runner.fetch import Fetched
    from synthbench.runner.loop import RunResult

__all__ = ["print_board", "print_fetched", "print_plan"]


def print_fetched(fetched: Fetched) -> None:
    """Every published file with its digest, then how many images there are."""
    for file, digest in fetched.files.items():
        pin = "" if file.sha256 else "; no digest is published: pin this one with `sha256:`"
        print(f"{file.path}: SHA-256 {digest}{pin}")
    print(f"data: {', '.join(f'{name} {n}' for name, n in fetched.images.items())} images")


def print_plan(bench: Benchmark, plan: Sequence[Trial]) -> None:
    """The trials in their order, with seeds and evaluators."""
    external = "".join(f", {entry.label}" for entry in bench.external)
    print(f"{bench.name}: {len(plan)} trials, {bench.samples} images each, on {bench.dataset.label}{external}")
    print(f"headline: {bench.headline} on test")
    for number, trial in enumerate(plan, start=1):
        scored = ", ".join(e.label for e in trial.evaluators) or "nobody"
        role = trial.generator.declared.role
        print(
            f"{number:>3}  {trial.generator.label} ({role}), seed {trial.index} = {trial.seed}, scored by {scored}"
        )


def print_board(result: RunResult) -> None:
    """The leaderboard with its intervals, the test sets, then where the files are and what failed."""
    from synthbench.results.folder import read_folder

    console, run = make_console(), read_folder(result.out)
    console.print(_board(result.bench, run.board, result.tests))
    for line in [*warnings_of(run.board), *judge_notes(run.board, run.tables["judges"])]:
        print(line)
    console.print(_test_sets(result.tests))
    print(f"results: {result.out / 'leaderboard.csv'}, scores.csv, intervals.csv, audit.csv, run.json, trials/")
    for failed in result.failed:
        for reason in failed.reasons:
            print(f"failed: {failed.trial.title}: {reason}")


def _board(bench: Benchmark, board: Sequence[Row], tests: Sequence[TestSet]) -> Table:
    """Rank (or "copies"), by each judge too, the headline with its interval, more metrics, utility, times."""
    from rich.markup import escape
    from rich.table import Table

    headline, by_judge = str(bench.headline), [f"{judge}.{bench.headline.metric}" for judge in bench.judges]
    metrics = [f"{e.label}.{metric}" for e in bench.evaluators for metric in e.declared.metrics]
    measured = [m for m in metrics if any(row.get(m) for row in board)]
    shown = list(dict.fromkeys([headline, *by_judge, *measured]))[: max(3, 1 + len(by_judge))]
    positive = "".join(sorted({f"; positive class {t.positive}" for t in tests if t.positive}))
    n_classes = max((len(t.counts) for t in tests), default=2)
    macro = f"; macro means over {n_classes} classes" if n_classes > 2 else ""
    table = Table(title=escape(f"{bench.name}: ranked by {headline} on test{positive}{macro}; 95 % intervals"))
    table.caption = basis_of(board)
    ranks = ["rank", *(f"rank by {judge}" for judge in bench.judges)]
    for heading in (*ranks, "generator", "role", "status", *shown, "utility", "fit s", "score s"):
        left = heading in ("generator", "role", "status")
        table.add_column(escape(heading), justify="left" if left else "right", no_wrap=left, overflow="fold")
    for row in board:
        scoring = [float(t) for e in bench.evaluators if (t := row[f"{e.label}_wall_s"])]
        table.add_row(
            *(rank_of(row, judge) for judge in ("", *bench.judges)),
            escape(row["generator"]),
            row["role"],
            f"{row['status']} {row['seeds']}",
            *(escape(with_interval(row, metric)) for metric in [*shown, "utility"]),
            f"{float(row['fit_wall_s']):.1f}" if row["fit_wall_s"] else "",
            f"{sum(scoring):.1f}" if scoring else "",
        )
    return table


def _test_sets(tests: Sequence[TestSet]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="test sets; leaked: training knows the image or the patient")
    for heading in ("test set", "images", "patients", "leaked", "whose images"):
        table.add_column(heading, justify="left" if heading in ("test set", "whose images") else "right")
    for test in tests:
        leaked = f"{test.leaked['leaked']} ({test.share:.0%})" if test.leaked["leaked"] else "0"
        table.add_row(escape(test.name), str(test.images), str(test.patients), leaked, escape(test.domain))
    return table
