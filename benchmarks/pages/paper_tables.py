"""The tables of docs/paper.md, made from the committed files of a run and from nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import paper_printed as paper
import yaml
from blocks import markdown
from paper_results import VGG, Results, by_seed

__all__ = ["BLOCKS", "README_BLOCKS"]

BENCHMARK = Path(__file__).parents[1] / "cxr-cpu.yaml"
METRICS = ("auroc", "balanced_accuracy", "accuracy", "f1")
SETS = {("test", ""): "test", ("train", "generator"): "train[seen]", ("synthetic", "validation"): "synthetic"}
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


def ranking(results: Results) -> str:
    """What ranked the run, and whether the benchmark file still says so."""
    wanted = yaml.safe_load(BENCHMARK.read_text(encoding="utf-8"))["headline"]
    started = results.run["started"][:10]
    if results.headline == wanted:
        return f"Ranked by `{wanted}` on `test`."
    return (
        f"The run below, of {started}, was ranked by `{results.headline}`, the headline that {BENCHMARK.name} had "
        f"then. Today the file ranks by `{wanted}` ([why](metrics.md#which-metric-tells-training-sets-apart)): "
        "ranks and utility here are those of the earlier headline."
    )


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


def excerpt(results: Results) -> str:
    """The board of the README: both classifiers on the held-out test set, likeness, copying, cost."""
    judges = [results.judge(backbone) for backbone in ("vgg16", "cnn")]
    rows = [
        [rank_of(row), row["generator"], row["role"]]
        + [in_short(results, row["generator"], judge) for judge in judges]
        + [number(row["kid"], 2), row["copying"], f"{row['fit_s']:.0f} s"]
        for row in results.board.to_dict("records")
    ]
    return markdown(
        ["rank", "generator", "role", *(f"`{judge}.auroc`" for judge in judges), "`kid`", "copies", "fit"], rows
    )


def in_short(results: Results, generator: str, judge: str) -> str:
    """`with_interval` of AUROC to two digits; of a floor chance, and from where to where its draws went."""
    cell = results.cell(generator, judge, "auroc", "test")
    if cell is None or not cell.check:
        return with_interval(cell, 2)
    draws = by_seed(results, judge, "auroc", generator=generator)
    return f"chance ({min(draws):.2f}–{max(draws):.2f})"


def by_metric(results: Results, evaluator: str) -> pd.DataFrame:
    """The generators that this evaluator scored, best AUROC first."""
    cells = {name: results.cell(name, evaluator, METRICS[0], "test") for name in results.board.generator}
    scored = results.board[[cells[name] is not None for name in results.board.generator]]
    numbers = scored.generator.map({name: cell.value for name, cell in cells.items() if cell is not None})
    return scored.loc[numbers.sort_values(ascending=False, kind="stable").index]


def test_sets(backbone: str) -> Callable[[Results], str]:
    """AUROC, balanced accuracy and accuracy on test, train and synthetic images, side by side."""
    shown = [m for m in METRICS if m != "f1"]

    def make(results: Results) -> str:
        evaluator = results.judge(backbone)
        headings = ["generator", *(f"{HEADINGS[m]}, {label}" for m in shown for label in SETS.values()), "N"]
        rows = []
        for name in by_metric(results, evaluator).generator:
            cells = [results.cell(name, evaluator, m, test_set) for m in shown for test_set, _ in SETS]
            rows.append([name, *map(with_interval, cells), " / ".join(map(size, cells[: len(SETS)]))])
        return markdown(headings, rows)

    return make


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


def table_2(backbone: str, metric: str) -> Callable[[Results], str]:
    """One metric on every test set that is no training image, whole and without the leaked images."""

    def make(results: Results) -> str:
        i, evaluator = results.intervals, results.judge(backbone)
        asked = i[(i.evaluator == evaluator) & (i.metric == metric) & (i.seen == "")]
        names = [
            name for name in dict.fromkeys(asked.test_set) if asked[asked.test_set == name].value.notna().any()
        ]
        rows = [
            [name, *(with_interval(results.cell(name, evaluator, metric, test_set)) for test_set in names)]
            for name in by_metric(results, evaluator).generator
        ]
        counted = ["N", *(size(results.cell(rows[0][0], evaluator, metric, test_set)) for test_set in names)]
        return markdown([f"{HEADINGS[metric]}, trained on", *(f"`{name}`" for name in names)], [*rows, counted])

    return make


def shortcuts(results: Results) -> str:
    """The same classifier with and without lungs, and what the files alone give away."""
    rows = [
        [name]
        + [
            with_interval(results.cell(name, evaluator, metric, "test"))
            for metric in ("balanced_accuracy", "auroc")
            for evaluator in (results.judge("cnn"), "lungs-masked", "file-geometry")
        ]
        for name in results.board[results.board.role != "floor"].generator  # the files are the same for all
    ]
    who = ("whole images", "lungs blacked out", "file geometry alone")
    return markdown(
        ["generator", *(f"{HEADINGS[m]}, {w}" for m in ("balanced_accuracy", "auroc") for w in who)], rows
    )


def table_1(results: Results) -> str:
    """The paper's Table 1 as printed, as it reads rightly, and ours on seen and on held-out images."""
    columns = [paper.PRINTED, paper.righted()] + [our_report(results, name) for name in ("train", "test")]
    headings = ["", "paper, as printed", "paper, arguments in the right order", "ours, seen images (train)"]
    rows = [[row, *(cell(column[row]) for column in columns)] for row in columns[1]]
    return markdown([*headings, "ours, held-out images (test)"], rows)


def cell(value: float | int | str | None) -> str:
    """Counts and texts as they are, the rest to the paper's two digits; a dash where it prints nothing."""
    return "–" if value is None else str(value) if isinstance(value, int | str) else number(value, 2)


def our_report(results: Results, test_set: str) -> dict[str, float | int | str | None]:
    """The same rows as the paper's, for the VGG16 trained on our ACGAN's images (first seed)."""
    rows: dict[str, float | int | str | None] = {}
    for name in paper.CLASSES:
        found = results.report_row(test_set, name)
        rows |= {f"{name} {what}": found[what] for what in ("precision", "recall", "f1")}
        rows[f"{name} support"] = int(found["support"])
    for metric in ("accuracy", "balanced_accuracy"):
        rows[metric.replace("_", " ")] = by_seed(results, VGG, metric, test_set)[0]
    return rows


def confusions(results: Results) -> str:
    """Counts, rows the true class; the paper's follow from its Table 1."""
    ours = {"ours, seen images (train)": "train", "ours, held-out images (test)": "test"}
    rows = [["paper, seen images", *(str(n) for row in paper.CONFUSION for n in row)]]
    for label, test_set in ours.items():
        table = results.confusion[results.confusion.test_set == test_set].set_index("true")
        rows.append([label, *(str(table.loc[true, said]) for true in paper.CLASSES for said in paper.CLASSES)])
    headings = [f"{true} called {said}" for true in paper.CLASSES for said in paper.CLASSES]
    return markdown(["", *headings], rows)


def losses(results: Results) -> str:
    """The four losses at the steps that the paper prints, and at our last."""
    ours = results.losses.set_index("step")
    rows = []
    for step in dict.fromkeys([*paper.LOSSES, int(ours.index[-1])]):
        pairs = zip(paper.LOSSES.get(step, [None] * 4), paper.LOSS_COLUMNS, strict=True)
        both = [(printed, ours[name].get(step)) for printed, name in pairs]
        rows.append([str(step), *(number(value) for pair in both for value in pair)])
    what = ("D tag", "D labels", "G tag", "G labels")
    return markdown(["step", *(f"{loss}, {who}" for loss in what for who in ("paper", "ours"))], rows)


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


BLOCKS: dict[str, Callable[[Results], str]] = {
    "table-1": table_1,
    "confusions": confusions,
    "ranking": ranking,
    "leaderboard-cnn": board("cnn"),
    "leaderboard-vgg16": board("vgg16"),
    "test-sets-cnn": test_sets("cnn"),
    "test-sets-vgg16": test_sets("vgg16"),
    "sets": sets,
    "table-2-balanced-accuracy": table_2("cnn", "balanced_accuracy"),
    "table-2-auroc": table_2("cnn", "auroc"),
    "table-2-recall": table_2("cnn", "recall"),
    "table-2-vgg16": table_2("vgg16", "auroc"),
    "shortcuts": shortcuts,
    "losses": losses,
    "run-facts": facts,
    "costs": costs,
}
README_BLOCKS: dict[str, Callable[[Results], str]] = {"board": excerpt}
