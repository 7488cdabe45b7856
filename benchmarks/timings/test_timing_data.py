"""Images from files, from the store, and from the phantom's renderer; their digests; the PCA baseline."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.timings.conftest import Peer, Timed
from benchmarks.timings.pictures import read_by_imagefolder, read_by_opencv, some_images, write_folder
from synthbench.api.interfaces import Context
from synthbench.progress import Progress
from synthbench.types import Images

if TYPE_CHECKING:
    from synthbench.api.interfaces import Dataset

MakeContext = Callable[[], Context]
TRAIN_SIZE, NORMAL = 5216, 1341  # of the chest X-rays
SMALL, LARGE = 400, 40

needs_data = pytest.mark.skipif(
    "SYNTHBENCH_DATA" not in os.environ, reason="SYNTHBENCH_DATA does not say where the chest X-rays are"
)


@pytest.fixture(scope="module", params=["small", "large"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, int, Path]:
    """What it holds, how many images, where: JPEGs of 224 x 224, or as large as a hospital's."""
    root = tmp_path_factory.mktemp(request.param)
    is_small = request.param == "small"
    n = SMALL if is_small else LARGE
    write_folder(root, n if is_small else 0, 0 if is_small else n)
    time.sleep(2.1)  # a file younger than two seconds is hashed at every read
    return ("224x224 JPEGs" if is_small else "JPEGs of about 1600x1200"), n, root


@pytest.mark.benchmark(group="data")
def test_first_read(timed: Timed, make_context: MakeContext, folder: tuple[str, int, Path]) -> None:
    from synthbench_cxr.plugin import ImageFolder

    what, n, root = folder
    data = ImageFolder(root=root)
    timed(data.load, f"{what} to 64x64x1, checked, decoded and stored", setup=make_context, images=n)


@pytest.mark.benchmark(group="data")
def test_later_read(timed: Timed, make_context: MakeContext, folder: tuple[str, int, Path]) -> None:
    from synthbench_cxr.plugin import ImageFolder

    what, n, root = folder
    data, ctx = ImageFolder(root=root), make_context()
    data.load(ctx)
    timed(lambda: data.load(ctx), f"the same {what} from the store", images=n)


@needs_data
@pytest.mark.benchmark(group="data")
@pytest.mark.parametrize("peer", ["opencv", "imagefolder"])
def test_first_read_chest_xray(timed: Timed, make_context: MakeContext, peer: str) -> None:
    data, n = _chest_xray(make_context(), channels=3)
    folder = Path(os.environ["SYNTHBENCH_DATA"]) / "chest_xray"
    others = {
        "opencv": Peer("OpenCV, a loop", lambda: read_by_opencv(folder)),
        "imagefolder": Peer("ImageFolder, 2 workers", lambda: read_by_imagefolder(folder)),
    }
    what = "the real chest X-rays to 64x64x3: checked, hashed, decoded and stored"
    timed(data.load, what, setup=make_context, peer=others[peer], images=n)


@needs_data
@pytest.mark.benchmark(group="data")
def test_later_read_chest_xray(timed: Timed, make_context: MakeContext) -> None:
    ctx = make_context()
    data, n = _chest_xray(ctx, channels=1)
    timed(lambda: data.load(ctx), "the real chest X-rays from the store", images=n)


def _chest_xray(ctx: Context, channels: int) -> tuple[Dataset, int]:
    """The data set, read once, and its number of images."""
    from synthbench_cxr.plugin import ChestXray

    data = ChestXray(antialias=False, channels=channels)
    splits = data.load(ctx)
    parts = [splits.train, *splits.tests.values(), *([splits.val] if splits.val else [])]
    return data, sum(map(len, parts))


@pytest.mark.benchmark(group="data")
@pytest.mark.parametrize("size", [64, 224])
def test_phantom(timed: Timed, size: int) -> None:
    from synthbench_phantom.cohort import Cohort, photograph
    from synthbench_phantom.plugin import Phantom

    n = 64 if size == 64 else 8
    cohort, form = Cohort(0, 0, n, 3, 0.7), Phantom(image_size=size)

    def render() -> None:
        with Progress(False).bar("phantoms", n) as bar:
            photograph(cohort, form, bar)

    timed(render, f"phantom radiographs of {size}x{size}, rendered", images=n)


@pytest.mark.benchmark(group="data")
def test_digest(timed: Timed) -> None:
    images = some_images(TRAIN_SIZE, 64, 1)

    def unread() -> Images:
        return Images(images.pixels, images.labels, images.classes)  # one whose digest is not known yet

    timed(lambda new: new.digest, "SHA-256 of a training set of 64x64x1", setup=unread, images=TRAIN_SIZE)


@pytest.mark.benchmark(group="data")
def test_to_float(timed: Timed) -> None:
    from synthbench_torchkit.tensors import to_float

    n = 1024
    pixels = some_images(n, 64, 3).pixels
    timed(lambda: to_float(pixels), "64x64x3 pixels to float tensors", images=n)


@pytest.mark.benchmark(group="baseline")
def test_pca_fit(timed: Timed, make_context: MakeContext) -> None:
    from synthbench_baselines.plugin import PcaGaussian

    labels = (np.arange(TRAIN_SIZE) >= NORMAL).astype(np.int64)
    images, components = replace(some_images(TRAIN_SIZE, 64, 1), labels=labels), 200
    timed(
        lambda ctx: PcaGaussian(components=components).fit(images, ctx),
        f"`pca-gaussian`: {components} components of each class, 64x64x1",
        setup=make_context,
        images=TRAIN_SIZE,
    )
