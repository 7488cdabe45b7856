"""A board of a thousand generators: what everything around the work takes, over the number of generators.

    uv run python benchmarks/studies/many_generators.py 10 30 100 300 1000

Generators draw four images of noise, the evaluator makes predictions up, better or worse by generator; all else
is a real run in a process of its own with an empty store: plan, trials, bootstrap, writes, comparisons, ranks,
report. A row a size: seconds in all, in the processor (of all cores; what counts on a machine with other work), in
writes of the tables, in the report; peak memory; size of the report; the exponent of the processor's time from the
row above. `docs/performance.md` shows them.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import yaml

from synthbench import Dataset, Evaluation, Evaluator, Generator, Images, Predictions, Score, Splits

TEST, PATIENTS, SEEDS = 624, 428, 3
METRICS = ("accuracy", "balanced_accuracy", "recall", "specificity")


class Noise(Dataset):
    """Images of noise, two classes, several images a patient."""

    name: ClassVar[str] = "noise"

    def load(self, ctx: Any) -> Splits:  # noqa: ARG002
        return Splits(self._part(80, "train"), {"test": self._part(TEST, "test")}, positive="ILL")

    def _part(self, n: int, name: str) -> Images:
        rng = np.random.default_rng(n)
        groups = np.array([f"{name}-{patient}" for patient in np.sort(rng.integers(PATIENTS, size=n))])
        pixels = rng.integers(0, 256, (n, 32, 32, 1), dtype=np.uint8)
        return Images(pixels, np.arange(n) % 2, ("WELL", "ILL"), groups=groups)


class MadeUp(Generator):
    """Four images of noise; how good it is, is told to the evaluator by the first pixel."""

    name: ClassVar[str] = "made-up"
    level: int = 128

    def fit(self, train: Images, ctx: Any) -> Any:  # noqa: ARG002
        def sampler(labels: Any, rng: np.random.Generator) -> Any:
            pixels = rng.integers(0, 256, (len(labels), *train.shape), dtype=np.uint8)
            pixels[:, 0, 0] = self.level
            return pixels

        return sampler


class Guess(Evaluator):
    """Predictions drawn at random, right more often for a higher level."""

    name: ClassVar[str] = "guess"
    metrics: ClassVar[Any] = dict.fromkeys(METRICS, "higher")
    bounds: ClassVar[Any] = dict.fromkeys(METRICS, (0.0, 1.0))

    def evaluate(self, real: Splits, synthetic: Images, ctx: Any) -> Evaluation:
        test, rng = real.tests["test"], ctx.rng("predictions")
        skill = 1.5 * synthetic.pixels[0, 0, 0, 0] / 255
        hard = np.random.default_rng(0).normal(size=len(test))
        positive = 1 / (1 + np.exp(-(skill * (2 * test.labels - 1) + hard + rng.normal(0, 0.5, len(test)))))
        probabilities = np.stack([1 - positive, positive], axis=1)
        predictions = Predictions("test", test.ids, test.groups, test.labels, probabilities)
        values = self.resample({"": predictions}, np.ones((1, len(test)), dtype=np.uint16))
        scores = [Score(metric, float(one[0]), "test", len(test)) for (metric, _), one in values.items()]
        return Evaluation(scores, [predictions])

    def resample(self, variants: Mapping[str, Predictions], weights: Any) -> Mapping[tuple[str, str], Any]:
        answers = variants[""]
        ill = answers.labels == 1
        right = answers.probabilities.argmax(1) == answers.labels
        counts = weights.astype(np.float32) @ np.stack([ill, ~ill, ill & right, ~ill & right], 1).astype(
            np.float32
        )
        n_ill, n_well, hits, passes = counts.T
        recall, specificity = hits / n_ill, passes / n_well
        values = ((hits + passes) / len(right), (recall + specificity) / 2, recall, specificity)
        return {(metric, ""): one for metric, one in zip(METRICS, values, strict=True)}


def benchmark(n: int) -> dict[str, Any]:
    """A benchmark file of n generators."""
    here = f"{Path(__file__).resolve()}"
    generators = [
        {"use": f"{here}:MadeUp", "label": f"g{k:04}", "level": round(255 * k / max(1, n - 1))} for k in range(n)
    ]
    return {
        **{"name": "many", "seeds": SEEDS, "samples": 4, "headline": "guess.balanced_accuracy"},
        **{
            "dataset": {"use": f"{here}:Noise"},
            "generators": generators,
            "evaluators": [{"use": f"{here}:Guess", "label": "guess"}],
        },
    }


def run_one(n: int, folder: Path) -> dict[str, Any]:
    """Run n generators in this process; what it took."""
    os.environ["SYNTHBENCH_CACHE"] = str(folder / "store")
    from synthbench.commands import run as command
    from synthbench.progress import Progress
    from synthbench.results import write

    spent = {"tables": 0.0, "report": 0.0}

    def timed(part: str, module: Any, name: str) -> None:
        function = getattr(module, name)

        def measured(*args: Any, **options: Any) -> Any:
            begun = time.perf_counter()
            try:
                return function(*args, **options)
            finally:
                spent[part] += time.perf_counter() - begun

        setattr(module, name, measured)

    timed("tables", write, "write_results")
    timed("report", command, "report_or_warning")
    (folder / "many.yaml").write_text(yaml.safe_dump(benchmark(n), sort_keys=False), encoding="utf-8")
    begun = time.perf_counter()
    command.run(folder / "many.yaml", out=folder / "run", device="cpu", progress=Progress(False))
    spent |= {"total": time.perf_counter() - begun, "cpu": time.process_time()}
    return {
        **{"generators": n, **{f"{part}_s": seconds for part, seconds in spent.items()}},
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "report_mb": (folder / "run" / "report.html").stat().st_size / 1e6,
    }


def main(sizes: list[int]) -> None:
    """Each size in a process of its own, then the table."""
    print("| generators | total | processor | tables | report | peak memory | report.html | exponent |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|")
    before: dict[str, Any] = {}
    for n in sizes:
        with tempfile.TemporaryDirectory(prefix="synthbench-many-") as folder:
            command = [sys.executable, __file__, "--one", str(n), folder]
            row = json.loads(
                subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
            )
        steps = [math.log(row[key] / before[key]) for key in ("cpu_s", "generators")] if before else []
        cells = [
            f"{row['generators']:,}",
            *(f"{row[f'{part}_s']:.1f} s" for part in ("total", "cpu", "tables", "report")),
        ]
        cells += [f"{row['peak_mb']:,.0f} MB", f"{row['report_mb']:.1f} MB"]
        print("|", " | ".join([*cells, f"{steps[0] / steps[1]:.2f}" if steps else ""]), "|", flush=True)
        before = row


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(run_one(int(sys.argv[2]), Path(sys.argv[3]))))
    else:
        main([int(n) for n in sys.argv[1:]] or [10, 30, 100])
