"""Plugins whose answers can be resampled, without torch: for tests of finished runs. Named judged.py:Class."""

from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from synthbench import Dataset, Evaluation, Evaluator, Generator, Images, Predictions, Score, Splits

HERE = Path(__file__).parent


def called(what):
    with (HERE / "calls.txt").open("a") as file:
        file.write(f"{what}\n")


class Dots(Dataset):
    """16x16 noise about two grey levels that overlap, two a patient."""

    name: ClassVar[str] = "dots"
    shift: int = Field(0, description="grey levels added to the test images")
    root: Path | None = None

    def load(self, ctx):
        called("load")
        return Splits(self.make(40, 0), {"test": self.make(120, 1)}, domain="dots", positive="LIGHT")

    def make(self, n, part):
        rng = np.random.default_rng(part)
        labels = np.arange(n, dtype=np.int64) // 2 % 2
        levels = 100 + 40 * labels + rng.normal(0, 15, n) + self.shift * part
        pixels = (levels.reshape(-1, 1, 1, 1) + rng.normal(0, 30, (n, 16, 16, 1))).clip(0, 255)
        ids = np.array([f"{'ab'[part]}/{k:03d}.png" for k in range(n)])
        groups = np.array([f"{part}-{k // 2}" for k in range(n)])
        return Images(pixels.astype(np.uint8), labels, ("DARK", "LIGHT"), ids, groups)


class Levels(Generator):
    """The class means, `offset` beside them: the further, the worse a threshold between its images."""

    name: ClassVar[str] = "levels"
    offset: float = 0.0
    spoil: float = Field(0.0, description="spread of a further offset that the seed decides")

    def fit(self, train, ctx):
        means = np.array([train.pixels[train.labels == k].mean() for k in (0, 1)])
        means += self.offset + ctx.rng("spoil").normal(0, self.spoil)
        (ctx.workdir / "losses.csv").write_text("step,d_tag,g_tag\n0,0.5,0.25\n100,0.125,1.5\n")
        (ctx.workdir / "generator.safetensors").write_bytes(b"weights")
        ctx.log.info("reading %s", Path(__file__))
        return lambda labels, rng: (
            (means[labels].reshape(-1, 1, 1, 1) + rng.normal(0, 1, (len(labels), *train.shape)))
            .clip(0, 255)
            .astype(np.uint8)
        )


class Copier(Levels):
    """A ceiling that hands out training images."""

    name: ClassVar[str] = "copier"
    role: ClassVar[str] = "ceiling"


class Broken(Generator):
    """Raises, with a path in the message."""

    name: ClassVar[str] = "broken"

    def fit(self, train, ctx):
        raise RuntimeError(f"cannot read {HERE / 'nothing here.npy'}")


class Judge(Evaluator):
    """A threshold half way between the classes' synthetic means, asked about the test images."""

    name: ClassVar[str] = "judge"
    metrics: ClassVar = {"accuracy": "higher", "gap": "lower", "doubt": "lower"}
    bounds: ClassVar = {"accuracy": (0.0, 1.0)}
    seeds: int = 1
    slope: float = 0.1

    def evaluate(self, real, synthetic, ctx):
        called("evaluate")
        test = real.tests["test"]
        means = [synthetic.pixels[synthetic.labels == k].mean() for k in (0, 1)]
        scores, answers = [], []
        for number in range(self.seeds):
            cut = np.mean(means) + ctx.rng(number).normal(0, 2)
            light = 1 / (1 + np.exp(-self.slope * (test.pixels.mean(axis=(1, 2, 3)) - cut)))
            given = Predictions(
                "test", test.ids, test.groups, test.labels, np.stack([1 - light, light], 1), number
            )
            answers.append(given)
            about = {"test_set": "test", "n": len(test), "classifier_seed": number}
            values = self.resample({"": given}, np.ones((1, len(test)), int))
            scores += [Score(metric, float(value[0]), **about) for (metric, _), value in values.items()]
        gap = abs(float(np.mean(means)) - float(test.pixels.mean()))
        scores.append(Score("gap", gap, "test", len(test), low=gap - 1, high=gap + 2))
        return Evaluation(scores, answers)

    def resample(self, answers, weights):
        found = {}
        for variant, p in answers.items():
            right = p.probabilities.argmax(1) == p.labels
            doubt = 1 - np.abs(p.probabilities[:, 1] - 0.5) * 2
            found["accuracy", variant] = weights @ right / weights.sum(1)
            found["doubt", variant] = weights @ doubt / weights.sum(1)
        return found
