"""The options of both generators. No torch here: a benchmark file is checked without it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from synthbench import DataError, Generator
from synthbench_torchkit.recipe import Precision

__all__ = ["SHRINK", "FlowOptions", "LatentFlowOptions", "PcaFlowOptions"]

SHRINK = 4
"""`latent-flow`: the side of an image over that of its latents."""


class FlowOptions(Generator):
    """What training and sampling of any flow need, beneath the plugins and known to the training."""

    steps: int = Field(1, ge=1, description="training steps of the flow")
    batch_size: int = Field(64, ge=1, description="images a step, equally many of each class on average")
    learning_rate: float = Field(1e-3, gt=0, description="AdamW's, after a warm-up; falls to 0 along a cosine")
    weight_decay: float = Field(0.01, ge=0, description="AdamW's")
    ema: float = Field(0.999, ge=0, lt=1, description="share of the old weights in the average that draws images")
    sampling_steps: int = Field(
        20, ge=1, description="Heun's steps from noise to image, two runs of the network each"
    )
    log_every: int = Field(100, ge=1, description="steps between two rows of losses.csv, each a mean over them")
    checkpoint_every: int = Field(500, ge=1, description="steps between two checkpoints")
    sample_batch: int = Field(256, ge=1, description="images drawn at a time")


class PcaFlowOptions(FlowOptions):
    """Those of `pca-flow`."""

    steps: int = Field(1000, ge=1, description="training steps of the flow")
    components: int = Field(256, ge=1, description="principal components; at most the number of images less one")
    basis: Literal["shared", "class"] = Field(
        "shared", description="`shared`: components of all images; `class`: of each class's own"
    )
    residual: bool = Field(
        False, description="add what the components leave out, as noise of its spectrum and its place"
    )
    batch_size: int = Field(128, ge=1, description="images a step, equally many of each class on average")
    width: int = Field(256, ge=1, description="units of the network's layers")
    depth: int = Field(3, ge=1, description="its residual blocks")
    dropout: float = Field(0.0, ge=0, lt=1, description="in its blocks")


class LatentFlowOptions(FlowOptions):
    """Those of `latent-flow`."""

    steps: int = Field(5000, ge=1, description="training steps of the flow")
    autoencoder_steps: int = Field(3000, ge=1, description="training steps of the autoencoder, before the flow's")
    autoencoder_width: int = Field(
        48, ge=1, description="channels of its layers at half the image's side, half of those at a quarter"
    )
    latents: int = Field(4, ge=1, description="channels of the latents, at a quarter of the image's side")
    divergence: float = Field(
        1e-4, ge=0, description="weight of the latents' Kullback-Leibler divergence from a standard normal"
    )
    residual: bool = Field(
        False, description="add what the autoencoder leaves out, as noise of its spectrum and its place"
    )
    width: int = Field(
        96, ge=1, description="channels of the U-Net at the latents' side; twice as many at half of it"
    )
    depth: int = Field(2, ge=1, description="its residual blocks at each side, down and up")
    label_dropout: float = Field(
        0.1, ge=0, lt=1, description="share of the training images whose class is hidden, for guidance"
    )
    guidance: float = Field(
        1.0,
        ge=0,
        description="weight of the class in drawing: 1 as trained, more exaggerates it at twice the time",
    )
    sample_batch: int = Field(64, ge=1, description="images drawn at a time")
    precision: Precision = Field(
        "float32",
        description="of convolutions and matrix products, in drawing as in training; bf16 is two to three times "
        "as fast where the processor has units for it, else slower",
    )

    def check_shape(self, shape: tuple[int, int, int]) -> None:
        height, width, _ = shape
        if height % (2 * SHRINK) or width % (2 * SHRINK):
            raise DataError(
                f"{self.name} needs sides divisible by {2 * SHRINK}, found {height}x{width}; "
                "set the data set's image_size to 32, 64, 128, ..."
            )

    @model_validator(mode="after")
    def _learns_what_guidance_leans_on(self) -> Self:
        if self.guidance != 1 and self.label_dropout == 0:
            raise ValueError("guidance other than 1 needs images whose class is hidden: label_dropout above 0")
        return self
