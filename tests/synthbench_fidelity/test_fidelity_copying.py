"""`memorisation`: a copier is flagged, new real images are not, at the rate it states.

Most of it with the statistical gate `alone`; which pictures are recognised is in test_fidelity_pictures.py.
"""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from synthbench.api.depth import to_eight_bit
from synthbench.api.extractors import build_extractor
from synthbench.api.imaging import resize_square
from synthbench.data.audit.copies import Copies as FoundCopies
from synthbench.testing import context_in
from synthbench.types import Images, Splits
from synthbench_fidelity.evaluators.memorisation import one_of_each
from synthbench_fidelity.gallery import closest_grid
from synthbench_fidelity.plugin import Memorisation
from synthbench_phantom.plugin import Phantom
from tests.helpers.places import HELPERS, REAL_DATA

from .conftest import pictures

XRAYS = REAL_DATA / "chest_xray" / "train"


@pytest.fixture
def plugin(pooled):
    return Memorisation(extractor=pooled)


@pytest.fixture
def eight():
    """8 x 8 mean grey levels."""
    return build_extractor({"use": f"{HELPERS / 'pooled.py'}:Pooled", "cells": 8})


@pytest.fixture
def alone(monkeypatch):
    """No picture is recognised, but by equal pixels."""
    places, distances, views = np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.str_)
    nothing = FoundCopies(places, places, distances, views)
    monkeypatch.setattr("synthbench.find_copies", lambda *_: nothing)


def noisy(images, sd=5):
    """The same with noise of so many grey levels: no exact copies any more."""
    pixels = images.pixels + np.random.default_rng(1).normal(0, sd, images.pixels.shape)
    return replace(images, pixels=np.clip(pixels, 0, 255).astype(np.uint8))


def scores(plugin, real, synthetic, ctx):
    return {(s.metric.partition("[")[0], s.variant): s for s in plugin.evaluate(real, synthetic, ctx).scores}


def verdicts(plugin, real, ctx, **sets):
    return {name: scores(plugin, real, images, ctx)["copying", ""].value for name, images in sets.items()}


def test_a_copier_is_flagged_and_new_images_are_not(plugin, real, alike, copier, ctx):
    good, bad = (scores(plugin, real, images, ctx) for images in (alike, copier))
    assert {(kind, variant) for kind, variant in good} == {
        (metric.partition("[")[0], variant) for metric in plugin.metrics for variant in ("", "PLAIN", "BLOB")
    }
    assert [good["copying", v].value for v in ("", "PLAIN", "BLOB")] == [0, 0, 0]
    assert [bad["copying", v].value for v in ("", "PLAIN", "BLOB")] == [1, 1, 1]
    assert bad["exact_copies", ""].value == bad["verified_copies", ""].value == bad["near_copies", ""].value == 1
    assert bad["copying", ""].note == "copies the training images (120 of 120 different images)"
    assert bad["verified_copies", ""].note.endswith("120 of 120 show a real image: 120 of the training images")
    assert good["verified_copies", ""].note.endswith("0 of 120 show a real image")
    assert bad["exact_copies", ""].note.endswith("120 of 120 of the same pixels")
    assert good["exact_copies", ""].value == 0
    assert good["near_copies", ""].value < 0.1
    assert bad["ct", ""].value < -3 < good["ct", ""].value
    assert bad["nearest_ratio", ""].value < good["nearest_ratio", ""].value
    assert good["nearest_ratio", ""].low < 1 < good["nearest_ratio", ""].high


def test_what_lies_nearer_than_new_images_is_caught_though_no_picture_is_recognised(
    plugin, real, alike, copier, alone, ctx
):
    some = np.random.default_rng(1).random(120)[:, None, None, None] < 0.2
    sets = {
        "noisy": noisy(copier),
        "fifth": replace(alike, pixels=np.where(some, noisy(copier).pixels, alike.pixels)),
    }
    assert verdicts(plugin, real, ctx, **sets) == {"noisy": 1, "fifth": 1}
    found = scores(plugin, real, sets["noisy"], ctx)
    assert found["exact_copies", ""].value == found["verified_copies", ""].value == 0
    assert found["copying", ""].note.startswith("near copies of the training images, p = ")


def test_a_collapsed_generator_near_one_training_image_is_not_flagged(plugin, real, alone, ctx):
    """All of its images lie near that one: a single piece of evidence, however many there are."""
    one = noisy(real.train.subset(np.zeros(120, np.int64)))
    found = scores(plugin, real, replace(one, labels=np.arange(120) % 2), ctx)
    assert found["near_copies", ""].value == 1
    assert found["copying", ""].value == 0


def test_an_image_that_is_drawn_many_times_is_one_draw(plugin, real, alike, alone, ctx):
    """Else a collapsed generator is called a copier as soon as one image of its few lies near a training image."""
    once = scores(plugin, real, alike, ctx)
    often = scores(plugin, real, alike.subset(np.repeat(np.arange(len(alike)), 20)), ctx)
    for kind in ("copying", "near_copies"):
        for variant in ("", "PLAIN", "BLOB"):
            assert often[kind, variant].value == once[kind, variant].value
            reasons = [found[kind, variant].note.rpartition("; ")[2] for found in (often, once)]  # N apart
            assert reasons[0] == reasons[1] != ""


def test_copies_under_the_wrong_label_are_caught(plugin, real, copier, alone, ctx):
    wrong = noisy(replace(copier, labels=1 - copier.labels))
    assert verdicts(plugin, real, ctx, wrong=wrong) == {"wrong": 1}


def test_one_class_that_copies_is_enough(plugin, real, alike, copier, alone, ctx):
    pixels = np.concatenate([alike.pixels[alike.labels == 0], noisy(copier).pixels[copier.labels == 1]])
    labels = np.repeat([0, 1], [(alike.labels == 0).sum(), (copier.labels == 1).sum()])
    found = scores(plugin, real, Images(pixels, labels, alike.classes), ctx)
    assert [found["copying", v].value for v in ("", "PLAIN", "BLOB")] == [1, 0, 1]


@pytest.mark.full
def test_false_alarms_are_as_rare_as_stated(pooled, alone, tmp_path):
    """60 benchmarks with an honest generator at 10 %: 14 is the 99.9 % quantile. Of 1600 once 150 were flagged."""
    plugin = Memorisation(extractor=pooled, near=0.1, false_alarm=0.1)
    ctx = context_in(tmp_path)
    flagged = 0
    for k in range(60):
        real = Splits(pictures(60, 10 + 3 * k, each=2), {}, holdout=pictures(60, 11 + 3 * k, each=2))
        flagged += verdicts(plugin, real, ctx, honest=pictures(40, 12 + 3 * k))["honest"]
    assert flagged <= 14


def test_without_a_holdout_the_cells_say_so(plugin, without_holdout, alike, copier, alone, ctx):
    found = scores(plugin, without_holdout, alike, ctx)
    for kind in ("copying", "near_copies", "nearest_ratio", "ct"):
        assert np.isnan(found[kind, ""].value)
        assert found[kind, ""].note == "no hold-out"
    copies = scores(plugin, without_holdout, copier, ctx)
    assert copies["exact_copies", ""].value == copies["copying", ""].value == 1


def test_a_holdout_too_small_for_the_rate_says_how_many_it_takes(plugin, real, alike, alone, ctx):
    holdout = real.holdout.subset(np.arange(60))
    found = scores(plugin, replace(real, holdout=holdout), alike, ctx)
    assert found["copying", ""].note == "too few: 15 hold-out patients of PLAIN (49 needed)"


def test_the_verdict_gates_the_board(plugin):
    assert plugin.gates == {"copying"} <= set(plugin.metrics)


def test_the_closest_pairs_are_shown(plugin, real, copier, alone, ctx):
    plugin.evaluate(real, copier, ctx)
    picture = np.asarray(Image.open(ctx.workdir / "closest-pairs.png"))
    assert picture.shape == (2 * (2 * 16 + 2), 8 * 16)
    np.testing.assert_array_equal(picture[:16], picture[16:32])
    lines = (ctx.workdir / "closest-pairs.csv").read_text().splitlines()
    assert len(lines) == 17
    assert all(line.split(",")[0] == line.split(",")[1] and line.endswith(",0") for line in lines[1:])


def test_the_grid_has_the_synthetic_image_above():
    grid = closest_grid(np.full((3, 4, 4, 1), 200, np.uint8), np.full((3, 4, 4, 1), 50, np.uint8))
    assert grid.shape == (10, 32, 1)
    assert (grid[:4, :12] == 200).all()
    assert (grid[4:8, :12] == 50).all()
    assert (grid[8:] == 255).all()
    assert (grid[:8, 12:] == 0).all()


def test_one_image_of_each_patient():
    groups = np.array(["a", "a", "b", "c", "c", "c"])
    rng = np.random.default_rng(0)
    draws = [one_of_each(groups, rng) for _ in range(50)]
    assert all(sorted(groups[d]) == ["a", "b", "c"] for d in draws)
    assert {int(i) for d in draws for i in d} == set(range(6))


def split(images, holdout, new, seed=0):
    """Train, hold-out and new images of so many patients."""
    order = np.random.default_rng(seed).permutation(np.unique(images.groups))
    parts = np.split(order, [holdout, holdout + new])
    held, fresh, train = (images.subset(np.isin(images.groups, part)) for part in parts)
    return Splits(train, {}, holdout=held), fresh


@pytest.mark.full
def test_on_the_phantom(pooled, alone, ctx):
    images = Phantom(image_size=32, train_images=450, test_images=10).load(ctx).train
    real, fresh = split(images, 60, 40)
    copies = noisy(real.train.subset(np.arange(0, len(real.train), 4)))
    found = verdicts(Memorisation(extractor=pooled, near=0.05), real, ctx, new=fresh, resample=copies)
    assert found == {"new": 0, "resample": 1}


def xray(file):
    return resize_square(to_eight_bit(Image.open(file), 1), 64, "squash", antialias=True)


@pytest.mark.full
@pytest.mark.skipif(not XRAYS.is_dir(), reason="the real X-rays are not here")
def test_on_real_xrays(eight, ctx):
    """One image of each patient, so that any cut is one by patient."""
    names = ("NORMAL", "PNEUMONIA")
    files = {name: sorted((XRAYS / name).glob("*.jpeg")) for name in names}
    patients = {name: {"-".join(f.stem.split("-")[:3]).split("_")[0]: f for f in files[name]} for name in names}
    chosen = [(label, file) for label, name in enumerate(names) for file in list(patients[name].values())[:120]]
    pixels = np.stack([xray(file) for _, file in chosen])
    labels = np.array([label for label, _ in chosen], dtype=np.int64)
    images = Images(pixels, labels, names, np.array([file.name for _, file in chosen]))
    real, fresh = split(images, 110, 40)
    copies = real.train.subset(np.arange(0, len(real.train), 2))
    plugin = Memorisation(extractor=eight, near=0.03)
    assert verdicts(plugin, real, ctx, new=fresh, resample=copies) == {"new": 0, "resample": 1}
