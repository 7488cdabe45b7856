"""Tables of a committed run: its board, its test sets, what it cost, how it was made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from blocks import markdown
from results import Results

__all__ = [
    "HEADINGS",
    "METRICS",
    "board",
    "by_metric",
    "costs",
    "facts",
    "number",
    "rank_of",
    "sets",
    "size",
    "with_interval",
]

METRICS = ("auroc", "balanced_accuracy", "accuracy", "f1")
HEADINGS = {
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC",
    "accuracy": "accuracy",
    "f1": "F1",
    "recall": "recall of PNEUMONIA",
}


def number(value: Any, digits: int = 3) -> str:
    """.8765 -> 0.877; a dash where there is none."""
    return "–" if pd.isna(value) else f"{round(value, digits) + 0:.{digits}f}"  # + 0: no minus before a zero


def with_interval(cell: pd.Series | None, digits: int = 3) -> str:
    """0.802 (0.770-0.833), or the seeds' values where they lie too far apart for an interval; of a floor chance
    and its draws; the note where there is no number, a dash where nobody asked."""
    if cell is None:
        return "–"
    if cell.check:
        return str(cell.check)
    if pd.isna(cell.value):
        return str(cell.note) or "–"
    if pd.isna(cell.low):
        return number(cell.value, digits)
    if str(cell.wide) == "True":
        seeds = ", ".join(f"{float(value):.{digits}f}" for value in str(cell.by_seed).split(", "))
        return f"{cell.value:.{digits}f} (seeds {seeds})"
    return f"{cell.value:.{digits}f} ({cell.low:.{digits}f}–{cell.high:.{digits}f})"


def size(cell: pd.Series | None) -> str:
    return "–" if cell is None else str(cell.n)


def board(backbone: str) -> Callable[[Results], str]:
    """The leaderboard under the judge with this backbone, on the held-out test set."""

    def make(results: Results) -> str:
        evaluator = results.judge(backbone)
        headings = ["generator", "role", *(HEADINGS[metric] for metric in METRICS), "N"]
        ranked = evaluator == results.headline.rpartition(".")[0]
        extra = ["rank", "utility"] if ranked else []
        return markdown([*extra[:1], *headings, *extra[1:]], board_rows(results, evaluator, ranked))

    return make


def board_rows(results: Results, evaluator: str, ranked: bool) -> list[list[str]]:
    rows = []
    order = results.board if ranked else by_metric(results, evaluator)
    for entry in order.to_dict("records"):
        cells = [results.cell(entry["generator"], evaluator, metric, "test") for metric in METRICS]
        name = entry["generator"] + ("" if entry["status"] == "done" else f" ({entry['status']})")
        row = [name, entry["role"], *map(with_interval, cells), size(cells[0])]
        rows.append([rank_of(entry), *row, utility_of(entry)] if ranked else row)
    return rows


def rank_of(entry: dict[Any, Any]) -> str:
    """1, or 1-2 where the data do not tell; nothing for floors and ceilings."""
    if pd.isna(entry["rank"]):
        return ""
    return "–".join(dict.fromkeys(str(int(entry[end])) for end in ("rank", "rank_high")))


def utility_of(entry: dict[Any, Any]) -> str:
    if pd.isna(entry["utility"]):
        return ""
    return f"{entry['utility']:.2f} ({entry['utility_low']:.2f}–{entry['utility_high']:.2f})"


def by_metric(results: Results, evaluator: str) -> pd.DataFrame:
    """The generators that this evaluator scored, best AUROC first."""
    cells = {name: results.cell(name, evaluator, METRICS[0], "test") for name in results.board.generator}
    scored = results.board[[cells[name] is not None for name in results.board.generator]]
    numbers = scored.generator.map({name: cell.value for name, cell in cells.items() if cell is not None})
    return scored.loc[numbers.sort_values(ascending=False, kind="stable").index]


def sets(results: Results) -> str:
    """Every test set: whose images, how many, and how many of them the training set knows."""
    rows = [
        [f"`{t.test_set}`", str(t.images), str(t.patients), str(t.counts)]
        + [str(count) for count in (t.leaked_exact, t.leaked_perceptual, t.leaked_patient)]
        + [f"{t.leaked} ({t.leaked / t.images:.1%})", str(t.clean), str(t.domain)]
        for t in results.test_sets.itertuples()
    ]
    kinds = ["known: same pixels", "same picture", "same patient", "any of these"]
    return markdown(["test set", "images", "patients", "classes", *kinds, "clean remainder", "whose images"], rows)


def facts(results: Results) -> str:
    """Where and with what the run was made."""
    run, bench = results.run, results.run["benchmark"]
    hardware, commit = run["hardware"], run["git"]["commit"]
    dirty = " with uncommitted changes" if run["git"]["dirty"] else ""
    sets = run["data"]["sets"].items()
    rows = [
        ["command", f"`synthbench {' '.join(run['command'])}`"],
        ["last written by", f"a run of {run['started'][:16]} to {run['finished'][:16]} UTC"],
        ["commit", f"{commit}{dirty}" if commit else "an installed package"],
        [
            "machine",
            f"{hardware['cpu']}, {hardware['cores']} cores, {hardware['memory_gb']:.0f} GB, {hardware['device']}",
        ],
        ["system", hardware["system"]],
        ["versions", ", ".join(f"{name} {version}" for name, version in run["versions"].items())],
        ["data", "; ".join(f"{name} {data['images']} ({counts(data['counts'])})" for name, data in sets)],
        ["images put aside as unreadable", str(run["data"]["quarantined"])],
        ["synthetic images of each generator", str(bench["samples"])],
        ["seeds of each generator", f"{bench['seeds']} (from {bench['seed']})"],
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {left} | {right} |" for left, right in rows)])


def counts(by_class: dict[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in by_class.items())


def costs(results: Results) -> str:
    """Wall and CPU seconds by stage, means over a generator's trials, as measured when the stage was computed."""
    trials = pd.DataFrame(
        {"generator": trial["generator"], "stage": stage, **cost}
        for trial in results.run["trials"]
        for stage, cost in trial["costs"].items()
    )
    names = list(dict.fromkeys(trials.generator))
    stages = ["fit", "sample", *dict.fromkeys(results.scores.evaluator)]
    means = trials.groupby(["stage", "generator"])[["wall_s", "cpu_s"]].mean()
    rows = [[stage, *(_seconds(means, stage, name) for name in names)] for stage in stages]
    peaks = trials.groupby("generator").peak_memory_mb.max()
    rows.append(["peak memory, MB", *(number(peaks[name], 0) for name in names)])
    return markdown(["s, wall / CPU", *names], rows)


def _seconds(means: pd.DataFrame, stage: str, generator: str) -> str:
    if (stage, generator) not in means.index:
        return "–"
    return "{:.1f} / {:.1f}".format(*means.loc[(stage, generator)])
