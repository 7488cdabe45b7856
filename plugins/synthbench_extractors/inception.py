"""`inception`: the network of the Frechet inception distance, as torch-fidelity has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from synthbench import Context, Embed, Extractor, Images, WeightFile

__all__ = ["Inception"]

WEIGHTS = WeightFile(
    "inception/weights-inception-2015-12-05-6726825d.pth",
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
)


class Inception(Extractor):
    """Inception v3 of 2015-12-05, the one of the FID (Heusel et al. 2017): last average pooling, D = 2048.

    torch-fidelity's port, with its own resize: TensorFlow 1's bilinear, which neither averages nor centres.
    """

    name: ClassVar[str] = "inception"

    @property
    def preprocessing(self) -> str:
        return "299x299 bilinear of TensorFlow 1, grey as RGB, (x - 128) / 128"

    def files(self) -> Sequence[WeightFile]:
        """torch-fidelity's release; its name carries the first digits of its SHA-256."""
        return (WEIGHTS,)

    def load(self, train: Images, ctx: Context) -> Embed:  # noqa: ARG002 - it learns nothing here
        """Raises DataError where the file is missing or another: it is a pickle, which only then is opened."""
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        from synthbench_extractors.network import embed_with

        (weights,) = self.files()
        weights.verify()
        model = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], str(weights.path))
        return embed_with(model, lambda images: images, ctx, lambda images: model(images)[0])
