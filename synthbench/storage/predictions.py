"""predictions.csv: the per-image answers of an evaluation, written and read back to the last digit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synthbench.storage.cells import as_texts, csv_text
from synthbench.types import Predictions

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PREDICTIONS", "load_predictions", "save_predictions"]

PREDICTIONS = "predictions.csv"
KEYS = ["test_set", "classifier_seed", "variant", "positive"]


def save_predictions(path: Path, predictions: Sequence[Predictions], classes: tuple[str, ...]) -> None:
    """One row an image: who answered, the image, its label, the positive class and the probability of each class.

    No predictions: no file.
    """
    import pandas as pd

    if predictions:
        table = pd.concat([_table(p, classes) for p in predictions], ignore_index=True)
        path.write_text(csv_text(table), encoding="utf-8", newline="")


def _table(p: Predictions, classes: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    probabilities = {f"p[{name}]": p.probabilities[:, k] for k, name in enumerate(classes)}
    return pd.DataFrame(
        {
            "test_set": p.test_set,
            "classifier_seed": p.classifier_seed,
            "variant": p.variant,
            "id": p.ids,
            "group": p.groups,
            "label": np.array(classes)[p.labels],
            "positive": "" if p.positive is None else classes[p.positive],
            **probabilities,
        }
    )


def load_predictions(path: Path) -> list[Predictions]:
    """What `save_predictions` wrote, in its order; nothing where there is no file."""
    return list(_read(path)) if path.exists() else []


def _read(path: Path) -> Iterator[Predictions]:
    import pandas as pd

    text: dict[str, Any] = dict.fromkeys(["test_set", "variant", "id", "group", "label", "positive"], str)
    table = pd.read_csv(
        path,
        dtype={**text, "classifier_seed": "Int64"},
        keep_default_na=False,
        na_values={"classifier_seed": [""]},
    )
    if "positive" not in table:  # written before a data set had to say it
        table["positive"] = ""
    for name in text:
        table[name] = as_texts(table[name])
    columns = [name for name in map(str, table) if name.startswith("p[")]
    classes = np.array([name[2:-1] for name in columns])
    for key, rows in table.groupby(KEYS, sort=False, dropna=False):
        test_set, seed, variant, positive = map(str, key)
        labels = (rows["label"].to_numpy(dtype=np.str_)[:, None] == classes).argmax(1)
        yield Predictions(
            test_set=test_set,
            ids=rows["id"].to_numpy(dtype=np.str_),
            groups=rows["group"].to_numpy(dtype=np.str_),
            labels=labels.astype(np.int64),
            probabilities=rows[columns].to_numpy(dtype=np.float64),
            classifier_seed=int(seed) if seed.isdecimal() else None,
            variant=variant,
            positive=classes.tolist().index(positive) if positive else None,
        )
