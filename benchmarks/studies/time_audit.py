"""Time and memory of the leak audit on many images: `python benchmarks/studies/time_audit.py 100000`

The images are drawn from the principal components of 600 phantoms, in families of ten that look alike, so that
few pairs are spared the second look. The test set holds as many as the training set; every hundredth of its images
is a training image, re-encoded and darkened, and must be found.
"""

from __future__ import annotations

import io
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.decomposition import PCA

from synthbench.api.pictures import read_picture
from synthbench.data.audit import audit
from synthbench.progress import Progress
from synthbench.testing import context_in
from synthbench.types import Images, Splits
from synthbench_phantom.plugin import Phantom

Pixels = npt.NDArray[np.uint8]
SIZE, COPIES, FAMILY = 64, 100, 10


def examples() -> Pixels:
    with tempfile.TemporaryDirectory() as name:
        phantom = Phantom(image_size=SIZE, train_images=600, test_images=10)
        return np.array(phantom.load(context_in(Path(name))).train.pixels)


def look_alikes(n: int, seed: int, model: PCA) -> Pixels:
    """(n, 64, 64, 1); image i belongs to family i // 10, whatever the seed."""
    rng = np.random.default_rng(seed)
    families = np.random.default_rng(0).normal(size=(n // FAMILY + 1, model.n_components_))
    pixels = np.empty((n, SIZE, SIZE, 1), dtype=np.uint8)
    for start in range(0, n, 1000):
        block = pixels[start : start + 1000]
        family = families[np.arange(start, start + len(block)) // FAMILY]
        codes = np.sqrt(0.5) * family + np.sqrt(0.5) * rng.normal(size=family.shape)
        picture = model.inverse_transform(codes * np.sqrt(model.explained_variance_))
        block[:] = np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).reshape(block.shape)
    return pixels


def re_encoded(image: Pixels) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(image[..., 0]).point(lambda v: v * 0.8).save(file, "JPEG", quality=60)
    return np.asarray(read_picture(file))[..., None]


def made(n: int) -> tuple[Pixels, Pixels]:
    pixels = examples()
    model = PCA(150, random_state=0).fit(pixels.reshape(len(pixels), -1).astype(float))
    train, test = look_alikes(n, 1, model), look_alikes(n, 2, model)
    for i in range(0, n, COPIES):
        test[i] = re_encoded(train[i])
    return train, test


def named(pixels: Pixels) -> Images:
    return Images(pixels, np.zeros(len(pixels), dtype=np.int64), ("NORMAL", "PNEUMONIA"))


def memory() -> float:
    """The most this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    n = int(sys.argv[1])
    train, test = made(n)
    splits = Splits(named(train), {"test": named(test)})
    before = memory()
    wall, cpu = time.perf_counter(), time.process_time()
    found = audit(splits, Progress())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    leaked, copies = found.leaked("test"), np.arange(n) % COPIES == 0
    print(f"{n} training and {n} test images of {SIZE} px, compared with each other and within: {wall:.0f} s")
    print(f"{cpu:.0f} CPU seconds; {memory() - before:.0f} MB beyond the {before:.0f} MB at the start")
    print(f"copies found: {leaked[copies].sum()} of {copies.sum()}; others: {leaked[~copies].sum()}")


if __name__ == "__main__":
    main()
