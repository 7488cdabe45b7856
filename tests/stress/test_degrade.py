"""Degradations: strength 0 is the images themselves, more strength is more of the same, nothing else changes."""

import numpy as np
import pytest

from synthbench.stress.degrade import AMOUNTS, amount, degradations
from synthbench.types import Images


def radiographs(n=60, channels=1, classes=("A", "B"), seed=0, side=32, name="s"):
    """Smooth blobs in grey noise, two thirds of the first class."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    centres = rng.uniform(0.2, 0.8, (n, 2, 1, 1))
    blobs = 60 + 120 * np.exp(-30 * ((y - centres[:, 0]) ** 2 + (x - centres[:, 1]) ** 2))
    pixels = np.clip(blobs[..., None] + rng.normal(0, 4, (n, side, side, channels)), 0, 255).astype(np.uint8)
    labels = (np.arange(n) % 3 == 2).astype(np.int64)
    ids = np.array([f"{name}{i}" for i in range(n)])
    return Images(pixels, labels, classes, ids, np.array([f"{name}p{i // 2}" for i in range(n)]))


TRAIN = radiographs(90, seed=1, name="t")
ALL = {one.name: one for one in degradations(TRAIN)}
PIXELS = ["noise", "blur", "jpeg", "down-up", "brightness"]
STRENGTHS = [0.25, 0.5, 1.0]


def moved(images, other):
    """How far the pixels are apart, mean over all."""
    return np.abs(images.pixels.astype(int) - other.pixels.astype(int)).mean()


@pytest.mark.parametrize("name", ALL)
def test_strength_0_is_the_images_themselves(name):
    images = radiographs()
    assert ALL[name](images, 0.0, seed=3) is images


def test_every_degradation_has_its_unit():
    assert list(AMOUNTS) == list(ALL)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_no_strength_beyond_0_to_1(strength):
    with pytest.raises(ValueError, match="noise: the strength must be 0 to 1"):
        ALL["noise"](radiographs(), strength, seed=0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ALL)
def test_as_many_images_of_the_same_kind_and_the_input_is_left_alone(name, channels):
    images, train = radiographs(channels=channels), radiographs(90, channels=channels, seed=1)
    images.pixels.flags.writeable = images.labels.flags.writeable = False
    before = images.digest
    for strength in STRENGTHS:
        made = {one.name: one for one in degradations(train)}[name](images, strength, seed=3)
        assert (len(made), made.shape, made.classes) == (len(images), images.shape, images.classes)
        assert made.digest != before
    del images.__dict__["digest"]
    assert images.digest == before


@pytest.mark.parametrize("name", ALL)
def test_the_seed_decides(name):
    images = radiographs()
    assert ALL[name](images, 0.5, seed=3).digest == ALL[name](images, 0.5, seed=3).digest


@pytest.mark.parametrize("name", PIXELS)
def test_pixels_move_further_with_the_strength_and_nothing_else_changes(name):
    images = radiographs()
    made = [ALL[name](images, strength, seed=3) for strength in STRENGTHS]
    distances = [moved(images, one) for one in made]
    assert distances == sorted(distances)
    assert distances[0] > 0
    for one in made:
        assert one.labels.tolist() == images.labels.tolist()
        assert one.ids.tolist() == images.ids.tolist()
        assert one.groups.tolist() == images.groups.tolist()


def test_noise_has_the_stated_spread():
    grey = Images(np.full((4, 64, 64, 1), 128, np.uint8), np.zeros(4, np.int64), ("A",))
    spread = ALL["noise"](grey, 0.25, seed=0).pixels.astype(float).std()
    assert spread == pytest.approx(16, rel=0.02)
    assert amount("noise", 0.25) == "sd 16 grey levels"


def test_noise_is_one_pattern_that_grows():
    grey = Images(np.full((4, 32, 32, 1), 128, np.uint8), np.zeros(4, np.int64), ("A",))
    weak, strong = (ALL["noise"](grey, s, seed=0).pixels.astype(float).ravel() - 128 for s in (0.2, 0.4))
    assert np.corrcoef(weak, strong)[0, 1] > 0.99


def test_blur_has_the_stated_width():
    """A point spreads to a Gaussian: sd 1/16 of 64 pixels at half strength is 2 pixels."""
    point = np.zeros((1, 64, 64, 1), np.uint8)
    point[0, 30:34, 30:34] = 255
    made = ALL["blur"](Images(point, np.zeros(1, np.int64), ("A",)), 0.5, seed=0).pixels[0, :, :, 0].astype(float)
    x = np.arange(64) - 31.5
    variance = (made.sum(0) * x**2).sum() / made.sum()
    assert variance == pytest.approx(2**2 + 15 / 12, rel=0.05)  # the 4 pixels' own variance is (16 - 1) / 12


def test_brightness_is_a_shift_that_stops_at_white():
    images = radiographs()
    made = ALL["brightness"](images, 1.0, seed=0)
    assert np.array_equal(made.pixels, np.minimum(images.pixels.astype(int) + 64, 255))


def test_jpeg_qualities():
    assert [amount("jpeg", s) for s in (0.5, 1.0)] == ["quality 50", "quality 5"]


def test_down_up_keeps_a_constant_and_loses_a_checkerboard():
    board = (np.indices((32, 32)).sum(0) % 2 * 200).astype(np.uint8)
    pixels = np.stack([np.full((32, 32), 77, np.uint8), board])[..., None]
    made = ALL["down-up"](Images(pixels, np.zeros(2, np.int64), ("A",)), 1.0, seed=0)
    assert (made.pixels[0] == 77).all()
    assert made.pixels[1].std() < 2


def test_label_noise_leaves_pixels_alone_and_nests():
    images = radiographs(600)
    changed = [ALL["label-noise"](images, s, seed=3).labels != images.labels for s in STRENGTHS]
    assert [round(c.mean(), 1) for c in changed] == [0.1, 0.2, 0.5]  # half of the new labels are the old ones
    assert (changed[0] <= changed[1]).all()
    assert (changed[1] <= changed[2]).all()
    assert moved(images, ALL["label-noise"](images, 1.0, seed=3)) == 0


def test_all_labels_random_say_nothing():
    images = radiographs(3000, side=4)
    made = ALL["label-noise"](images, 1.0, seed=3)
    assert abs(np.corrcoef(images.labels, made.labels)[0, 1]) < 0.05


def test_dropped_modes_leave_fewer_images_of_the_same_classes():
    images = radiographs(300)
    made = [ALL["drop-modes"](images, s, seed=3) for s in STRENGTHS]
    left = [len(set(one.ids)) for one in made]
    assert 300 > left[0] > left[1] > left[2] > 0
    assert all(one.counts() == images.counts() for one in made)
    kept = [set(one.ids) for one in made]
    assert kept[2] < kept[1] < kept[0], "modes that are gone stay gone"
    assert amount("drop-modes", 1.0) == "100% of the modes of each class but one gone"


@pytest.mark.parametrize("pictures", [3, 5, 8, 40])
@pytest.mark.parametrize("seed", range(5))
def test_of_few_pictures_one_is_left(pictures, seed):
    """Also where many are the same: of as many images, ever fewer pictures, one mode at the end."""
    images = radiographs(40).subset(np.arange(40) % pictures)
    alike = Images(images.pixels, np.zeros(40, np.int64), ("A",))
    made = [ALL["drop-modes"](alike, s, seed=seed) for s in (0.2, 0.6, 1.0)]
    left = [len({image.tobytes() for image in one.pixels}) for one in made]
    assert pictures >= left[0] >= left[1] >= left[2]
    assert left[2] < pictures
    assert left[2] == 1 or pictures == 40


def test_images_of_one_class_are_asked_nothing_about_labels():
    alone = radiographs(30, classes=("A", "B")).subset(np.zeros(30, np.int64))
    assert {one.name for one in degradations(alone)} == ALL.keys() - {"label-noise", "drop-class"}


def test_dropped_modes_are_clusters():
    """Two kinds of images: at full strength what is left is of one kind more often than chance has it."""
    dark, light = np.zeros((1, 16, 16, 1), np.uint8), np.full((1, 16, 16, 1), 200, np.uint8)
    rng = np.random.default_rng(0)
    pixels = np.concatenate([dark + k * 3 for k in range(4)] * 10 + [light + k * 3 for k in range(4)] * 10)
    pixels = (pixels + rng.integers(0, 2, pixels.shape)).astype(np.uint8)
    made = ALL["drop-modes"](Images(pixels, np.zeros(80, np.int64), ("A",)), 1.0, seed=3)
    assert made.pixels.reshape(80, -1).mean(1).std() < 2


def test_the_rarest_class_goes():
    images = radiographs(300)
    counts = [ALL["drop-class"](images, s, seed=3).counts()["B"] for s in STRENGTHS]
    assert counts == [75, 50, 0]


def test_one_class_alone_stays():
    images = Images(np.zeros((4, 8, 8, 1), np.uint8), np.zeros(4, np.int64), ("A",))
    assert ALL["drop-class"](images, 1.0, seed=0) is images


def test_copies_are_training_images_of_the_same_class_under_their_names():
    images = radiographs(60)
    made = {s: ALL["copy-train"](images, s, seed=3) for s in STRENGTHS}
    by_id = {name: k for k, name in enumerate(TRAIN.ids)}
    for strength, one in made.items():
        copied = np.flatnonzero(np.isin(one.ids, TRAIN.ids))
        assert len(copied) == 60 * strength
        source = [by_id[name] for name in one.ids[copied]]
        assert np.array_equal(one.pixels[copied], TRAIN.pixels[source])
        assert one.labels.tolist() == images.labels.tolist()
        assert TRAIN.labels[source].tolist() == images.labels[copied].tolist()
        assert one.groups[copied].tolist() == TRAIN.groups[source].tolist()
        assert len(set(source)) == len(source), "no image twice before all are used"
        rest = np.setdiff1d(np.arange(60), copied)
        assert np.array_equal(one.pixels[rest], images.pixels[rest])


def test_a_class_that_train_lacks_is_not_copied():
    train = TRAIN.subset(TRAIN.labels == 0)
    made = {one.name: one for one in degradations(train)}["copy-train"](radiographs(60), 1.0, seed=3)
    assert np.isin(made.ids, train.ids).sum() == 40
