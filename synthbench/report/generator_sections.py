"""What the page says of each generator: facts, failures, sample grids, training plots, per-class figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthbench.leaderboard.score_key import ScoreKey
from synthbench.report.album import Album, Photo, Plot
from synthbench.report.training import PerClass, classifiers, loss_plot
from synthbench.results.folder import Row, RunFolder, Trial, number
from synthbench.storage.layout import Column, Table

__all__ = ["EvaluatorPart", "GeneratorPart", "count_photos", "generator_parts", "real_photo"]

MOST_EXTRAS = 4
"""Further pictures that a generator or an evaluator left and that the page shows."""

MOST_TRACEBACK = 4000
"""Characters of a traceback, its end."""

OWN = {"samples.png", "nearest.png", "curve.png"}
"""Pictures that the report shows in a place of their own, or draws itself."""


@dataclass(frozen=True)
class EvaluatorPart:
    """What an evaluator left for one generator."""

    label: str
    plots: Sequence[Plot]
    per_class: Sequence[PerClass]
    photos: Sequence[Photo]


@dataclass(frozen=True)
class GeneratorPart:
    """A generator's section. `tracebacks`: (file, its text); `samples` stand beside the real images."""

    label: str
    role: str
    facts: Sequence[tuple[str, str]]
    note: str
    tracebacks: Sequence[tuple[str, str]]
    samples: Photo | None
    nearest: Photo | None
    extras: Sequence[Photo]
    losses: Sequence[Plot]
    evaluators: Sequence[EvaluatorPart]


def generator_parts(run: RunFolder, album: Album) -> list[GeneratorPart]:
    """One section a row of the board, in its order."""
    return [_part(run, row, album) for row in run.board]


def real_photo(run: RunFolder, album: Album) -> Photo | None:
    """data/real.png: real training images, laid out as the samples are."""
    rows = _rows_said(run)
    return album.photo(
        run.out / "data" / "real.png",
        alt=f"Real training images. {rows}",
        caption=f"Real training images. {rows}",
        run=run.out,
    )


def count_photos(run: RunFolder) -> int:
    """How many images the page will show, to share out the room."""
    folders = [_shown_trial(run, label).folder for label in run.roles if run.trials_of(label)]
    return (
        1
        + sum(len(_pictures(folder / "generator", OWN)) + 2 for folder in folders)
        + sum(len(_pictures(sub, OWN)) for folder in folders for sub in _evaluator_folders(folder))
    )


def _part(run: RunFolder, row: Row, album: Album) -> GeneratorPart:
    label = row["generator"]
    trials = run.trials_of(label)
    shown = _shown_trial(run, label)
    return GeneratorPart(
        label=label,
        role=row.get("role", ""),
        facts=list(_facts(run, row, shown)),
        note=row.get(Column.NOTE, ""),
        tracebacks=[traceback for trial in trials for traceback in _tracebacks(run, trial)],
        samples=_samples(run, shown, album),
        nearest=_nearest(run, shown, album),
        extras=_extras(run, shown.folder / "generator", album),
        losses=loss_plot(run, shown, album),
        evaluators=list(_evaluators(run, trials, shown, album)),
    )


def _shown_trial(run: RunFolder, label: str) -> Trial:
    """The first trial that has samples, else the first one, else one without files."""
    trials = run.trials_of(label)
    done = [trial for trial in trials if (trial.folder / "generator" / "samples.png").exists()]
    return next(iter([*done, *trials]), Trial(label, 0, run.out / "trials" / "-"))


def _facts(run: RunFolder, row: Row, shown: Trial) -> Iterator[tuple[str, str]]:
    seeds = [(Column.SEEDS, "of the generator"), (Column.EVALUATOR_SEEDS, "of the evaluator for each")]
    yield "status", row.get(Column.STATUS, "")
    yield "seeds", ", ".join(f"{row[column]} {whose}" for column, whose in seeds if row.get(column))
    for key in (run.headline_key(), ScoreKey("", Column.UTILITY)):
        if score := run.estimates.get(key, {}).get(row["generator"]):
            yield key.title, str(score)
    for basis in dict.fromkeys(r["basis"] for r in _headline_rows(run, row["generator"]) if r.get("basis")):
        yield "interval", basis
    if shown.seed is not None:
        yield "seed of the images shown", f"{shown.index} = {shown.seed}"
    yield "files", shown.folder.relative_to(run.out).as_posix()


def _headline_rows(run: RunFolder, generator: str) -> list[Row]:
    """Of intervals.csv."""
    rows = [row for row in run.tables[Table.INTERVALS] if row["generator"] == generator]
    return [row for row in rows if ScoreKey.of_row(row) == run.headline_key()]


def _tracebacks(run: RunFolder, trial: Trial) -> Iterator[tuple[str, str]]:
    for path in sorted(trial.folder.glob("*/error.txt")):
        text = path.read_text(encoding="utf-8", errors="replace")
        cut = "...\n" if len(text) > MOST_TRACEBACK else ""
        yield path.relative_to(run.out).as_posix(), cut + text[-MOST_TRACEBACK:]


def _rows_said(run: RunFolder) -> str:
    return f"Rows from the top: {', '.join(run.classes)}." if run.classes else "One row a class."


def _samples(run: RunFolder, trial: Trial, album: Album) -> Photo | None:
    said = f"Samples of {trial.generator}, seed {trial.index}. {_rows_said(run)}"
    return album.photo(trial.folder / "generator" / "samples.png", alt=said, caption=said, run=run.out)


def _nearest(run: RunFolder, trial: Trial, album: Album) -> Photo | None:
    """nearest.png, with the distances of nearest.csv in words."""
    folder = trial.folder / "generator"
    known = [number(row.get("distance")) for row in run.rows(folder / "nearest.csv")]
    distances = sorted(value for value in known if value is not None)
    said = f"Each sample of {trial.generator} above the training image nearest to it."
    if distances:
        middle = distances[len(distances) // 2]
        said += (
            f" Distance in grey levels (0-255, at 32 x 32 pixels): {distances[0]:.1f} to {distances[-1]:.1f}, "
            f"median {middle:.1f}; 0 is a copy."
        )
    return album.photo(folder / "nearest.png", alt=said, caption=said, run=run.out)


def _pictures(folder: Path, known: set[str]) -> list[Path]:
    """PNG files of a folder beyond the known ones; of many, some from first to last."""
    pictures = sorted(path for path in folder.glob("*.png") if path.name not in known)
    step = max(1, -(-len(pictures) // MOST_EXTRAS))
    return [*pictures[:-1:step], pictures[-1]][-MOST_EXTRAS:] if pictures else []


def _extras(run: RunFolder, folder: Path, album: Album) -> list[Photo]:
    photos = [
        album.photo(path, alt=f"Picture {path.stem} of {folder.name}", caption=path.name, run=run.out)
        for path in _pictures(folder, OWN)
    ]
    return [photo for photo in photos if photo]


def _evaluator_folders(trial: Path) -> list[Path]:
    return sorted(path for path in trial.glob("*") if path.is_dir() and path.name != "generator")


def _evaluators(run: RunFolder, trials: Sequence[Trial], shown: Trial, album: Album) -> Iterator[EvaluatorPart]:
    for label in run.evaluators:
        classified = classifiers(run, trials, label, album)
        photos = _extras(run, shown.evaluator(label), album)
        if classified.plots or classified.per_class or photos:
            yield EvaluatorPart(label, classified.plots, classified.per_class, photos)
