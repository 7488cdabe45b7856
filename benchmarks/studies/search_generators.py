"""How a generator's options are best chosen: `python benchmarks/studies/search_generators.py GRID --work FOLDER`.

Fits every generator of a grid on the inner split of the real X-rays at 64x64 grey: what the hold-out of
cxr-board.yaml leaves of the training part, a fifth of its patients cut off once more. The small CNN of `tstr`
learns from 1000 of its images, classes balanced, and is scored on those cut off; a seed is another generator and
classifier. Neither the official test set nor the hold-out is looked at. With `--gate` the evaluator `memorisation`
seeks copies, the patients cut off as its hold-out, and `membership`, `c2st` and `kid` score the images as well. A
row takes half a core minute beside its generator's own time, with `--gate` some five.
Rows are written one by one to docs/results/generators/GRID.csv; those that stand there are not measured again, so
that a killed run goes on. The data are looked for as docs/data.md says.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from pydantic import TypeAdapter
from torch import nn

from synthbench import (
    Context,
    Generator,
    GeneratorField,
    Images,
    Labels,
    NestedGenerator,
    Sampler,
    Splits,
    derive_seed,
    grouped_split,
)
from synthbench.api.interfaces import balanced_labels
from synthbench.data.audit import cached_audit
from synthbench.data.holdout import with_holdout
from synthbench.testing import context_in
from synthbench_cxr.plugin import ChestXray
from synthbench_fidelity.evaluators.c2st import C2st
from synthbench_fidelity.evaluators.kid import Kid
from synthbench_fidelity.evaluators.membership import Membership
from synthbench_fidelity.evaluators.memorisation import Memorisation
from synthbench_flow.latent_flow import Codec, fit_latent_flow
from synthbench_flow.plugin import LatentFlow
from synthbench_flow.sampler import FlowSampler
from synthbench_torchkit.classifier import cached_classifier
from synthbench_torchkit.device import torch_device
from synthbench_tstr.metrics import summary
from synthbench_tstr.plugin import Tstr

OUT = Path(__file__).parents[2] / "docs" / "results" / "generators"
IMAGES, SEEDS, HOLDOUT, CUT_OFF = 1000, 3, 0.1, 0.2


class Decoded(LatentFlow):
    """Real training images through the autoencoder of `latent-flow`: what its flow cannot exceed."""

    def fit(self, train: Images, ctx: Context) -> Sampler:
        """Its flow is not used: one step of it will do."""
        fitted = fit_latent_flow(self.model_copy(update={"steps": 1}), train, ctx)
        return DecodedSampler(fitted.drawing, fitted.noises, fitted.codec, train, torch_device(ctx))


@dataclass(frozen=True, eq=False)
class DecodedSampler(FlowSampler):
    """Any training image of the label, encoded and decoded."""

    codec: Codec
    images: Images
    device: torch.device

    @property
    def networks(self) -> Sequence[nn.Module]:
        return [self.codec.model]

    def draw(self, labels: Labels, rng: np.random.Generator) -> npt.NDArray[np.float32]:
        places = np.array([rng.choice(np.flatnonzero(self.images.labels == label)) for label in labels])
        return self.codec.decode(self.codec.encode(self.images, places, self.device))


# `acgan-tuned` after a sixth of its steps, with one thing changed.
SHORT = {"use": "acgan-tuned", "steps": 500, "ema": 0.99, "precision": "bf16"}

AUTOENCODER = {"autoencoder_steps": 2000, "precision": "bf16"}  # as in cxr-board.yaml

POLICIES = ("random", "margin", "coverage", "dqn")
GRIDS: Mapping[str, Mapping[str, object]] = {
    "acgan-tuned": {
        "r1 10": {**SHORT, "r1": 10},
        "r1 .05": {**SHORT, "r1": 0.05},
        "r1 .05, no spectral norm": {**SHORT, "r1": 0.05, "spectral_norm": False},
        "r1 .05, no spectral norm, discriminative": {
            **SHORT,
            "r1": 0.05,
            "spectral_norm": False,
            "conditioning": "discriminative",
        },
        "r1 .05, no spectral norm, auxiliary": {
            **SHORT,
            "r1": 0.05,
            "spectral_norm": False,
            "conditioning": "auxiliary",
        },
        "r1 .05, no spectral norm, no augmentation": {**SHORT, "r1": 0.05, "spectral_norm": False, "augment": []},
        "r1 .05, no spectral norm, unbalanced": {**SHORT, "r1": 0.05, "spectral_norm": False, "balanced": False},
    },
    "pca-flow": {
        "residual": {"use": "pca-flow", "residual": True},
        "no residual": {"use": "pca-flow", "residual": False},
    },
    "latent-flow": {
        "decoded": Decoded(**AUTOENCODER, residual=True),
        "decoded, no residual": Decoded(**AUTOENCODER, residual=False),
        "decoded, 8 latents": Decoded(**AUTOENCODER, residual=False, latents=8),
    },
    "select": {policy: {"use": "select", "base": "pca-gaussian", "policy": policy} for policy in POLICIES},
    "select-smote": {policy: {"use": "select", "base": "smote", "policy": policy} for policy in POLICIES},
    "generators": {
        "pca-gaussian": "pca-gaussian",
        "smote": "smote",
        "smote, 20 neighbours": {"use": "smote", "neighbours": 20},
        "pca-flow": {"use": "pca-flow", "residual": True},
        "pca-flow, 128 components": {"use": "pca-flow", "residual": True, "components": 128},
        "pca-flow, basis class": {"use": "pca-flow", "residual": True, "basis": "class"},
        "real": "balanced-resample",
        "noise": "noise",
    },
}
"""By grid: a name for each generator, and the generator, or how a benchmark file writes it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("grid", choices=sorted(GRIDS))
    parser.add_argument("--work", type=Path, required=True, help="a folder for what is trained")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"runs of each generator (default {SEEDS})")
    parser.add_argument("--only", nargs="*", help="names in the grid (default all)")
    parser.add_argument("--gate", action="store_true", help="score the images themselves as well")
    parser.add_argument("--out", type=Path, default=OUT, help="where GRID.csv goes")
    arguments = parser.parse_args()
    ctx = context_in(arguments.work)
    real = inner_split(ctx)
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / f"{arguments.grid}.csv"
    rows = pd.read_csv(file).to_dict("records") if file.is_file() else []
    for seed in range(arguments.seeds):
        for name, written in GRIDS[arguments.grid].items():
            known = any((row["generator"], row["seed"]) == (name, seed) for row in rows)
            if known or name not in (arguments.only or [name]):
                continue
            plugin = written if isinstance(written, Generator) else generator(written)
            own = replace(ctx.child("search", seed), workdir=arguments.work / f"{name} {seed}")
            row = {"generator": name, "seed": seed, **measure(plugin, real, own, gate=arguments.gate)}
            rows.append(row)
            print(row, flush=True)
            pd.DataFrame(rows).to_csv(file, index=False, float_format="%.6f", lineterminator="\n")


def inner_split(ctx: Context) -> Splits:
    """To train on and, as hold-out, to test on; no test set."""
    splits = ChestXray(image_size=64, channels=1, antialias=False).load(ctx)
    audit = cached_audit(splits, ctx.store, ctx.progress)
    train = with_holdout(splits, audit, HOLDOUT, derive_seed(0, "holdout"))[0].train  # as in a run of cxr-board
    out = grouped_split(train, CUT_OFF, np.random.default_rng(0))
    return Splits(train.subset(~out), {}, holdout=train.subset(out), positive=splits.positive)


def generator(written: object) -> Generator:
    """As a benchmark file names one within another."""
    return TypeAdapter[NestedGenerator](GeneratorField).validate_python(written).plugin


def measure(plugin: Generator, real: Splits, ctx: Context, *, gate: bool) -> dict[str, object]:
    """The scores of one generator under the seed of `ctx`, and the processor's seconds that it took itself."""
    resume = ctx.workdir / "resume"
    resume.mkdir(parents=True, exist_ok=True)
    cpu = time.process_time()
    sampler = plugin.fit(real.train, replace(ctx, resume=resume))
    labels = balanced_labels(IMAGES, len(real.train.classes))
    drawn = sampler(labels, ctx.rng("draw"))
    images = drawn if isinstance(drawn, Images) else Images(drawn, labels, real.train.classes)
    cpu = time.process_time() - cpu
    assert real.holdout is not None
    assert real.positive_index is not None
    classifier = cached_classifier(images, Tstr(backbone="cnn").recipe, ctx.child("classifier"))
    scores = summary(real.holdout.labels, classifier.predict(real.holdout, ctx), real.positive_index)
    row = {"images": len(images), "auroc": scores["auroc"], "balanced_accuracy": scores["balanced_accuracy"]}
    if gate:
        for evaluator in (Memorisation(), C2st(), Membership(), Kid()):
            found = evaluator.evaluate(real, images, ctx).scores
            row |= {score.metric.partition("[")[0]: score.value for score in found if not score.variant}
    return {**row, "cpu_s": round(cpu, 1)}


if __name__ == "__main__":
    main()
