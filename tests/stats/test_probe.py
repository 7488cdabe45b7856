"""A linear probe tells labels that fit their images from labels that do not."""

import numpy as np
import pytest

from synthbench.stats import check_labels, class_probe
from synthbench.stats.probe import SIDE, _cells


def pictures(labels, seed, contrast=30.0, size=24, channels=1):
    """Noise; class k has a brighter quarter of its own."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(100, 25, (len(labels), size, size, channels))
    half = size // 2
    for i, k in enumerate(labels):
        pixels[i, (k // 2) * half :, (k % 2) * half :][:half, :half] += contrast
    return pixels.clip(0, 255).astype(np.uint8)


def asked(n, n_classes=2):
    return np.arange(n) % n_classes


@pytest.fixture(params=[2, 3], ids=["2 classes", "3 classes"])
def n_classes(request):
    return request.param


@pytest.fixture
def probe(n_classes):
    labels = asked(90, n_classes)
    return class_probe(pictures(labels, 0), labels)


def test_labels_that_fit(probe, n_classes):
    check = check_labels(probe, pictures(asked(120, n_classes), 1), asked(120, n_classes))
    assert check.agreement > 0.95
    assert check.fault == ""


def test_images_that_come_class_by_class(probe, n_classes):
    labels = asked(120, n_classes)
    check = check_labels(probe, pictures(np.sort(labels), 1), labels)
    assert check.agreement == pytest.approx(1 / n_classes, abs=0.1)
    assert check.by_class > 0.95
    assert "images of 0, 0, 1, 1" in check.fault


def test_classes_mixed_up(probe, n_classes):
    labels = asked(120, n_classes)
    check = check_labels(probe, pictures((labels + 1) % n_classes, 1), labels)
    assert check.agreement < 0.05
    assert "are the classes mixed up?" in check.fault


@pytest.mark.parametrize("contrast", [0.0, 2.0])
def test_images_that_show_little_are_no_fault(probe, n_classes, contrast):
    """Over many draws: a weak generator is weak, and nothing is said of its labels."""
    checks = [
        check_labels(probe, pictures(asked(100, n_classes), seed, contrast), asked(100, n_classes))
        for seed in range(40)
    ]
    assert {check.fault for check in checks} == {""}


def test_one_class_for_all_is_no_fault(probe, n_classes):
    """A collapsed generator: half of its labels are wrong, in whatever order they are taken."""
    check = check_labels(probe, pictures(np.zeros(100, int), 1), asked(100, n_classes))
    assert check.agreement == pytest.approx(1 / n_classes)
    assert check.fault == ""


def test_labels_asked_in_their_order_cannot_be_told(probe, n_classes):
    labels = np.sort(asked(100, n_classes))
    assert check_labels(probe, pictures(labels, 1), labels).fault == ""


def test_of_many_images_a_mixed_lot_is_looked_at():
    """Every other one would have one label only."""
    labels = asked(5000)
    probe = class_probe(pictures(labels, 0, size=8), labels)
    check = check_labels(probe, pictures(labels, 1, size=8), labels)
    assert check.agreement > 0.8
    assert check_labels(probe, pictures(np.sort(labels), 1, size=8), labels).agreement == pytest.approx(
        0.5, abs=0.05
    )


@pytest.mark.parametrize("shape", [(64, 64, 1), (100, 100, 3), (17, 40, 1), (9, 9, 3)])
def test_cells_are_means_of_all_pixels(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (3, *shape), dtype=np.uint8)
    cells = _cells(pixels)
    assert cells.shape == (3, min(SIDE, shape[0]) * min(SIDE, shape[1]))
    assert _cells(np.full((1, *shape), 77, np.uint8)) == pytest.approx(77)
    if shape == (64, 64, 1):
        assert cells[1, 17] == pytest.approx(pixels[1, 4:8, 4:8].mean())
