"""The extractor of `growth.py`."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from synthbench import Context, Embed, Extractor, Features, Images, Pixels

__all__ = ["Thumbnails"]


class Thumbnails(Extractor):
    """Grey levels at 32 by 32, 1024 features: next to no work, so that 100,000 images show what is around it."""

    name: ClassVar[str] = "thumbnails"

    @property
    def preprocessing(self) -> str:
        return "32 rows and columns, evenly spaced, in 0..1"

    def load(self, train: Images, ctx: Context) -> Embed:  # noqa: ARG002
        def embed(pixels: Pixels) -> Features:
            step = pixels.shape[1] // 32
            features: Features = pixels[:, ::step, ::step, 0].reshape(len(pixels), -1).astype(np.float32) / 255
            return features

        return embed
