"""`file-geometry`: how much of the classes do the files give away before anyone looks at a picture?"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from synthbench import Context, DataError, Direction, Evaluation, Evaluator, Geometry, Images, Predictions, Splits
from synthbench_tstr.classifier_evaluator import METRICS

if TYPE_CHECKING:
    from synthbench_tstr.scoring import EvaluationSet

__all__ = ["FileGeometry"]

UNKNOWN = "the data set tells no file geometry"


class FileGeometry(Evaluator):
    """Tell the classes apart by the files alone: width, height, aspect ratio, channels, bytes.

    Trained on the real training files and tested on those of every real test set; the synthetic images have no
    part in it, so every generator's row shows the same figures.
    """

    name: ClassVar[str] = "file-geometry"
    metrics: ClassVar[Mapping[str, Direction]] = METRICS
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = dict.fromkeys(METRICS, (0.0, 1.0))

    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:  # noqa: ARG002
        """All metrics on every test set, and on the hold-out, whose files are known."""
        from synthbench_tstr.scoring import no_scores, scores_of, unseen_sets

        evaluation_sets = unseen_sets(real)
        model = _fitted(real) if "train" in real.geometry else None
        predictions = {
            evaluation_set.test_set: _predict(model, evaluation_set, real.geometry[evaluation_set.test_set])
            for evaluation_set in evaluation_sets
            if model is not None and evaluation_set.test_set in real.geometry
        }
        scores = [
            scores_of(predictions[evaluation_set.test_set], evaluation_set)
            if evaluation_set.test_set in predictions
            else no_scores(METRICS, evaluation_set, UNKNOWN)
            for evaluation_set in evaluation_sets
        ]
        return Evaluation(list(chain.from_iterable(scores)), list(predictions.values()))

    def resample(
        self, predictions: Mapping[str, Predictions], weights: npt.NDArray[np.integer]
    ) -> Mapping[tuple[str, str], npt.NDArray[np.floating]]:
        """Every metric; left out where the test set has too few images for it."""
        from synthbench_tstr.scoring import resampled

        return resampled(predictions, weights)


def _fitted(real: Splits) -> Any:
    """Boosted trees: sizes and byte counts come in clusters, one a machine or a way of export, which no line
    separates. Classes are weighted alike, since balanced accuracy is what counts. Without early stopping
    nothing in it is random."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    if missing := [name for name, n in real.train.counts().items() if n == 0]:
        raise DataError(f"file-geometry needs real training images of every class: none of {', '.join(missing)}")
    model = HistGradientBoostingClassifier(class_weight="balanced", early_stopping=False, random_state=0)
    return model.fit(_features(real.geometry["train"]), real.train.labels)


def _features(files: Geometry) -> npt.NDArray[np.float64]:
    """(N, 5): width, height, aspect ratio, channels, bytes."""
    columns = (files.width, files.height, files.width / files.height, files.channels, files.n_bytes)
    return np.stack(columns, axis=1).astype(np.float64)


def _predict(model: Any, evaluation_set: EvaluationSet, files: Geometry) -> Predictions:
    images = evaluation_set.images
    return Predictions(
        evaluation_set.test_set,
        images.ids,
        images.groups,
        images.labels,
        model.predict_proba(_features(files)),
        positive=evaluation_set.positive,
    )
