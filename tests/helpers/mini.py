"""Plugins without torch for the tests of the core: copied into a temporary folder, named mini.py:Class there.

Each call of a generator's fit, a sampler or an evaluator is a line in calls.txt beside this file. A file
"<name>.raise" there interrupts the generator of that name.
"""

import time
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from synthbench import (
    Dataset,
    Evaluation,
    Evaluator,
    Generator,
    Images,
    Predictions,
    Quarantined,
    Score,
    Skipped,
    Splits,
)

HERE = Path(__file__).parent


def called(what):
    with (HERE / "calls.txt").open("a") as file:
        file.write(f"{what}\n")


class Squares(Dataset):
    """16x16 noise around one grey level a class."""

    name: ClassVar[str] = "squares"
    n: int = 20
    shift: int = Field(0, description="grey levels added to the test images")
    size: int = 16
    classes: tuple[str, ...] = ("DARK", "LIGHT")
    extra_test: str = ""
    empty: bool = False
    testless: bool = False
    positive: str | None = "LIGHT"

    def load(self, ctx):
        called("load")
        tests = {"test": self.make(8, 1), **({self.extra_test: self.make(6, 2)} if self.extra_test else {})}
        return Splits(
            self.make(0 if self.empty else self.n, 0),
            {} if self.testless else tests,
            quarantine=(Quarantined("DARK/broken.png", "cut short"),),
            domain="squares",
            positive=self.positive if self.positive in self.classes else None,
        )

    def make(self, n, part):
        labels = np.arange(n, dtype=np.int64) * 3 % 4 // 2
        noise = np.random.default_rng(part).normal(0, 10, (n, self.size, self.size, 1))
        levels = 80 + 60 * labels.reshape(-1, 1, 1, 1) + self.shift * (part > 0)
        return Images(np.clip(levels + noise, 0, 255).astype(np.uint8), labels, self.classes)


class MeanNoise(Generator):
    """The class means and noise."""

    name: ClassVar[str] = "mean-noise"
    sigma: float = 10.0
    offset: int = 0

    def fit(self, train, ctx):
        called(f"fit {self.sigma:g} {self.offset}")
        if (HERE / f"{self.name}.raise").exists():
            raise KeyboardInterrupt
        means = np.stack([train.pixels[train.labels == k].mean(0) for k in range(len(train.classes))])
        (ctx.workdir / "means.txt").write_text(f"{means.mean():.3f} {ctx.seed}")
        ctx.log.info("fitted")
        with ctx.progress.bar("fitting", 3) as bar:
            bar.advance(3)
        return lambda labels, rng: np.clip(
            means[labels] + self.offset + rng.normal(0, self.sigma, (len(labels), *train.shape)), 0, 255
        ).astype(np.uint8)


class Resuming(Generator):
    """Leaves a checkpoint and does not train again over it."""

    name: ClassVar[str] = "resuming"
    level: int = 90

    def fit(self, train, ctx):
        checkpoint = ctx.resume / "done.txt"
        if not checkpoint.exists():
            called("train")
            checkpoint.write_text("x")
        return lambda labels, rng: np.full((len(labels), *train.shape), self.level, np.uint8)


class Noted(Generator):
    """Notes each training and each draw."""

    name: ClassVar[str] = "noted"
    level: int = Field(90, ge=0)
    file: Path | None = None

    def fit(self, train, ctx):
        checkpoint = ctx.resume / "done.txt"
        if not checkpoint.exists():
            called(f"train {ctx.seed_index}")
            time.sleep(0.1)  # so that its cost is told from that of reading the checkpoint
            checkpoint.write_text("x")

        def draw(labels, rng):
            called(f"draw {len(labels)}")
            levels = self.level + 60 * labels.reshape(-1, 1, 1, 1)
            return np.clip(levels + rng.normal(0, 10, (len(labels), *train.shape)), 0, 255).astype(np.uint8)

        return draw


class Growing(Generator):
    """Comes nearer to the mean with every step, and goes on from where a shorter training ended."""

    name: ClassVar[str] = "growing"
    duration: ClassVar[str] = "steps"
    steps: int = Field(4, ge=1)
    start: int = 60

    def fit(self, train, ctx):
        checkpoint = ctx.resume / "steps.txt"
        done = int(checkpoint.read_text()) if checkpoint.exists() else 0
        done = done if done <= self.steps else 0
        for step in range(done, self.steps):
            called(f"step {step}")
            time.sleep(0.02)  # so that its cost is told from that of other lengths
        checkpoint.write_text(str(self.steps))
        (ctx.workdir / "seed.txt").write_text(str(ctx.seed))
        level = round(float(train.pixels.mean())) - self.start + 10 * self.steps
        return lambda labels, rng: np.full((len(labels), *train.shape), level, np.uint8)


class Floor(MeanNoise):
    """Far off."""

    name: ClassVar[str] = "mini-floor"
    role: ClassVar[str] = "floor"
    offset: int = 60


class Ceiling(MeanNoise):
    """Spot on."""

    name: ClassVar[str] = "mini-ceiling"
    role: ClassVar[str] = "ceiling"
    sigma: float = 9.0


class Prior(MeanNoise):
    """Asks for the training prior."""

    name: ClassVar[str] = "mini-prior"
    prior: ClassVar[str] = "train"


class ByClass(MeanNoise):
    """Draws class by class, whatever the order of the labels."""

    name: ClassVar[str] = "by-class"

    def fit(self, train, ctx):
        sampler = super().fit(train, ctx)
        return lambda labels, rng: sampler(np.sort(labels), rng)


class Failing(Generator):
    """Raises."""

    name: ClassVar[str] = "failing"

    def fit(self, train, ctx):
        called("fit failing")
        (ctx.workdir / "half.txt").write_text("half a training")
        raise RuntimeError("loss is NaN")


class Flaky(MeanNoise):
    """Fails under the seed that stands in flaky.txt."""

    name: ClassVar[str] = "flaky"

    def fit(self, train, ctx):
        if (HERE / "flaky.txt").read_text() == str(ctx.seed):
            raise RuntimeError("bad luck")
        return super().fit(train, ctx)


class Skipping(Generator):
    """Does not apply."""

    name: ClassVar[str] = "skipping"

    def fit(self, train, ctx):
        raise Skipped("needs 3 channels")


class Odd(Generator):
    """Returns something that is not what was asked for."""

    name: ClassVar[str] = "odd"
    how: str

    def fit(self, train, ctx):
        def sampler(labels, rng):
            pixels = np.zeros((len(labels), *train.shape), np.uint8)
            return {
                "float": pixels / 255,
                "shape": pixels[:, ::2],
                "count": pixels[1:],
                "list": pixels.tolist(),
                "labels": Images(pixels, 1 - labels, train.classes),
                "classes": Images(pixels, labels, ("A", "B")),
            }[self.how]

        return sampler


class Distance(Evaluator):
    """Distance of the mean grey level from the test images', and its closeness."""

    name: ClassVar[str] = "distance"
    metrics: ClassVar = {"gap": "lower", "closeness": "higher"}
    digits: int = Field(6, description="gap is rounded to so many digits")
    undefined_above: float = 1e9

    def evaluate(self, real, synthetic, ctx):
        called(f"evaluate {synthetic.ids[0]}")
        scores = []
        for name, images in {"test": real.tests["test"], **real.tests, "train": real.train}.items():
            gap = round(abs(float(synthetic.pixels.mean()) - float(images.pixels.mean())), self.digits)
            known = gap < self.undefined_above
            about = {
                "test_set": name,
                "n": np.int64(len(images)),
                "seen": "generator" if name == "train" else "",
                "note": "" if known else "too far, nothing to compare",
            }
            scores.append(Score("gap", gap if known else float("nan"), **about))
            scores.append(Score("closeness", 1 / (1 + gap) if known else float("nan"), **about))
        test = real.tests["test"]
        even = np.full((len(test), len(test.classes)), 1 / len(test.classes))
        return Evaluation(scores, [Predictions("test", test.ids, test.groups, test.labels, even)])


class Twice(Evaluator):
    """Two classifier seeds a trial."""

    name: ClassVar[str] = "twice"
    metrics: ClassVar = {"value": "higher"}

    def evaluate(self, real, synthetic, ctx):
        base = float(synthetic.pixels.mean())
        return Evaluation(
            [Score("value", base + k, "test", len(real.tests["test"]), classifier_seed=k) for k in (0, 2)]
        )


class Untrue(Evaluator):
    """Declares more than it delivers."""

    name: ClassVar[str] = "untrue"
    metrics: ClassVar = {"fid": "lower", "kid": "lower"}

    def evaluate(self, real, synthetic, ctx):
        return Evaluation([Score("fid", 1.0, "test", len(real.tests["test"]))])


class Picky(Evaluator):
    """Skips small sets."""

    name: ClassVar[str] = "picky"
    metrics: ClassVar = {"value": "higher"}

    def evaluate(self, real, synthetic, ctx):
        raise Skipped(f"{len(synthetic)} images are too few")
