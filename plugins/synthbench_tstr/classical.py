"""Classical augmentation, as everyone has it without a generator: turned, shifted, scaled, brighter or darker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synthbench import Images

__all__ = ["altered"]

DEGREES, SHIFT, SCALE, TONE = 10, 0.05, (0.9, 1.1), 0.2
"""Turned by up to so many degrees, shifted by that share of the side, scaled; brightness and contrast by +-TONE.

Not mirrored: a chest has its heart on one side, and markers are letters.
"""


def altered(images: Images, seed: int) -> Images:
    """Each image through torchvision's RandomAffine and ColorJitter; what leaves the frame is black.

    Ids and groups stay, so that an image and its copies come on one side of a classifier's validation split. The
    same seed gives the same pixels.
    """
    import torch
    from torchvision.transforms import InterpolationMode, v2

    transform = v2.Compose(
        [
            v2.RandomAffine(DEGREES, (SHIFT, SHIFT), SCALE, interpolation=InterpolationMode.BILINEAR),
            v2.ColorJitter(brightness=TONE, contrast=TONE),
        ]
    )
    pixels = np.empty_like(images.pixels)
    with torch.random.fork_rng(devices=[]):  # torchvision draws from the global generator alone
        torch.manual_seed(seed)
        for i, image in enumerate(images.pixels):
            pixels[i] = transform(torch.tensor(image).permute(2, 0, 1)).permute(1, 2, 0).numpy()
    return replace(images, pixels=pixels)
