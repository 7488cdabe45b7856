"""Training: it learns what can be learned, stops when it should, repeats itself, and is kept."""

from __future__ import annotations

import csv
import logging
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from synthbench.api.interfaces import Context
from synthbench.errors import DataError, SynthbenchError
from synthbench.types import Images
from synthbench_torchkit import classifier as module
from synthbench_torchkit.classifier import cached_classifier, load_classifier, train_classifier
from synthbench_torchkit.fitting import loss_of, probabilities_of
from synthbench_torchkit.recipe import Recipe

RECIPE = Recipe(
    backbone="cnn",
    weights="none",
    epochs=6,
    batch_size=16,
    learning_rate=2e-3,
    patience=2,
    validation=0.2,
    dropout=0.4,
    bn_momentum=0.9,
)


def striped(n: int, n_classes: int = 2, seed: int = 0) -> Images:
    """Noise; a class's images have stripes of its own direction or width."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(60, 140, (n, 16, 16, 1), dtype=np.uint8)
    labels = np.arange(n, dtype=np.int64) % n_classes
    pixels[labels == 0, ::4] += 100
    pixels[labels == 1, :, ::4] += 100
    pixels[labels == 2, ::2] += 100
    return Images(pixels, labels, tuple("ABC"[:n_classes]))


def accuracy(classifier, images: Images, ctx: Context) -> float:
    return float((classifier.predict(images, ctx).argmax(1) == images.labels).mean())


@pytest.mark.parametrize("n_classes", [2, 3])
def test_learns_a_separable_set(ctx, n_classes):
    classifier = train_classifier(striped(240, n_classes), RECIPE, ctx)
    unseen = striped(90, n_classes, seed=1)
    assert accuracy(classifier, unseen, ctx) > 0.95
    assert classifier.predict(unseen, ctx).sum(1) == pytest.approx(np.ones(90))


def test_does_not_learn_random_labels(ctx):
    images = striped(200)
    shuffled = replace(images, labels=np.random.default_rng(0).permutation(images.labels))
    classifier = train_classifier(shuffled, RECIPE, ctx)
    assert 0.3 < accuracy(classifier, replace(striped(200, seed=1), labels=shuffled.labels), ctx) < 0.7


def test_a_timm_backbone_trains(ctx):
    recipe = replace(RECIPE, backbone="timm:test_resnet", epochs=3)
    classifier = train_classifier(striped(120), recipe, ctx)
    assert classifier.history[-1].train_loss < classifier.history[0].train_loss
    assert classifier.features(striped(4), ctx).shape == (4, classifier.model.head[-1].in_features)


def test_the_same_seed_gives_the_same_classifier_and_leaves_torchs_state_alone(ctx):
    images = striped(60)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (
        train_classifier(images, replace(RECIPE, epochs=2), replace(ctx, seed=seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert first.history == again.history != other.history
    for one, two in zip(first.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, two)


def test_stops_when_the_validation_loss_no_longer_falls_and_keeps_the_best(ctx):
    images = striped(200)
    shuffled = replace(images, labels=np.random.default_rng(0).permutation(images.labels))
    classifier = train_classifier(shuffled, replace(RECIPE, epochs=60), ctx)
    history = classifier.history
    best = min(range(len(history)), key=lambda i: history[i].val_loss)
    assert len(history) == best + 1 + RECIPE.patience < 60
    assert [row.best for row in history] == [i == best for i in range(len(history))]
    held_out = shuffled.subset(classifier.validation)
    chances = classifier.predict(held_out, ctx)[np.arange(len(held_out)), held_out.labels]
    assert -np.log(chances).mean() == pytest.approx(history[best].val_loss, rel=1e-4)


def test_validation_images_are_never_trained_on(ctx, monkeypatch):
    images = striped(100)
    used: list[np.ndarray] = []
    fit = module.fit
    monkeypatch.setattr(module, "fit", lambda *args: (used.append(args[2]), fit(*args))[1])
    classifier = train_classifier(images, replace(RECIPE, epochs=1), ctx)
    assert len(classifier.validation) == 20
    assert not set(used[0]) & set(classifier.validation)


@pytest.mark.full
def test_a_last_batch_of_one_image_is_no_trouble_for_batch_norm(ctx):
    recipe = replace(RECIPE, backbone="vgg16", batch_size=13, epochs=1)
    images = Images(np.zeros((50, 32, 32, 1), np.uint8), np.arange(50) % 2, ("A", "B"))  # 40 = 3 * 13 + 1
    assert len(train_classifier(images, recipe, ctx).history) == 1


def test_a_diverging_loss_says_what_to_do(ctx, monkeypatch):
    monkeypatch.setattr("synthbench_torchkit.fitting.loss_of", lambda logits, _: logits.sum() * math.nan)
    with pytest.raises(SynthbenchError, match=r"diverged in epoch 1 .*lower its learning_rate, now 0.002"):
        train_classifier(striped(40), RECIPE, ctx)


def test_one_class_is_refused(ctx):
    with pytest.raises(DataError, match="two classes or more"):
        train_classifier(Images(np.zeros((9, 16, 16, 1), np.uint8), np.zeros(9, np.int64), ("A",)), RECIPE, ctx)


def test_loss_stays_finite_and_exact_for_extreme_logits():
    labels = torch.tensor([1, 0])
    wrong = loss_of(torch.tensor([[-300.0], [300.0]]), labels)
    assert float(wrong) == pytest.approx(300)
    assert float(loss_of(torch.tensor([[-300.0, 0.0], [300.0, 0.0]]), 1 - labels)) == pytest.approx(300)


def test_probabilities_of_one_logit_are_those_of_two():
    logits = torch.tensor([[-2.0], [0.0], [40.0]])
    two = torch.cat([torch.zeros_like(logits), logits], 1)
    assert torch.allclose(probabilities_of(logits), probabilities_of(two))


def test_cached_once_and_then_read(ctx, monkeypatch):
    images, calls = striped(60), []
    recipe = replace(RECIPE, epochs=2)
    train = module.train_classifier
    monkeypatch.setattr(module, "train_classifier", lambda *args: (calls.append(1), train(*args))[1])
    first = cached_classifier(images, recipe, ctx)
    again = cached_classifier(striped(60), replace(recipe), ctx)
    assert len(calls) == 1
    assert first.history == again.history
    assert np.array_equal(first.predict(images, ctx), again.predict(images, ctx))
    for changed in (replace(recipe, dropout=0.3), recipe):
        cached_classifier(images, changed, replace(ctx, seed=1))
    cached_classifier(striped(60, seed=1), recipe, ctx)
    assert len(calls) == 4


def test_what_is_saved_is_what_was_trained(ctx, tmp_path):
    images = striped(60)
    recipe = replace(RECIPE, epochs=3)
    trained = train_classifier(images, recipe, ctx)
    trained.save(tmp_path)
    loaded = load_classifier(tmp_path, recipe, images, ctx)
    assert loaded.history == trained.history
    assert np.array_equal(loaded.validation, trained.validation)
    assert np.array_equal(loaded.predict(images, ctx), trained.predict(images, ctx))
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "best"]
    assert [row["best"] for row in rows].count("1") == 1


def test_each_epoch_is_logged(ctx, caplog):
    heard = replace(ctx, log=logging.getLogger("test"))
    with caplog.at_level(logging.INFO, logger="test"):
        train_classifier(striped(40), replace(RECIPE, epochs=2), heard)
    assert "cnn epoch 2/2: loss " in caplog.text
