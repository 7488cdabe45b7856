"""influence.csv: what the scores of an evaluation owe to each image, written and read back to the last digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from synthbench.influence import Influence
from synthbench.storage.cells import as_texts, csv_text
from synthbench.types import Score

__all__ = ["INFLUENCE", "load_influences", "save_influences"]

INFLUENCE = "influence.csv"
REAL, SYNTHETIC = "real", "synthetic"


def save_influences(path: Path, scores: Sequence[Score]) -> None:
    """One row for each patient and each synthetic image of a score that has an influence. None: no file."""
    import pandas as pd

    tables = [
        pd.DataFrame(
            {"metric": score.metric, "variant": score.variant, "side": side, "id": ids, "influence": values}
        )
        for score in scores
        if (influence := score.influence) is not None
        for side, ids, values in (
            (REAL, influence.patients, influence.real),
            (SYNTHETIC, np.arange(len(influence.synthetic)).astype(np.str_), influence.synthetic),
        )
    ]
    if tables:
        path.write_text(csv_text(pd.concat(tables, ignore_index=True)), encoding="utf-8", newline="")


def load_influences(path: Path) -> Mapping[tuple[str, str], Influence]:
    """What `save_influences` wrote, by metric and variant; nothing where there is no file."""
    import pandas as pd

    if not path.exists():
        return {}
    text = dict.fromkeys(["metric", "variant", "side", "id"], str)
    table = pd.read_csv(path, dtype={**text, "influence": np.float64}, keep_default_na=False)
    for name in text:
        table[name] = as_texts(table[name])
    influences = {}
    for (metric, variant), rows in table.groupby(["metric", "variant"], sort=False):
        real, synthetic = (rows[rows["side"] == side] for side in (REAL, SYNTHETIC))
        influences[str(metric), str(variant)] = Influence(
            real["id"].to_numpy(dtype=np.str_),
            real["influence"].to_numpy(dtype=np.float64),
            synthetic["influence"].to_numpy(dtype=np.float64),
        )
    return influences
