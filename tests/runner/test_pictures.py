"""What a run leaves for the report's pictures: real images, and each sample beside its nearest training image."""

import csv

import numpy as np
from PIL import Image

from synthbench.runner.pictures import nearest, save_nearest, save_real
from synthbench.types import Images

CLASSES = ("A", "B", "C")


def images(n, size=32, channels=1, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (n, size, size, channels), dtype=np.uint8)
    return Images(pixels, np.arange(n, dtype=np.int64) % 3, CLASSES)


def test_nearest_is_what_a_loop_over_all_pairs_finds():
    """At 32 x 32 pixels nothing is reduced; more training images than a block holds."""
    samples, train = images(7, seed=1), images(1100)
    index, distance = nearest(samples, train)
    for k in range(7):
        gaps = [
            np.sqrt(np.mean((samples.pixels[k].astype(float) - train.pixels[j].astype(float)) ** 2))
            for j in range(len(train))
        ]
        assert index[k] == int(np.argmin(gaps))
        assert distance[k] == np.float32(min(gaps)) or abs(distance[k] - min(gaps)) < 1e-3


def test_a_copy_is_found_at_distance_nought_whatever_its_class():
    train = images(50, size=48, channels=3)
    order = np.array([40, 3, 17])
    copies = Images(train.pixels[order], (train.labels[order] + 1) % 3, CLASSES)
    index, distance = nearest(copies, train)
    assert index.tolist() == order.tolist()
    assert distance.tolist() == [0.0, 0.0, 0.0]


def test_the_first_of_equally_near_images_counts():
    train = images(4)
    twice = Images(np.concatenate([train.pixels, train.pixels]), np.tile(train.labels, 2), CLASSES)
    assert nearest(train, twice)[0].tolist() == [0, 1, 2, 3]


def test_each_sample_stands_above_its_neighbour(tmp_path):
    samples, train = images(40, seed=1), images(60)
    save_nearest(tmp_path, samples, train)
    with Image.open(tmp_path / "nearest.png") as picture:
        grid = np.asarray(picture)
    assert grid.shape == (6 * 32, 8 * 32)
    with (tmp_path / "nearest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == ["A"] * 8 + ["B"] * 8 + ["C"] * 8
    row = rows[10]  # the third of class B
    tile = grid[2 * 32 : 3 * 32, 2 * 32 : 3 * 32], grid[3 * 32 : 4 * 32, 2 * 32 : 3 * 32]
    assert np.array_equal(tile[0], samples.pixels[samples.ids.tolist().index(row["sample"]), :, :, 0])
    j = train.ids.tolist().index(row["nearest"])
    assert np.array_equal(tile[1], train.pixels[j, :, :, 0])
    assert row["nearest_class"] == CLASSES[train.labels[j]]
    assert float(row["distance"]) == round(
        float(nearest(samples, train)[1][samples.ids.tolist().index(row["sample"])]), 3
    )


def test_a_class_without_samples_leaves_its_rows_black(tmp_path):
    samples = images(9).subset(np.array([0, 3, 6]))
    save_nearest(tmp_path, samples, images(20))
    with Image.open(tmp_path / "nearest.png") as picture:
        grid = np.asarray(picture)
    assert grid[: 2 * 32].any()
    assert not grid[2 * 32 :].any()


def test_real_images_are_laid_out_as_samples_are(tmp_path):
    train = images(30, channels=3)
    save_real(tmp_path, train)
    with Image.open(tmp_path / "data" / "real.png") as picture:
        assert picture.size == (8 * 32, 3 * 32)
        first = np.asarray(picture)[32:64, 32:64]
    assert np.array_equal(first, train.pixels[np.flatnonzero(train.labels == 1)[1]])
