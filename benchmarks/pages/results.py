"""A run as committed in docs/results: its files copied there, and read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["FILES", "FOLDERS", "Results", "by_seed", "copy_results", "load_results", "read_text_table", "require"]

FLOATS = ("value", "low", "high", "sampling_low", "sampling_high", "seed_sd")
FOLDERS = re.compile(r"(?<![\w.~:/-])/(?:[^\s/'\"]+/)+|(?<!\w)[A-Za-z]:\\(?:[^\s\\]+\\)+")
"""The folder part of an absolute path."""

FILES = {
    name: name
    for name in ("scores.csv", "leaderboard.csv", "intervals.csv", "comparisons.csv", "test_sets.csv", "run.json")
}
"""The committed files, and where in a run's folder each comes from."""


@dataclass(frozen=True)
class Results:
    """A run, as committed."""

    scores: pd.DataFrame
    board: pd.DataFrame
    intervals: pd.DataFrame
    comparisons: pd.DataFrame
    test_sets: pd.DataFrame
    run: dict[str, Any]

    @property
    def headline(self) -> str:
        """What ranked the run: "<evaluator label>.<metric>"."""
        return str(self.run["benchmark"]["headline"])

    def judge(self, backbone: str) -> str:
        """The label of the `tstr` evaluator whose classifier has this backbone."""
        evaluators = self.run["benchmark"]["evaluators"]
        return next(str(e["label"]) for e in evaluators if e["use"] == "tstr" and e["backbone"] == backbone)

    def cell(self, generator: str, evaluator: str, metric: str, test_set: str) -> pd.Series | None:
        """The row of intervals.csv for one cell of the board; None where nobody asked."""
        i = self.intervals
        keep = (i.generator == generator) & (i.evaluator == evaluator) & (i.metric == metric)
        found = i[keep & (i.test_set == test_set) & (i.variant == "")]
        return None if found.empty else found.iloc[0]


def by_seed(results: Results, generator: str, evaluator: str, metric: str, test_set: str = "test") -> list[float]:
    """A score, one value for each training of the generator."""
    s = results.scores
    mine = s[(s.generator == generator) & (s.evaluator == evaluator) & (s.metric == metric)]
    mine = mine[(mine.test_set == test_set) & (mine.variant == "")]
    return [float(value) for value in mine.groupby("seed").value.mean()]


def load_results(folder: Path) -> Results:
    """Raises FileNotFoundError where a file of `FILES` is missing."""
    require(folder, FILES)
    return Results(
        scores=read_text_table(folder / "scores.csv"),
        board=pd.read_csv(folder / "leaderboard.csv"),
        intervals=pd.read_csv(
            folder / "intervals.csv", keep_default_na=False, na_values={name: [""] for name in FLOATS}
        ),
        comparisons=pd.read_csv(folder / "comparisons.csv", keep_default_na=False),
        test_sets=pd.read_csv(folder / "test_sets.csv"),
        run=json.loads((folder / "run.json").read_text(encoding="utf-8")),
    )


def read_text_table(path: Path) -> pd.DataFrame:
    """A CSV in which empty cells of text stay empty: a test set that nobody has seen has seen == ""."""
    undefined = {name: ["nan"] for name in ("precision", "recall", "f1")}
    return pd.read_csv(path, keep_default_na=False, na_values={"value": [""], **undefined})


def require(folder: Path, files: Mapping[str, str]) -> None:
    """Raise FileNotFoundError where one is not there."""
    missing = [name for name in files if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{folder}: no {', '.join(missing)}; give the script that makes the page a RUN_DIR"
        )


def copy_results(run: Path, target: Path, files: Mapping[str, str] = FILES) -> None:
    """The files the tables are made of; texts lose the folders of this machine. Raises where one is missing."""
    target.mkdir(parents=True, exist_ok=True)
    for name, source in files.items():
        text = (run / source).read_text(encoding="utf-8")
        if name.endswith(".json"):
            text = json.dumps(_without_folders(json.loads(text)), indent=1, ensure_ascii=False) + "\n"
        (target / name).write_text(text, encoding="utf-8")


def _without_folders(value: Any) -> Any:
    """JSON in which every absolute path is its last part alone."""
    if isinstance(value, dict):
        return {key: _without_folders(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_folders(item) for item in value]
    return FOLDERS.sub("", value) if isinstance(value, str) else value
