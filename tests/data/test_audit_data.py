"""The leak audit on the real X-rays, where they lie beside the checkout, and on the phantoms.

The figures are those of docs/leaks.md; benchmarks/calibrate_audit.py has more of them.
"""

import io
from pathlib import PurePosixPath

import numpy as np
import pytest
from PIL import Image

from synthbench.api.imaging import resize_square
from synthbench.data.audit import audit
from synthbench.data.audit.matching import LIMIT, perceptual
from synthbench.data.audit.parts import describe_parts
from synthbench.testing import context_in
from synthbench.types import Images, Splits
from synthbench_cxr.plugin import ChestXray, CovidPneumoniaNormal, PneumoniaXrayImages
from synthbench_phantom.plugin import Phantom
from tests.helpers.places import REAL_DATA
from tests.helpers.xrays import OPTIONS, with_xrays


@pytest.fixture(scope="module")
def xrays(xray_folder):
    """chest-xray with the two other sets as test sets, as benchmarks/cxr-cpu.yaml prepares them."""
    ctx = context_in(xray_folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHBENCH_DATA", str(REAL_DATA))
        own = ChestXray(**OPTIONS).load(ctx)
        covid, resplit = (
            cls(**OPTIONS).load(ctx).tests["test"] for cls in (CovidPneumoniaNormal, PneumoniaXrayImages)
        )
    return Splits(own.train, {**own.tests, "covid": covid, "resplit": resplit}, own.val)


@pytest.fixture(scope="module")
def found(xrays):
    return audit(xrays)


def names(ids):
    return np.array([PurePosixPath(image_id).name for image_id in ids])


@with_xrays
def test_the_re_split_leaks_as_its_file_names_say(xrays, found):
    """774 of its 879 images are training images, re-encoded: no pixel need be the same."""
    known = np.isin(names(xrays.tests["resplit"].ids), names(xrays.train.ids))
    assert known.sum() == 774
    by_pixels = found.leaked("resplit", "perceptual") | found.leaked("resplit", "exact")
    assert by_pixels[known].mean() >= 0.99
    assert by_pixels[~known].sum() == 0
    pairs = found.pairs[(found.pairs.test_set == "resplit") & (found.pairs.seen_in == "train")]
    pairs = pairs[pairs.kind == "perceptual"]
    right = names(pairs.image) == names(pairs.match)
    assert len(set(pairs.image[right])) >= 0.99 * 774
    assert pairs.distance.max() < LIMIT / 10
    assert pairs.same_class.all()


@with_xrays
def test_its_other_images_are_in_the_official_test_and_val(found):
    pairs = found.pairs[(found.pairs.test_set == "resplit") & (found.pairs.kind != "patient")]
    per_part = pairs.groupby("seen_in").image.nunique()
    assert per_part["test"] == 102
    assert per_part["val"] == 3


@with_xrays
def test_no_false_alarm_between_train_and_the_official_test(found):
    """No patient is in both, and bacteria's and virus's persons of one number are no leak."""
    nothing = {"leaked_exact": 0, "leaked_perceptual": 0, "leaked_patient": 0, "leaked": 0}
    assert found.counts("test") == found.counts("val") == nothing
    assert found.counts("covid") == nothing


@with_xrays
def test_the_known_duplicates_are_found(found):
    within = found.pairs[(found.pairs.test_set == found.pairs.seen_in) & (found.pairs.kind == "exact")]
    official = within[within.test_set.isin(["train", "val", "test"])]
    assert len(official) == 32, "surplus images"
    assert len(official.groupby(["test_set", "match"])) == 30, "groups"
    assert official.test_set.value_counts().to_dict() == {"train": 26, "test": 6}


@with_xrays
def test_within_the_sets_two_pairs_look_alike_that_are_not_the_same_pixels(found):
    """Judged by eye: one child under two numbers, and one adult's radiograph cropped in two ways."""
    alike = found.pairs[(found.pairs.test_set == found.pairs.seen_in) & (found.pairs.kind == "perceptual")]
    assert [set(pair) for pair in zip(names(alike.image), names(alike.match), strict=True)] == [
        {"person1637_bacteria_4339.jpeg", "person1565_bacteria_4095.jpeg"},
        {"COVID_65.jpeg", "COVID_63.jpeg"},
    ]


def jpeg(picture):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=30)
    return Image.open(file)


def cut(picture, left, top, right, bottom):
    width, height = picture.size
    return picture.crop((left * width, top * height, (1 - right) * width, (1 - bottom) * height))


STRESS = {
    "re-encoded": jpeg,
    "made small": lambda p: p.resize((128, 128), 2),
    "made large": lambda p: p.resize((512, 512), 2),
    "cut all round": lambda p: cut(p, 0.05, 0.05, 0.05, 0.05),
    "cut at a corner": lambda p: cut(p, 0.03, 0.03, 0, 0),
    "brighter": lambda p: p.point(lambda v: v * 1.2),
    "darker": lambda p: p.point(lambda v: v * 0.8),
}


@with_xrays
def test_treated_copies_of_training_files_are_found(xrays):
    chosen = np.arange(0, len(xrays.train), 100)
    files = [Image.open(REAL_DATA / "chest_xray" / image_id).convert("L") for image_id in xrays.train.ids[chosen]]
    original = xrays.train.subset(chosen)
    treated = {
        name: Images(
            np.stack([resize_square(change(f).convert("L"), 64, "squash", antialias=False) for f in files]),
            original.labels,
            original.classes,
            original.ids,
        )
        for name, change in STRESS.items()
    }
    parts = describe_parts({"train": xrays.train, **treated})
    for name in treated:
        index, match, _ = perceptual(parts[name], parts["train"])
        right = set(index[match == chosen[index]].tolist())
        same = parts[name].digests == parts["train"].digests[chosen]
        assert len(right | set(np.flatnonzero(same).tolist())) >= 0.98 * len(chosen), name


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    return Phantom(image_size=32, train_images=400, test_images=60).load(context_in(tmp_path_factory.mktemp("p")))


def test_phantoms_raise_no_alarm(phantoms):
    """Two exams of a phantom show one anatomy, and are two images."""
    assert len(set(phantoms.train.groups)) == 200
    assert len(audit(phantoms).pairs) == 0
