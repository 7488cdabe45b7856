"""Images to measure with, and the usual ways to read a folder of them.

The images are smooth blobs under a little noise, which JPEG packs about as tightly as radiographs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from synthbench.types import Images

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["CLASSES", "read_by_imagefolder", "read_by_opencv", "some_images", "write_folder"]

CLASSES = ("NORMAL", "PNEUMONIA")


def some_images(n: int, size: int, channels: int) -> Images:
    """`n` images (size, size, channels), both classes in turn."""
    rng = np.random.default_rng(0)
    grey = np.stack([_blobs(size, size, rng) for _ in range(min(n, 256))])
    pixels = np.resize(grey, (n, size, size))[..., None].repeat(channels, axis=3)
    return Images(np.ascontiguousarray(pixels), np.arange(n, dtype=np.int64) % 2, CLASSES)


def write_folder(root: Path, small: int, large: int) -> None:
    """`small` JPEGs of 224 x 224 and `large` of about 1600 x 1200, as {train,test}/{NORMAL,PNEUMONIA}/*.jpeg."""
    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        for name in CLASSES:
            (root / part / name).mkdir(parents=True)
    for i in range(small + large):
        height, width = (224, 224) if i < small else (1200 + i % 7 * 8, 1600 + i % 5 * 8)
        folder = root / ("test" if i % 10 < 2 else "train") / CLASSES[i // 2 % 2]
        Image.fromarray(_blobs(width, height, rng)).save(folder / f"{i:04d}.jpeg", quality=95)


def read_by_opencv(folder: Path, size: int = 64) -> npt.NDArray[np.uint8]:
    """The JPEGs below `folder`, one after the other: uint8 (N, size, size, 3)."""
    import cv2

    pictures = (cv2.imread(str(path), cv2.IMREAD_COLOR) for path in sorted(folder.rglob("*.jpeg")))
    small = (
        cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
        for picture in pictures
        if picture is not None
    )
    return np.stack([cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) for picture in small])


def read_by_imagefolder(folder: Path, size: int = 64) -> list[Tensor]:
    """The parts of `folder`, each of class folders, by torchvision's ImageFolder and two workers.

    A uint8 tensor (N, 3, size, size) a part.
    """
    import torch
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    steps = v2.Compose([v2.Resize((size, size)), v2.PILToTensor()])
    sets = [ImageFolder(str(part), steps) for part in sorted(folder.iterdir()) if part.is_dir()]
    loaders = [DataLoader(images, batch_size=64, num_workers=2) for images in sets]
    return [torch.cat([pixels for pixels, _ in loader]) for loader in loaders]


def _blobs(width: int, height: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """uint8 (height, width)"""
    coarse = Image.fromarray(rng.integers(0, 256, size=(12, 12), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
    noisy = smooth + 3 * rng.standard_normal(smooth.shape, dtype=np.float32)
    return noisy.clip(0, 255).astype(np.uint8)
