"""The data set's contract: sizes, channels, patients, class counts, the cache, determinism."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from synthbench.testing import check_dataset, context_in
from synthbench.types import Images, Splits
from synthbench_phantom import plugin as plugin_module
from synthbench_phantom.plugin import Phantom

SMALL = Phantom(train_images=20, test_images=9, images_per_patient=2, image_size=32, pneumonia_fraction=0.6)


def with_fields(**fields) -> Phantom:
    return Phantom(**{**SMALL.model_dump(), **fields})


def digests(splits: Splits) -> tuple[str, str]:
    return splits.train.digest, splits.tests["test"].digest


def recomputed(images: Images) -> str:
    """The digest of what lies in the arrays, not the one that was stored."""
    return Images(np.array(images.pixels), images.labels, images.classes, images.ids, images.groups).digest


@pytest.fixture(scope="module")
def splits(tmp_path_factory) -> Splits:
    return SMALL.load(context_in(tmp_path_factory.mktemp("small")))


def test_it_keeps_the_contract_of_data_sets():
    check_dataset(SMALL)


def test_the_same_fields_give_the_same_images_in_two_empty_stores(splits, tmp_path):
    again = SMALL.load(context_in(tmp_path))
    assert digests(again) == digests(splits)
    assert recomputed(again.train) == splits.train.digest


def test_pneumonia_is_positive_unless_the_option_says_otherwise(splits, tmp_path):
    assert splits.positive == "PNEUMONIA"
    assert with_fields(positive="NORMAL").load(context_in(tmp_path)).positive == "NORMAL"
    with pytest.raises(ValidationError, match="must be one of NORMAL, PNEUMONIA"):
        with_fields(positive="COVID")


def test_a_benchmark_s_seed_changes_nothing(splits, tmp_path):
    assert digests(SMALL.load(context_in(tmp_path).child("another"))) == digests(splits)


def test_another_seed_is_another_data_set(splits, tmp_path):
    other = with_fields(seed=1).load(context_in(tmp_path))
    here, there = ({image.tobytes() for image in s.train.pixels} for s in (splits, other))
    assert not here & there


@pytest.mark.parametrize("size", [32, 64, 96])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_and_both_kinds_of_channels(size, channels, tmp_path):
    one = with_fields(image_size=size, channels=channels, train_images=4, test_images=3)
    made = one.load(context_in(tmp_path))
    for images in (made.train, made.tests["test"]):
        assert images.pixels.shape == (len(images), size, size, channels)
        assert images.pixels.dtype == np.uint8
        assert (images.pixels == images.pixels[..., :1]).all()  # grey in every channel
        assert images.pixels.std(axis=(1, 2, 3)).min() > 30  # a picture, not a plain field


def test_one_patient_looks_alike_at_any_size(tmp_path):
    """A smaller image is the larger one shrunk, but for grain: size is no other draw of patients."""
    small, large = (
        with_fields(image_size=size, train_images=4, test_images=3).load(context_in(tmp_path)) for size in (32, 96)
    )
    shrunk = large.train.pixels[..., 0].reshape(-1, 32, 3, 32, 3).mean((2, 4))
    for a, b in zip(small.train.pixels[..., 0], shrunk, strict=True):
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.95


def test_the_ways_to_make_it_square_differ(tmp_path):
    made = {
        how: with_fields(resize=how, train_images=4, test_images=3).load(context_in(tmp_path)).train.pixels
        for how in ("squash", "pad", "crop")
    }
    assert not np.array_equal(made["squash"], made["crop"])
    assert (made["pad"][:, 0] == 0).all()  # the film is wider than high
    assert (made["pad"][:, -1] == 0).all()
    assert (made["squash"][:, 0] > 0).any()


def test_antialias_changes_the_pixels(splits, tmp_path):
    assert with_fields(antialias=False).load(context_in(tmp_path)).train.digest != splits.train.digest


def test_patients_have_several_images_and_stay_in_one_split_and_class(splits):
    train, test = splits.train, splits.tests["test"]
    assert not set(train.groups) & set(test.groups)
    assert set(Counter(train.groups).values()) == {2}
    assert sorted(Counter(test.groups).values()) == [1, 2, 2, 2, 2]  # nine images: the last has one
    for images in (train, test):
        assert len(set(images.ids)) == len(images)
        assert len(set(zip(images.groups, images.labels, strict=True))) == len(set(images.groups))


def test_two_images_of_one_patient_are_not_copies(splits):
    train = splits.train
    for patient in np.unique(train.groups):
        first, second = train.pixels[train.groups == patient].astype(int)
        assert np.abs(first - second).mean() > 2


def test_classes_have_the_wanted_share_of_patients(splits):
    assert splits.train.classes == ("NORMAL", "PNEUMONIA")
    assert splits.train.counts() == {"NORMAL": 8, "PNEUMONIA": 12}


@pytest.mark.parametrize("share", [0.001, 0.999])
def test_each_class_has_a_patient_in_each_split(share, tmp_path):
    made = with_fields(pneumonia_fraction=share).load(context_in(tmp_path))
    assert all(min(images.counts().values()) > 0 for images in (made.train, made.tests["test"]))


def test_healthy_patients_do_not_change_with_the_share_of_sick_ones(splits, tmp_path):
    """Who is sick is drawn apart from what bodies look like."""
    more = with_fields(pneumonia_fraction=0.8).load(context_in(tmp_path)).train
    both_healthy = (splits.train.labels == 0) & (more.labels == 0)
    assert both_healthy.any()
    assert np.array_equal(splits.train.pixels[both_healthy], more.pixels[both_healthy])


def test_disease_hides_the_lungs_and_nothing_outside_them(splits, tmp_path):
    """The same patients with and without it: the difference lies inside the chest."""
    more = with_fields(pneumonia_fraction=0.9).load(context_in(tmp_path)).train
    fell_ill = (splits.train.labels == 0) & (more.labels == 1)
    change = np.abs(more.pixels[fell_ill].astype(int) - splits.train.pixels[fell_ill])[..., 0].mean(0)
    assert fell_ill.any()
    assert change[8:24, 5:27].mean() > 2 * np.concatenate([change[:, :3], change[:, -3:]], axis=1).mean()


def test_a_second_load_maps_the_file_and_renders_nothing(tmp_path, monkeypatch):
    ctx = context_in(tmp_path)
    first = SMALL.load(ctx)
    monkeypatch.setattr(plugin_module, "photograph", lambda *_: pytest.fail("rendered again"))
    again = SMALL.load(context_in(tmp_path))
    assert digests(again) == digests(first)
    for images in (again.train, again.tests["test"]):
        assert isinstance(images.pixels, np.memmap)
        assert not images.pixels.flags.writeable


@pytest.mark.parametrize("field", ["train_images", "test_images"])
def test_too_few_images_for_two_classes_are_refused(field):
    with pytest.raises(ValidationError, match=f"{field} must exceed images_per_patient"):
        with_fields(**{field: 2})


@pytest.mark.parametrize("fields", [{"pneumonia_fraction": 1.0}, {"image_size": 4}, {"channels": 2}, {"seed": -1}])
def test_impossible_settings_are_refused(fields):
    with pytest.raises(ValidationError, match=next(iter(fields))):
        with_fields(**fields)
