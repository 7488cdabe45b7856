"""The options of a data set that is made of pictures."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthbench.api.imaging import PictureRule, Resize
from synthbench.api.interfaces import Dataset
from synthbench.scale import GreyScale
from synthbench.types import Splits

__all__ = ["ImageDataset"]


class ImageDataset(Dataset):
    """What every data set takes: how its pictures become arrays (image_size, image_size, channels); `positive`."""

    image_size: int = Field(64, ge=8, le=1024, description="height and width in pixels")
    channels: Literal[1, 3] = Field(1, description="1: grey; 3: RGB, grey pictures with three equal channels")
    resize: Resize = Field(
        "squash",
        description="`squash` ignores the aspect ratio, `pad` adds black, `crop` keeps the centre",
    )
    antialias: bool = Field(
        True,
        description="true: PIL's bilinear, averaging when it shrinks; false: OpenCV's, which does not",
    )
    positive: str | None = Field(
        None,
        description="of two classes the one that AUROC, F1, recall and AUPRC speak of, on external sets too; "
        "unset: the other one where one class is called normal, healthy, negative, control or the like",
    )

    def picture_rule(self, splits: Splits) -> PictureRule:
        """Its own resize, antialias and grey scale."""
        return PictureRule(self.resize, self.antialias, splits.scale or GreyScale())
