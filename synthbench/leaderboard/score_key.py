"""Which number: whose, of what, on which images. The one name that scores have from scores.csv to the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from synthbench.types import Predictions, Score

__all__ = ["ScoreKey", "seen_mark"]


class ScoreKey(NamedTuple):
    """A row of scores.csv but for generator and seed; without `classifier_seed`, a column of the board.

    evaluator  its label; "" where the evaluation is known from elsewhere, and of a utility, which is nobody's
    seen       what the images were used for before, as in `Score`
    """

    evaluator: str
    metric: str
    test_set: str = ""
    seen: str = ""
    variant: str = ""
    classifier_seed: int | None = None

    @classmethod
    def of(cls, evaluator: str, score: Score) -> ScoreKey:
        """A score's own."""
        return cls(evaluator, score.metric, score.test_set, score.seen, score.variant, score.classifier_seed)

    @classmethod
    def resampled(cls, metric: str, variant: str, predictions: Predictions) -> ScoreKey:
        """Of a metric of predictions, which know neither who made them nor what the images were used for."""
        return cls("", metric, predictions.test_set, "", variant, predictions.classifier_seed)

    @classmethod
    def of_row(cls, row: Mapping[str, str]) -> ScoreKey:
        """The column behind a row of scores.csv or intervals.csv, or behind none: all empty."""
        evaluator, metric, *rest = (row.get(name, "") for name in cls._fields[:5])
        test_set, seen, variant = rest
        return cls(evaluator, metric, test_set, seen, variant)

    @property
    def column(self) -> ScoreKey:
        """The same over all classifier seeds: what a column of the board shows."""
        return self._replace(classifier_seed=None)

    @property
    def within_evaluation(self) -> ScoreKey:
        """What tells a score from the others of its evaluation, as `resampled` gives it."""
        return self._replace(evaluator="", seen="")

    @property
    def title(self) -> str:
        """`tstr.auroc`: evaluator and metric, or the metric of nobody's."""
        return f"{self.evaluator}.{self.metric}" if self.evaluator else self.metric

    @property
    def name(self) -> str:
        """The board's column: `tstr.auroc` on "test"; elsewhere `tstr.auroc@train[seen]`."""
        place = f"@{self.test_set}" if self.test_set not in ("test", "") else ""
        return self.title + place + "".join(f"[{mark}]" for mark in self._marks)

    @property
    def place(self) -> str:
        """Where it was measured, for people: "test", "train [seen]"; "synthetic images" on no test set."""
        return " ".join([self.test_set or "synthetic images", *(f"[{mark}]" for mark in self._marks)])

    @property
    def of_board(self) -> bool:
        """Whether it is on `test` or of the synthetic images themselves, whole and unmarked."""
        return self.test_set in ("test", "") and not self._marks

    @property
    def _marks(self) -> list[str]:
        return [mark for mark in (seen_mark(self.seen), self.variant) if mark]


def seen_mark(seen: str) -> str:
    """What people read for `Score.seen`: "seen" where a generator trained on the images."""
    return {"generator": "seen"}.get(seen, seen)
