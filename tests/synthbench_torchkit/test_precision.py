"""bf16: as float32 within its rounding, losses and probabilities in float32, said where hardware has no units."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from synthbench.types import Images
from synthbench_acgan.plugin import ACGAN
from synthbench_acgan.train import Batch, Players, train_step
from synthbench_torchkit import precision
from synthbench_torchkit.classifier import train_classifier
from synthbench_torchkit.recipe import Recipe

RECIPE = Recipe("cnn", "none", 3, 16, 2e-3, 3, 0.2, 0.4, 0.9)


def faint(n: int, seed: int) -> Images:
    """Two classes that a classifier tells apart, but not all of them."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n, dtype=np.int64) % 2
    pixels = rng.normal(120, 30, (n, 16, 16, 1))
    pixels[labels == 1, ::4] += rng.normal(12, 12, (n // 2, 1, 1, 1))
    return Images(pixels.clip(0, 255).astype(np.uint8), labels, ("A", "B"))


def test_a_classifier_in_bf16_answers_as_in_float32_but_for_rounding(ctx):
    train, test = faint(240, 0), faint(300, 1)
    auroc, answers = {}, {}
    for kind in ("float32", "bf16"):
        classifier = train_classifier(train, replace(RECIPE, precision=kind), ctx)
        assert {weight.dtype for weight in classifier.model.parameters()} == {torch.float32}
        answers[kind] = classifier.predict(test, ctx)[:, 1]
        auroc[kind] = roc_auc_score(test.labels, answers[kind])
    assert 0.6 < auroc["float32"] < 0.99
    assert auroc["bf16"] == pytest.approx(auroc["float32"], abs=0.04)
    assert not np.array_equal(answers["bf16"], answers["float32"])
    # in bf16 alone 300 answers would share some tens of values
    assert len(np.unique(answers["bf16"])) > 100


def steps(kind: str, rate: float) -> np.ndarray:
    torch.manual_seed(0)
    options = ACGAN(precision=kind, learning_rate=rate, generator_filters=(32, 16, 16, 8), generator_dense=64)
    players = Players(options, 16, 1, 2)
    random = torch.Generator().manual_seed(1)
    losses = []
    for step in range(3):
        labels = torch.arange(8) % 2
        d_noise, g_noise = (torch.rand(8, 100, generator=random) * 2 - 1 for _ in range(2))
        batch = Batch(torch.rand(8, 1, 16, 16, generator=random), labels, labels.flip(0), d_noise, g_noise)
        torch.manual_seed(step)
        losses.append(train_step(players, batch))
    return np.array(losses)


# At the high rate the discriminator changes so much in its half of a step that the generator's losses against the
# weights before, still in autocast's cache, would be far off.
@pytest.mark.parametrize(("rate", "within"), [(1e-4, 0.01), (1e-3, 0.05)])
def test_an_acgan_in_bf16_steps_as_in_float32(rate, within):
    exact, rounded = steps("float32", rate), steps("bf16", rate)
    assert rounded == pytest.approx(exact, rel=within, abs=within)
    assert not np.array_equal(rounded, exact)
    assert np.abs(exact[0, 2:] - exact[2, 2:]).max() > 2 * within  # they do move


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        ("processor: 0\nflags\t\t: fpu avx2 avx512f avx512_bf16\n", True),
        ("processor: 0\nflags\t\t: fpu avx2 amx_tile amx_bf16\n", True),
        ("Features\t: fp asimd bf16\n", True),
        ("processor: 0\nflags\t\t: fpu avx2 avx512f\n", False),
        ("processor: 0\n", True),  # it does not say
        (None, True),  # not Linux
    ],
)
def test_whether_a_cpu_multiplies_bf16(tmp_path: Path, cpuinfo, expected):
    file = tmp_path / "cpuinfo"
    if cpuinfo is not None:
        file.write_text(cpuinfo)
    assert precision._cpu_has_bf16(file) is expected


@pytest.mark.parametrize(
    ("kind", "units", "lines"), [("bf16", False, 1), ("bf16", True, 0), ("float32", False, 0)]
)
def test_a_processor_without_units_is_named_in_the_log(ctx, monkeypatch, caplog, kind, units, lines):
    monkeypatch.setattr(precision, "_has_bf16", lambda _: units)
    with caplog.at_level(logging.WARNING):
        precision.warn_if_slow(torch.device("cpu"), kind, ctx)
    assert sum("bf16 is emulated" in line for line in caplog.messages) == lines
