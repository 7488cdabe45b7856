"""Time and memory of a run as it grows: `python benchmarks/studies/growth.py images 1000 10000 --work FOLDER`

images  so many training images of 64 px, PNG files of phantoms, a tenth as many to test on
sizes   the real X-rays at so many pixels a side (4695 to train on, 624 to test on), as docs/data.md says where
seeds   so many seeds of the generator, 1000 phantoms of 64 px

A tenth of the patients held out, `pca-gaussian` of 50 components, 500 images drawn; `tstr` by the small CNN in
two epochs, `kid` on 500 images of each side, `fd` with features of every training image, `memorisation`. Each is a
run of its own on an empty store, one after the other; a part's seconds come from what the run writes of itself.
Memory is the most that all its processes held at once beyond files that they map: what the kernel cannot reclaim.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import yaml
from PIL import Image
from timed_run import timed_run

from synthbench.progress import Progress
from synthbench.runner.family import family_of
from synthbench_phantom.cohort import CLASSES, Cohort, photograph
from synthbench_phantom.plugin import Phantom

SIDE = 64
THUMBNAILS = f"{Path(__file__).resolve().with_name('growth_plugins.py')}:Thumbnails"
BASE: dict[str, Any] = {
    "name": "growth",
    "samples": 500,
    "baselines": False,
    "holdout": 0.1,
    "headline": "tstr.auroc",
    "generators": [{"use": "pca-gaussian", "components": 50}],
    "evaluators": [
        {"use": "tstr", "backbone": "cnn", "epochs": 2},
        {"use": "kid", "at_most": 500, "train_at_most": 500},
        {"use": "fd", "extractor": THUMBNAILS},
        {"use": "memorisation", "extractor": THUMBNAILS, "at_most": 500},
    ],
}


def of_images(n: int, folder: Path) -> dict[str, Any]:
    """A benchmark of `n` phantoms in class folders."""
    train = Cohort(0, 0, n, 2, 0.6)
    write_pictures(folder / "images" / "train", train)
    write_pictures(folder / "images" / "test", Cohort(0, train.patients, max(200, n // 10), 2, 0.6))
    data = {
        "use": "image-folder",
        "root": str(folder / "images"),
        "image_size": SIDE,
        "groups": "(phantom-[0-9]+)",
    }
    return {"dataset": {**data, "channels": 1, "positive": CLASSES[1]}}


def of_sizes(side: int, _: Path) -> dict[str, Any]:
    """A benchmark of the real X-rays."""
    return {"dataset": {"use": "chest-xray", "image_size": side, "channels": 1}}


def of_seeds(n: int, _: Path) -> dict[str, Any]:
    """A benchmark of `n` seeds."""
    return {"dataset": {"use": "phantom", "image_size": SIDE, "train_images": 1000}, "seeds": n}


AXES = {"images": of_images, "sizes": of_sizes, "seeds": of_seeds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("axis", choices=AXES)
    parser.add_argument("amounts", type=int, nargs="+")
    parser.add_argument("--work", type=Path, required=True, help="an empty folder for images, stores and results")
    arguments = parser.parse_args()
    costs = pd.DataFrame({n: costs_at(arguments.axis, n, arguments.work / str(n)) for n in arguments.amounts})
    for part, cells in costs.iterrows():
        print(f"| {part} |", *(f"{cell:.3g} |" for cell in cells), exponent(cells))


def costs_at(axis: str, amount: int, folder: Path) -> dict[str, float]:
    """Of a run on an empty store: seconds in all and of each part, and GB."""
    folder.mkdir(parents=True)
    file, out = folder / "growth.yaml", folder / "out"
    file.write_text(yaml.safe_dump({**BASE, **AXES[axis](amount, folder)}))
    with Memory() as memory:
        seconds = timed_run(file, out, folder / "store")
    load = json.loads((out / "run.json").read_text())["load"]["wall_s"]
    stages = pd.read_csv(out / "costs.csv").groupby("stage")["wall_s"].sum()
    costs = {"whole run, s": seconds, "memory, GB": memory.most, "read and audit, s": load}
    costs |= {f"{stage}, s": float(cost) for stage, cost in stages.items()}
    print(amount, costs, flush=True)
    return costs


def exponent(cells: pd.Series) -> str:
    """By which the last two grow: 1 in proportion, 2 with the square; "" of one alone."""
    if len(cells) < 2:
        return ""
    (before, last), (small, large) = cells.iloc[-2:], cells.index[-2:]
    return f"{np.log(last / before) / np.log(large / small):.2f} |"


def write_pictures(folder: Path, cohort: Cohort) -> None:
    """The cohort's images as PNG files in class folders, their patients in their names."""
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
    with Progress().bar("phantoms", cohort.images) as bar:
        images = photograph(cohort, Phantom(image_size=SIDE), bar)
    for pixels, label, name in zip(images.pixels, images.labels, images.ids, strict=True):
        Image.fromarray(pixels[..., 0]).save(folder / CLASSES[label] / f"{name}.png")


class Memory(threading.Thread):
    """The most memory, in GB, that this process's descendants held at once beyond mapped files."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self._over = 0.0, threading.Event()

    def __enter__(self) -> Memory:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.is_set():
            self.most = max(self.most, sum(map(held, family_of()[1:])) / 1e9)
            time.sleep(0.5)


def held(process: psutil.Process) -> float:
    """Bytes; what processes share counts once, its parts with each."""
    try:
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss_Anon:"):
                return 1024 * float(line.split()[1])
    except OSError:  # it has ended
        pass
    return 0.0


if __name__ == "__main__":
    main()
