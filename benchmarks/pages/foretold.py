"""Which metric foretold the headline? Over the rows of a board: `python benchmarks/pages/foretold.py RUN_DIR`.

Prints for every metric of images Kendall's tau-b of the generators' order by it and by the headline, turned so
that 1 is "the better by this metric, the better by the headline", and an interval by a bootstrap over generators.
`--role` takes other rows in besides the candidates: ceilings are copies of real images, which every metric of
likeness likes best, so with them in all of these look wiser than they are.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from blocks import markdown

__all__ = ["FEWEST", "foretold", "kendall", "table"]

FEWEST = 5
"""Generators below which there is nothing to say: of four, one order in 24 agrees with any other by chance."""
RESAMPLES, LEVEL = 5000, 0.95
SIGNS = {"higher": 1, "lower": -1}

Floats = npt.NDArray[np.float64]


def kendall(x: Floats, y: Floats, counts: npt.NDArray[np.int64]) -> Floats:
    """Kendall's tau-b (Biometrika 33, 1945) of x and y, each pair (N,) taken so many times: counts (B, N) -> (B,).

    NaN where all of the taken x, or of the y, are equal.
    """
    of_x, of_y = (np.sign(v[:, None] - v) for v in (x, y))

    def over_pairs(agreement: Floats) -> Floats:
        return np.einsum("bi,ij,bj->b", counts, agreement, counts, optimize=True)

    with np.errstate(invalid="ignore"):
        return over_pairs(of_x * of_y) / np.sqrt(over_pairs(of_x**2) * over_pairs(of_y**2))


def foretold(rows: pd.DataFrame, headline: str, signs: Mapping[str, int]) -> pd.DataFrame:
    """A row a metric, the best foreteller first: `metric`, `tau`, `low`, `high`, `n`.

    rows      a row a generator, a column a metric; rows that lack the headline or the metric stay out
    headline  the column that is foretold
    signs     of each metric to ask: 1 where higher is better, -1 where lower is

    The interval is the bootstrap's over generators (percentiles; 5000 draws). With fewer than `FEWEST` generators
    tau and interval are NaN.
    """
    answers = []
    for metric, sign in signs.items():
        both = rows[[headline, metric]].dropna().to_numpy(dtype=np.float64)
        n = len(both)
        tau = low = high = float("nan")
        if n >= FEWEST:
            x, y = sign * both[:, 1], both[:, 0]
            drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), RESAMPLES)
            (tau,) = kendall(x, y, np.ones((1, n), dtype=np.int64))
            low, high = np.nanquantile(kendall(x, y, drawn), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        answers.append({"metric": metric, "tau": tau, "low": low, "high": high, "n": n})
    return pd.DataFrame(answers).sort_values("tau", ascending=False, kind="stable", ignore_index=True)


def table(answers: pd.DataFrame) -> str:
    """The same for a page."""
    rows = [
        [f"`{a.metric}`", "too few" if np.isnan(a.tau) else f"{a.tau:.2f} ({a.low:.2f} to {a.high:.2f})", str(a.n)]
        for a in answers.itertuples()
    ]
    return markdown(["metric", "tau (95 % interval)", "generators"], rows)


def of_run(run: Path, roles: tuple[str, ...]) -> pd.DataFrame:
    """The answers for a run's folder: all metrics that look at the images alone and have a better end."""
    scores = pd.read_csv(run / "scores.csv", keep_default_na=False, na_values={"value": [""]})
    headline = str(json.loads((run / "run.json").read_text(encoding="utf-8"))["benchmark"]["headline"])
    scores = scores[scores.role.isin(roles) & (scores.variant == "")].assign(
        name=scores.evaluator + "." + scores.metric
    )
    of_images = (scores.test_set == "") & scores.direction.isin(SIGNS)
    asked = scores[of_images | (scores.name == headline) & (scores.test_set == "test")]
    signs = scores[of_images].drop_duplicates("name").set_index("name").direction.map(SIGNS)
    means = asked.pivot_table(index="generator", columns="name", values="value", aggfunc="mean", dropna=False)
    return foretold(means, headline, signs.to_dict())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the folder of a run")
    parser.add_argument("--role", action="append", default=["candidate"], choices=["floor", "ceiling"])
    arguments = parser.parse_args()
    print(table(of_run(arguments.run, tuple(arguments.role))))


if __name__ == "__main__":
    main()
