"""The leak audit on the real X-rays, where they lie beside the checkout, and on the phantoms.

The figures are those of docs/leaks.md; benchmarks/studies/calibrate_audit.py has more of them.
"""

import io
from pathlib import PurePosixPath

import numpy as np
import pytest
from PIL import Image, ImageOps

from synthbench import Images, Splits, find_copies
from synthbench.api.imaging import resize_square
from synthbench.data.audit import audit
from synthbench.data.audit.calibration import LIMIT
from synthbench.data.audit.parts import describe_parts
from synthbench.testing import context_in
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
    """All of it: 40 s of one processor."""
    return audit(xrays)


whole_sets = pytest.mark.full


def names(ids):
    return np.array([PurePosixPath(image_id).name for image_id in ids])


@whole_sets
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
    assert pairs.distance.max() < LIMIT / 2
    assert pairs.same_class.all()


@whole_sets
@with_xrays
def test_its_other_images_are_in_the_official_test_and_val(found):
    pairs = found.pairs[(found.pairs.test_set == "resplit") & (found.pairs.kind != "patient")]
    per_part = pairs.groupby("seen_in").image.nunique()
    assert per_part["test"] == 102
    assert per_part["val"] == 3


@whole_sets
@with_xrays
def test_no_false_alarm_between_train_and_the_official_test(found):
    """No patient is in both, and bacteria's and virus's persons of one number are no leak."""
    nothing = {"leaked_exact": 0, "leaked_perceptual": 0, "leaked_patient": 0, "leaked": 0}
    assert found.counts("test") == found.counts("val") == nothing
    assert found.counts("covid") == nothing


@whole_sets
@with_xrays
def test_the_known_duplicates_are_found(found):
    within = found.pairs[(found.pairs.test_set == found.pairs.seen_in) & (found.pairs.kind == "exact")]
    official = within[within.test_set.isin(["train", "val", "test"])]
    assert len(official) == 32, "surplus images"
    assert len(official.groupby(["test_set", "match"])) == 30, "groups"
    assert official.test_set.value_counts().to_dict() == {"train": 26, "test": 6}


@whole_sets
@with_xrays
def test_within_the_sets_four_pairs_look_alike_that_are_not_the_same_pixels(found):
    """Judged by eye: one adult's radiograph cropped in two ways, and neighbouring exams of two persons."""
    alike = found.pairs[(found.pairs.test_set == found.pairs.seen_in) & (found.pairs.kind == "perceptual")]
    assert [set(pair) for pair in zip(names(alike.image), names(alike.match), strict=True)] == [
        {"COVID_65.jpeg", "COVID_63.jpeg"},
        {"PNEUMONIA_106.jpeg", "PNEUMONIA_105.jpeg"},
        {"PNEUMONIA_406.jpeg", "PNEUMONIA_405.jpeg"},
        {"PNEUMONIA_407.jpeg", "PNEUMONIA_406.jpeg"},
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
    "cut at a corner": lambda p: cut(p, 0.08, 0.08, 0, 0),
    "mirrored": ImageOps.mirror,
    "inverted": ImageOps.invert,
    "turned by 4 degrees": lambda p: p.rotate(4, Image.Resampling.BILINEAR),
    "turned by a right angle": lambda p: p.transpose(Image.Transpose.ROTATE_90),
    "bordered and equalised": lambda p: ImageOps.expand(ImageOps.equalize(p), 80, fill=255),
}


@pytest.mark.full
@with_xrays
def test_treated_copies_of_training_files_are_found_and_test_images_are_not(xrays):
    known = xrays.train.subset(np.arange(0, len(xrays.train), 8))
    files = [Image.open(REAL_DATA / "chest_xray" / image_id).convert("L") for image_id in known.ids[::40]]
    treated = np.stack(
        [
            resize_square(change(file).convert("L"), 64, "squash", antialias=False)
            for change in STRESS.values()
            for file in files
        ]
    )
    copies = find_copies(Images(treated, np.zeros(len(treated), np.int64), known.classes), known)
    right = np.zeros(len(treated), dtype=bool)
    right[copies.query] = copies.reference == 40 * (copies.query % len(files))
    missed = {name: int(n) for name, n in zip(STRESS, (~right).reshape(len(STRESS), -1).sum(axis=1), strict=True)}
    assert max(missed.values()) <= 1, missed
    assert len(find_copies(xrays.tests["test"].subset(np.arange(0, 624, 6)), known)) == 0


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    return Phantom(image_size=32, train_images=400, test_images=60).load(context_in(tmp_path_factory.mktemp("p")))


@pytest.mark.full
def test_phantoms_resemble_each_other_and_raise_no_alarm(phantoms):
    """Two exams of a phantom show one anatomy, and are two images; phantoms are more alike than children."""
    assert len(set(phantoms.train.groups)) == 200
    assert 0.05 < describe_parts({"train": phantoms.train})["train"].limit < 0.7 * LIMIT
    assert len(audit(phantoms).pairs) == 0
