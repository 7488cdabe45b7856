"""The options of the ACGAN; every default is the paper's."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from synthbench import Generator
from synthbench_torchkit.recipe import Precision

__all__ = ["Options"]

Width = Annotated[int, Field(ge=1, le=4096)]
Step = Annotated[int, Field(ge=0)]


class Options(Generator):
    """The ACGAN's options, beneath the plugin that fits it and known to its training."""

    duration: ClassVar[str] = "steps"

    steps: int = Field(
        2000,
        ge=1,
        description="Training steps, each one update of both networks. The paper says 2000 'epochs'; "
        "in its notebook an epoch is one such step, so 2000 x 16 = 32,000 real images, 6.1 passes over 5216. "
        "Read literally, as 2000 passes over the data, it would be 652,000 steps.",
    )
    batch_size: int = Field(16, ge=1, le=4096, description="Real images, and fake ones, of a step.")
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
    latent: int = Field(100, ge=1, le=4096, description="Length of the noise vector.")
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
    log_every: int = Field(100, ge=1, description="Steps between two rows of losses.csv.")
    grid_steps: tuple[Step, ...] = Field(
        (0, 1000, 1900), description="Steps after which a sample grid is drawn, counted from 0; the last always."
    )
    checkpoint_every: int = Field(100, ge=1, description="Steps between two checkpoints.")
    sample_batch: int = Field(64, ge=1, le=4096, description="Images drawn at a time after training.")

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
