"""Time and memory of a run by image size: `python benchmarks/studies/image_sizes.py 64 128 256 --work FOLDER`

The real X-rays (grey; 4695 to train on, 624 to test on, a tenth of the patients held out), `pca-gaussian` of 50
components, 500 images drawn; `tstr` by the small CNN in two epochs, `kid` and `memorisation` on 500 images of each
side. Each size is a run of its own on an empty store, one after the other; the rows of docs/performance.md come
from what the runs write of themselves. The data are looked for as docs/data.md says.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd
import yaml
from timed_run import timed_run

FILE = {
    "name": "sizes",
    "samples": 500,
    "baselines": False,
    "holdout": 0.1,
    "headline": "tstr.auroc",
    "generators": [{"use": "pca-gaussian", "components": 50}],
    "evaluators": [
        {"use": "tstr", "backbone": "cnn", "epochs": 2},
        {"use": "kid", "at_most": 500, "train_at_most": 500},
        {"use": "memorisation", "at_most": 500},
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="+", help="height and width in pixels")
    parser.add_argument("--work", type=Path, required=True, help="an empty folder for stores and results")
    arguments = parser.parse_args()
    costs = pd.DataFrame({size: costs_at(size, arguments.work / str(size)) for size in arguments.sizes})
    for name, cells in costs.iterrows():
        print(f"| {name} |", *(f"{cell:.1f} |" for cell in cells))


def costs_at(size: int, folder: Path) -> dict[str, float]:
    """Of a run on an empty store: seconds in all, then seconds and the most memory of each part."""
    folder.mkdir(parents=True)
    file, out = folder / "sizes.yaml", folder / "out"
    dataset = {"use": "chest-xray", "image_size": size, "channels": 1}
    file.write_text(yaml.safe_dump({**FILE, "dataset": dataset}))
    known = {"whole run, s": timed_run(file, out, folder / "cache")}
    load = json.loads((out / "run.json").read_text())["load"]
    stages = pd.read_csv(out / "costs.csv").groupby("stage").agg({"wall_s": "sum", "peak_memory_mb": "max"})
    for name, cost in [("load and audit", load), *((name, stages.loc[name]) for name in stages.index)]:
        known |= {f"{name}, s": float(cost["wall_s"]), f"{name}, GB": float(cost["peak_memory_mb"]) / 1000}
    print(size, known, flush=True)
    return known


if __name__ == "__main__":
    main()
