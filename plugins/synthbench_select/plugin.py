"""The plugin `select`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from synthbench import Context, Generator, GeneratorField, Images, Origin, Sampler, WeightFile, hookimpl
from synthbench_torchkit.available import require

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
    policy: Literal["random", "margin", "coverage", "dqn"] = Field(
        "margin",
        description="what is kept. `random`: whichever, the control; `margin`: where a probe of the training "
        "images agrees with the label, first those it is least sure of; `coverage`: what spreads over the "
        "training images in the probe's features (kernel herding); `dqn`: what a deep Q-network keeps that has "
        "learned which images help a linear classifier of real ones (extra `select`)",
    )
    oversample: int = Field(4, ge=2, description="images drawn for each one kept")
    steps: int = Field(20000, ge=1, description="images on which the Q-network of `dqn` decides in its training")

    def origin(self) -> Origin:
        """The base's: the probe sees nothing else."""
        return self.base.plugin.origin()

    def files(self) -> Sequence[WeightFile]:
        """None; raises PluginError where `dqn` lacks its extra, before any work starts."""
        if self.policy == "dqn":
            require("stable_baselines3", "select", "the policy dqn of select")
        return ()

    def fit(self, train: Images, ctx: Context) -> Sampler:
        """Raises DataError where a policy other than random has a single class, or a class of one patient."""
        from synthbench_select.selector import fit_selector

        return fit_selector(self.base, self.policy, self.oversample, self.steps, train, ctx)


@hookimpl
def register_generators() -> Iterable[type[Generator]]:
    return [Select]
