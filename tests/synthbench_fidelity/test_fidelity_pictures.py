"""The first gate of `memorisation`: synthetic images that show a picture of train, the hold-out or a test set."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from synthbench.testing import context_in
from synthbench.types import Images, Splits
from synthbench_fidelity.evaluators.pictures import CopyTest, copied, different, originals
from synthbench_fidelity.plugin import Memorisation
from synthbench_phantom.plugin import Phantom

N = 20


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Phantoms of 48 px: train, a hold-out, a test set, one that repeats training images, and strangers."""
    ctx = context_in(tmp_path_factory.mktemp("phantom"))
    images = Phantom(image_size=48, train_images=140, test_images=30).load(ctx)
    names = np.unique(images.train.groups)
    held, new, train = (
        images.train.subset(np.isin(images.train.groups, some))
        for some in np.split(names, [len(names) // 5, len(names) // 2])
    )
    test = images.tests["test"]
    pixels = np.concatenate([train.pixels[:10], test.pixels[:5]])
    other = Images(pixels, np.concatenate([train.labels[:10], test.labels[:5]]), train.classes)
    return Splits(train, {"test": test, "other": other}, holdout=held), new, ctx


@pytest.fixture(scope="module")
def known(parts):
    real, _, ctx = parts
    return originals(real, ctx)


def test_of_the_originals_a_test_image_that_train_has_is_none(parts, known):
    real, _, _ = parts
    assert known.names == ("train", "holdout", "test", "other")
    counts = np.bincount(known.part, minlength=4).tolist()
    assert counts == [len(real.train), len(real.holdout), 30, 5]
    assert known.held_out.tolist() == [len(real.holdout), 0, 0]


def first(images, change):
    some = images.subset(np.arange(N))
    return replace(some, pixels=np.clip(np.rint(change(some.pixels.astype(float))), 0, 255).astype(np.uint8))


TREATMENTS = {
    "the same": lambda x: x,
    "noisy": lambda x: x + np.random.default_rng(0).normal(0, 5, x.shape),
    "mirrored": lambda x: x[:, :, ::-1],
    "shifted": lambda x: ndimage.shift(x, (0, 2, -2, 0), order=1, mode="nearest"),
    "inverted": lambda x: 255 - x,
    "flatter": lambda x: (x - 128) * 0.7 + 128,
}


def judged(evidence, n):
    return CopyTest.of(evidence, np.arange(n))


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_copies_of_training_images_are_recognised(parts, known, ctx, treatment):
    real, _, _ = parts
    evidence = copied(known, first(real.train, TREATMENTS[treatment]), ctx)
    test = judged(evidence, N)
    assert test.sources == {"train": test.copies}
    assert test.copies >= 0.9 * N
    assert test.exact == (N if treatment == "the same" else 0)
    assert test.p_value < 1e-9


@pytest.mark.parametrize(("part", "text"), [("holdout", "the hold-out"), ("test", "the test set")])
def test_a_copier_of_what_nobody_may_see_is_named(parts, known, ctx, part, text):
    real, _, _ = parts
    test = judged(copied(known, first(real.parts[part], TREATMENTS["mirrored"]), ctx), N)
    assert test.p_value < 1e-9
    assert str(test).startswith(f"copies {text} ({test.copies} of {N} different images)")


def test_strangers_are_no_copies(parts, known, ctx):
    _, new, _ = parts
    evidence = copied(known, new, ctx)
    assert judged(evidence, len(new)).p_value > 0.05
    assert (ctx.workdir / "copies.csv").read_text().splitlines()[0] == "synthetic,part,image,distance,view"


def test_every_verified_pair_is_listed(parts, known, ctx):
    real, _, _ = parts
    copied(known, first(real.train, TREATMENTS["mirrored"]), ctx)
    rows = [line.split(",") for line in (ctx.workdir / "copies.csv").read_text().splitlines()[1:]]
    right = [row for row in rows if row[0] == row[2]]
    assert len(right) >= 0.9 * N
    assert {(row[1], row[4]) for row in right} == {("train", "mirrored")}


def made_up(n, copies=0, exact=0, held_out=(500, 0, 0), pictures=None):
    """Evidence: of n images the first `copies` are copies of training images, the first `exact` of them exact."""
    place = np.arange(n)
    return {
        "pictures": place if pictures is None else pictures,
        "parts": np.array(["train", "test"]),
        "copy_of": np.where(place < copies, 0, -1),
        "exact": place < exact,
        "held_out": np.array(held_out),
    }


@pytest.mark.parametrize(
    ("images", "is_flagged"),
    [
        ({"n": 1000, "copies": 9}, False),  # beyond chance, but below one in a hundred
        ({"n": 1000, "copies": 10}, True),
        ({"n": 200, "copies": 1}, False),
        ({"n": 200, "copies": 4}, True),
        ({"n": 1000, "copies": 3, "exact": 3}, True),
        ({"n": 1000, "copies": 1, "exact": 1}, False),  # as a blank image may be
        ({"n": 1000, "copies": 20, "held_out": (500, 8, 0)}, False),  # where real images pass for copies as well
        ({"n": 1000, "copies": 100, "held_out": (500, 8, 0)}, True),
        ({"n": 1000, "copies": 3, "exact": 3, "held_out": (500, 1, 1)}, False),
        ({"n": 50, "copies": 50, "held_out": (10, 10, 10)}, False),  # a hold-out that is in train
        ({"n": 500, "copies": 500, "exact": 500, "held_out": (0, 0, 0), "pictures": np.zeros(500, int)}, True),
        ({"n": 500, "pictures": np.zeros(500, int)}, False),
        ({"n": 0}, False),
    ],
)
def test_how_many_copies_are_too_many(images, is_flagged):
    assert (judged(made_up(**images), images["n"]).p_value * 3 <= 0.01) == is_flagged


def test_an_image_that_is_drawn_many_times_is_one():
    evidence = made_up(400, copies=200, pictures=np.repeat([0, 1, *range(2, 202)], [100, 100, *[1] * 200]))
    test = judged(evidence, 400)
    assert (test.images, test.copies) == (202, 2)


def test_equal_pixels_are_one_picture():
    pixels = np.zeros((3, 4, 4, 1), np.uint8)
    pixels[1] = 1
    numbers = different(Images(pixels, np.zeros(3, np.int64), ("A",)))
    assert numbers[0] == numbers[2] != numbers[1]


@pytest.mark.full
def test_a_collapsed_copier_is_flagged_with_and_without_a_holdout(parts, pooled, tmp_path):
    real, new, _ = parts
    plugin = Memorisation(extractor=pooled)
    for splits in (real, replace(real, holdout=None, tests={})):
        for always, value in ((real.train.subset(np.zeros(30, int)), 1), (new.subset(np.zeros(30, int)), np.nan)):
            scores = plugin.evaluate(splits, always, context_in(tmp_path)).scores
            (flag,) = (s for s in scores if s.metric == "copying" and not s.variant)
            np.testing.assert_equal(flag.value, value)
    assert flag.note == "no hold-out"
