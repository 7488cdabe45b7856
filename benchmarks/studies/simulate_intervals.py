"""Do intervals from few seeds hold? Boards of known truth: `python benchmarks/studies/simulate_intervals.py`.

Writes docs/results/intervals/{coverage,tests}.csv, of which pages/make_statistics_doc.py makes its tables.
`--boards N` sets how many boards of 4 rows are drawn; larger boards are fewer, by their rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm, t

from synthbench.stats import LEVEL
from synthbench.stats.pooling import joint_quantile, own_tail

RESULTS = Path(__file__).parents[2] / "docs" / "results" / "intervals"

SEEDS, ROWS = (2, 3, 5, 10), (4, 10, 50)
TAIL = (1 - LEVEL) / 2
SD = 0.02  # of an ordinary row's seeds
IMAGES = 0.012  # standard error that the draw of some 600 test images gives an AUROC of .9, the same for all rows
FLOOR_DRAWS = 5

Floats = npt.NDArray[np.floating[Any]]


# ---- worlds: what the seeds of each row add to its truth


@dataclass(frozen=True)
class Rows:
    """Some rows of the boards: `errors` (boards, rows, seeds) about the truth; `kind` names them."""

    kind: str
    errors: Floats

    @property
    def seeds(self) -> int:
        return self.errors.shape[2]


World = Callable[[np.random.Generator, tuple[int, int, int]], list[Rows]]
"""(rng, (boards, rows, seeds)) -> the rows of all boards, by kind."""


def equal(rng: np.random.Generator, shape: tuple[int, int, int]) -> list[Rows]:
    """All rows' seeds vary alike."""
    return [Rows("all", SD * rng.normal(size=shape))]


def unequal(rng: np.random.Generator, shape: tuple[int, int, int]) -> list[Rows]:
    """Standard deviations from half to twice the ordinary one."""
    return [Rows("all", np.geomspace(SD / 2, SD * 2, shape[1])[:, None] * rng.normal(size=shape))]


def wild(rng: np.random.Generator, shape: tuple[int, int, int]) -> list[Rows]:
    """One row with five times the standard deviation of the others."""
    errors = SD * rng.normal(size=shape)
    return [Rows("wild", 5 * errors[:, :1]), Rows("others", errors[:, 1:])]


def floors(rng: np.random.Generator, shape: tuple[int, int, int]) -> list[Rows]:
    """Two floors of five draws or more, sd .11 as of shuffled labels at 64 px, beside candidates."""
    boards, rows, seeds = shape
    drawn = rng.normal(size=(boards, 2, max(seeds, FLOOR_DRAWS)))
    return [Rows("floors", 0.11 * drawn), Rows("candidates", SD * rng.normal(size=(boards, rows - 2, seeds)))]


def drift(rng: np.random.Generator, shape: tuple[int, int, int]) -> list[Rows]:
    """Balanced accuracy at a fixed threshold that the seeds shift, normal, sd 0 to .5 of a score's."""
    edge, sd = 0.9, np.linspace(0.0, 0.5, shape[1])[:, None]
    shift = sd * rng.normal(size=shape)
    return [Rows("all", (norm.cdf(edge - shift) + norm.cdf(edge + shift)) / 2 - norm.cdf(edge / np.hypot(1, sd)))]


def skewed(rng: np.random.Generator, shape: tuple[int, int, int]) -> list[Rows]:
    """Exponential errors: seeds are mostly good and sometimes bad."""
    return [Rows("all", SD * (1 - rng.exponential(size=shape)))]


def two_point(rng: np.random.Generator, shape: tuple[int, int, int]) -> list[Rows]:
    """A training works in four of five cases, else it collapses and is .3 worse."""
    works = rng.random(shape) < 0.8
    return [Rows("all", 0.3 * (works - 0.8) + SD / 2 * rng.normal(size=shape))]


NORMAL: Mapping[str, World] = {"equal": equal, "unequal": unequal, "wild": wild, "floors": floors, "drift": drift}
WORLDS: Mapping[str, World] = {**NORMAL, "skewed": skewed, "two-point": two_point}


# ---- forms of the margin: (variances (boards, rows), seeds) -> half-widths of the mean (boards, rows)


def others(variances: Floats) -> Floats:
    """The mean variance of all other rows."""
    rows = variances.shape[1]
    return (variances.sum(1, keepdims=True) - variances) / (rows - 1)


def student(variances: Floats, seeds: int) -> Floats:
    return t.isf(TAIL, seeds - 1) * np.sqrt(variances / seeds)


def moderated(prior: float) -> Callable[[Floats, int], Floats]:
    """As limma's, with a fixed prior of so many degrees of freedom, never below the row's own variance."""

    def margin(variances: Floats, seeds: int) -> Floats:
        df = prior + seeds - 1
        mixed = (prior * others(variances) + (seeds - 1) * variances) / df
        return t.isf(TAIL, df) * np.sqrt(np.maximum(variances, mixed) / seeds)

    return margin


def pooled(variances: Floats, seeds: int) -> Floats:
    """One variance for all rows."""
    boards, rows = variances.shape
    mean = np.broadcast_to(variances.mean(1, keepdims=True), (boards, rows))
    return t.isf(TAIL, rows * (seeds - 1)) * np.sqrt(mean / seeds)


def wider_of_two(variances: Floats, seeds: int) -> Floats:
    """What synthbench does: `stats.pooled_margin` over arrays."""
    own = t.isf(own_tail(seeds), seeds - 1) * np.sqrt(variances / seeds)
    return np.maximum(own, joint_quantile(seeds) * np.sqrt(others(variances) / seeds))


CHOSEN = "wider of two"
FORMS: Mapping[str, Callable[[Floats, int], Floats]] = {
    "Student": student,
    "moderated, d0 = 2": moderated(2),
    "moderated, d0 = 3": moderated(3),
    "pooled": pooled,
    CHOSEN: wider_of_two,
}


# ---- simulations


def coverage(
    world: str, seeds: int, rows: int, boards: int, images: float = IMAGES, forms: Sequence[str] = tuple(FORMS)
) -> Iterator[dict[str, Any]]:
    """For each form and kind of row the share of intervals that cover, its Monte-Carlo error, and their widths.

    Floors borrow from floors, all others from each other. Image and seed margins are added as squares, as
    `stats.interval` does.
    """
    rng = np.random.default_rng([seeds, rows, *world.encode()])
    parts = WORLDS[world](rng, (boards, rows, seeds))
    shift = images * rng.normal(size=(boards, 1))
    roles = [[part] for part in parts] if world == "floors" else [parts]
    for form in forms:
        for role in roles:
            errors = np.concatenate([part.errors for part in role], axis=1)
            margins = FORMS[form](errors.var(axis=2, ddof=1), role[0].seeds)
            half = np.hypot(margins, norm.isf(TAIL) * images)
            hits = np.abs(errors.mean(axis=2) + shift) <= half
            ends = np.cumsum([part.errors.shape[1] for part in role])[:-1]
            for part, hit, width in zip(role, np.split(hits, ends, 1), np.split(2 * half, ends, 1), strict=True):
                yield {
                    **{"world": world, "seeds": seeds, "rows": rows, "images": images, "form": form},
                    **{"kind": part.kind, "boards": boards, "coverage": hit.mean()},
                    "error": hit.mean(axis=1).std(ddof=1) / np.sqrt(boards),
                    **{"median_width": np.median(width), "width_90": np.quantile(width, 0.9)},
                }


def welch(a: Floats, b: Floats, df: tuple[float, float]) -> Floats:
    """Margin of a difference of means with squared standard errors a and b: what `stats.difference` does."""
    both = np.maximum(a + b, 1e-300)
    return t.isf(TAIL, both**2 / (a**2 / df[0] + b**2 / df[1])) * np.sqrt(both)


def rejections(world: str, seeds: int, rows: int, boards: int) -> dict[str, Any]:
    """How often equal means of the first and the last row are called different, at 5 %, by three tests.

    Student  today's: Welch and Satterthwaite's degrees of freedom
    others   margins of the moderated variance (d0 = 3), and of the wider of two, added as squares
    """
    rng = np.random.default_rng([seeds, rows, *world.encode()])
    parts = WORLDS[world](rng, (boards, rows, seeds))
    first, last = parts[0], parts[-1]
    apart = np.abs(first.errors[:, 0].mean(axis=1) - last.errors[:, -1].mean(axis=1))
    variances = np.concatenate([part.errors.var(axis=2, ddof=1) for part in parts], axis=1)
    n = (first.seeds, last.seeds)
    own = variances[:, 0] / n[0], variances[:, -1] / n[1]
    mixed = [
        np.maximum(variances[:, k], (3 * others(variances)[:, k] + (s - 1) * variances[:, k]) / (3 + s - 1)) / s
        for k, s in zip((0, -1), n, strict=True)
    ]
    wider = np.hypot(*(wider_of_two(variances, s)[:, k] for k, s in zip((0, -1), n, strict=True)))
    margins = {
        "Student": welch(*own, (n[0] - 1, n[1] - 1)),
        "moderated, d0 = 3": welch(*mixed, (n[0] + 2, n[1] + 2)),
        CHOSEN: wider,
    }
    rates = {form: float(np.mean(apart > margin)) for form, margin in margins.items()}
    return {"world": world, "seeds": seeds, "rows": rows, "boards": boards, **rates}


def full_grid(boards: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every world, number of seeds and rows, with the draw of images and without; and the tests' error rates."""
    cases = [(w, s, r, boards * 4 // r) for w in WORLDS for s in SEEDS for r in ROWS]
    covered = [row for case in cases for row in coverage(*case)]
    covered += [row for case in cases for row in coverage(*case, images=0.0, forms=(CHOSEN,))]
    tested = [rejections(w, s, r, boards) for w, s, r, _ in cases if r == ROWS[1]]
    return pd.DataFrame(covered).round(4), pd.DataFrame(tested).round(4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boards", type=int, default=20_000, help="boards of 4 rows")
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name, table in zip(("coverage", "tests"), full_grid(parser.parse_args().boards), strict=True):
        table.assign(date=date.today().isoformat()).to_csv(
            RESULTS / f"{name}.csv", index=False, lineterminator="\n"
        )


if __name__ == "__main__":
    main()
