"""The options of both generators. No torch here: a benchmark file is checked without it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from synthbench import Generator
from synthbench_torchkit.recipe import Precision

__all__ = ["LoopOptions", "Options", "TunedOptions"]

Width = Annotated[int, Field(ge=1, le=4096)]
Step = Annotated[int, Field(ge=0)]
Augmentation = Literal["colour", "translation", "cutout"]


class LoopOptions(Generator):
    """What the training of either pair needs, beneath the plugins and known to the loop."""

    duration: ClassVar[str] = "steps"

    steps: int = Field(1, ge=1, description="Training steps, each one update of both networks.")
    batch_size: int = Field(16, ge=1, le=4096, description="Real images, and fake ones, of a step.")
    latent: int = Field(100, ge=1, le=4096, description="Length of the noise vector.")
    log_every: int = Field(100, ge=1, description="Steps between two rows of losses.csv.")
    grid_steps: tuple[Step, ...] = Field(
        (0, 1000, 1900), description="Steps after which a sample grid is drawn, counted from 0; the last always."
    )
    checkpoint_every: int = Field(100, ge=1, description="Steps between two checkpoints.")
    sample_batch: int = Field(64, ge=1, le=4096, description="Images drawn at a time after training.")


class Options(LoopOptions):
    """Those of `acgan`; every default is the paper's."""

    steps: int = Field(
        2000,
        ge=1,
        description="Training steps, each one update of both networks. The paper says 2000 'epochs'; "
        "in its notebook an epoch is one such step, so 2000 x 16 = 32,000 real images, 6.1 passes over 5216. "
        "Read literally, as 2000 passes over the data, it would be 652,000 steps.",
    )
    learning_rate: float = Field(1e-4, gt=0, description="Of the discriminator's RMSprop.")
    weight_decay: float = Field(6e-9, ge=0, description="Of the discriminator, decoupled: w -= rate * decay * w.")
    generator_scale: float = Field(
        0.5, gt=0, description="The generator's rate and decay over the discriminator's."
    )
    l2: float = Field(1e-3, ge=0, description="Penalty l2 * sum(w^2) on the large kernels.")
    label_loss: Literal["softmax", "keras"] = Field(
        "softmax",
        description="`softmax`: binary cross-entropy of the softmax outputs, as the paper says. `keras`: of a "
        "sigmoid of each logit, which the notebook's Keras in effect minimised (docs/paper.md).",
    )
    dropout: float = Field(0.3, ge=0, lt=1, description="Before the discriminator's class layer.")
    slope: float = Field(0.2, ge=0, le=1, description="Of the discriminator's LeakyReLU below zero.")
    kernel: int = Field(5, ge=2, le=15, description="Side of every convolution kernel in pixels.")
    generator_dense: Width = Field(1024, description="Units of the generator's first layer.")
    generator_filters: tuple[Width, Width, Width, Width] = Field(
        (256, 128, 64, 32), description="Of the generator's transposed convolutions; strides 2, 2, 2, 1."
    )
    discriminator_filters: tuple[Width, Width, Width, Width] = Field(
        (32, 64, 128, 256), description="Of the discriminator's convolutions; strides 2, 2, 2, 1."
    )
    discriminator_dense: Width = Field(256, description="Units before the discriminator's class layer.")
    precision: Precision = Field(
        "float32",
        description="Of the training's convolutions and matrix products: float32 (the paper's), or bf16, twice as "
        "fast where the processor has units for it, else slower. Images are drawn in float32.",
    )

    def generator_options(self) -> dict[str, Any]:
        """What `model.Generator` takes beside the shape of the data."""
        return {
            "latent": self.latent,
            "dense": self.generator_dense,
            "filters": self.generator_filters,
            "kernel": self.kernel,
        }

    def discriminator_options(self) -> dict[str, Any]:
        """What `model.Discriminator` takes beside the shape of the data."""
        return {
            "dense": self.discriminator_dense,
            "filters": self.discriminator_filters,
            "kernel": self.kernel,
            "slope": self.slope,
            "dropout": self.dropout,
        }


class TunedOptions(LoopOptions):
    """Those of `acgan-tuned`; what it changes in `acgan` can be switched off one by one."""

    steps: int = Field(3000, ge=1, description="Training steps, each one update of both networks.")
    batch_size: int = Field(32, ge=1, le=4096, description="Real images, and fake ones, of a step.")
    learning_rate: float = Field(5e-4, gt=0, description="Adam's, of both networks.")
    width: int = Field(
        32,
        ge=2,
        le=1024,
        multiple_of=2,
        description="Channels of the maps at half the image's side, in both networks.",
    )
    conditioning: Literal["projection", "discriminative", "auxiliary"] = Field(
        "projection",
        description="How the discriminator sees the class. `projection`: it judges whether an image is real as "
        "one of its class (Miyato and Koyama, 2018). `discriminative`: beside real or fake, it names class and "
        "real or fake at once (ADC-GAN: Hou et al., 2022). `auxiliary`: beside real or fake, it names the class, "
        "as in `acgan`.",
    )
    spectral_norm: bool = Field(
        True, description="Hold every layer of the discriminator to a spectral norm of 1 (Miyato et al., 2018)."
    )
    r1: float = Field(
        0.05,
        ge=0,
        description="Weight of the penalty on the discriminator's squared gradient at real images (Mescheder et "
        "al., 2018), taken every 16th step; 0 is without.",
    )
    ema: float = Field(
        0.998,
        ge=0,
        lt=1,
        description="Share of the old weights in the average of the generator that draws; 0 takes the last.",
    )
    balanced: bool = Field(
        True, description="Batches hold equally many real images of each class on average; else as they come."
    )
    augment: tuple[Augmentation, ...] = Field(
        ("colour", "translation", "cutout"),
        description="What the discriminator sees real and fake images through (DiffAugment: Zhao et al., 2020): "
        "`colour` moves brightness, contrast and, of colour images, saturation, `translation` shifts by up to an "
        "eighth of the side, `cutout` hides a square of half the side. `[]` is without.",
    )
    precision: Precision = Field(
        "float32",
        description="Of the training's convolutions and matrix products: float32, or bf16, faster where the "
        "processor has units for it, else slower. Images are drawn in float32.",
    )
    grid_steps: tuple[Step, ...] = Field(
        (0, 1000, 2000), description="Steps after which a sample grid is drawn, counted from 0; the last always."
    )
