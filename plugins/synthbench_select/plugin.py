"""The plugin `select`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from synthbench import Context, Generator, GeneratorField, Images, Origin, Sampler, hookimpl

__all__ = ["Select"]


class Select(Generator):
    """Draws `oversample` times as many images as asked for from another generator and keeps a share of each class.

    Rows of one base under other policies choose from the same images of one training.
    """

    name: ClassVar[str] = "select"

    base: GeneratorField = Field(
        description="the generator that draws, as a row says it: `{use: acgan, steps: 500}`; its training is "
        "shared with the row of the same options that is called as `label` in it says, by default as `use` does"
    )
    policy: Literal["random", "margin", "coverage"] = Field(
        "margin",
        description="what is kept. `random`: whichever, the control; `margin`: where a probe of the training "
        "images agrees with the label, first those it is least sure of; `coverage`: what spreads over the "
        "training images in the probe's features (kernel herding)",
    )
    oversample: int = Field(4, ge=2, description="images drawn for each one kept")

    def origin(self) -> Origin:
        """The base's: the probe sees nothing else."""
        return self.base.plugin.origin()

    def fit(self, train: Images, ctx: Context) -> Sampler:
        """Raises DataError where a policy other than random has a single class, or a class of one patient."""
        from synthbench_select.selector import fit_selector

        return fit_selector(self.base, self.policy, self.oversample, train, ctx)


@hookimpl
def register_generators() -> Iterable[type[Generator]]:
    return [Select]
