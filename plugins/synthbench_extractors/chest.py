"""`torchxrayvision` and `rad-dino`: networks trained on chest X-rays. Each wants an extra to be installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from synthbench import Context, DataError, Embed, Extractor, Images, WeightFile
from synthbench_torchkit.available import require

__all__ = ["RadDino", "TorchXRayVision"]

DENSENET = "nih-pc-chex-mimic_ch-google-openi-kaggle-densenet121-d121-tw-lr001-rot45-tr15-sc15-seed0-best.pt"
XRAYS = WeightFile(
    f"torchxrayvision/{DENSENET}",
    f"https://github.com/mlmed/torchxrayvision/releases/download/v1/{DENSENET}",
    "56524913dd16a906422e8d8b66a7a5c46be1d82eb7ac012d8103776f1aa68899",
)
REVISION = "110cbc18d5133582e320b43d53bf5c44e410c936"
RAD_DINO = WeightFile(
    "rad-dino/model.safetensors",
    f"https://huggingface.co/microsoft/rad-dino/resolve/{REVISION}/model.safetensors",
    "dbfb9f54459c38773505de64a6ab7807bdcb392610fe1e697166342e43fb91ae",
)


SHAPE: dict[str, Any] = {"image_size": 518, "patch_size": 14}
"""What RAD-DINO's config.json says beyond the defaults of transformers, which are ViT-B's."""


class TorchXRayVision(Extractor):
    """DenseNet-121 trained on seven public sets of chest X-rays (Cohen et al. 2022); D = 1024.

    `densenet121-res224-all`: last feature maps after ReLU, averaged over space. Colour becomes grey as the mean
    of its channels.
    """

    name: ClassVar[str] = "torchxrayvision"

    @property
    def preprocessing(self) -> str:
        return "224x224 bilinear antialiased, grey, (2 x / 255 - 1) 1024"

    def files(self) -> Sequence[WeightFile]:
        """The release that the package itself downloads."""
        require("torchxrayvision", self.name, "this extractor")
        return (XRAYS,)

    def load(self, train: Images, ctx: Context) -> Embed:  # noqa: ARG002 - it learns nothing here
        """Raises DataError where the file is missing or another: it is a pickle, which only then is opened."""
        from torchxrayvision.models import DenseNet

        from synthbench_extractors.network import Preparation, embed_with

        (weights,) = self.files()
        weights.verify()
        model = DenseNet(weights="densenet121-res224-all", cache_dir=str(weights.path.parent))  # finds it there
        prepare = Preparation(224, "bilinear", mean=(127.5,) * 3, std=(127.5 / 1024,) * 3)
        return embed_with(model, prepare, ctx, lambda images: model.features2(images.mean(1, keepdim=True)))


class RadDino(Extractor):
    """RAD-DINO, a DINOv2 ViT-B/14 trained on chest X-rays (Perez-Garcia et al. 2025): class token; D = 768.

    Its processor scales the shorter side to 518 pixels and crops; square pictures are not cropped by that.
    """

    name: ClassVar[str] = "rad-dino"

    @property
    def preprocessing(self) -> str:
        return "518x518 bicubic antialiased, grey as RGB, (x / 255 - 0.5307) / 0.2583"

    def files(self) -> Sequence[WeightFile]:
        """Microsoft's file at the revision that was current in 2026."""
        require("transformers", self.name, "this extractor")
        return (RAD_DINO,)

    def load(self, train: Images, ctx: Context) -> Embed:  # noqa: ARG002 - it learns nothing here
        """Raises DataError where the file is missing or another."""
        from safetensors.torch import load_file
        from transformers import Dinov2Config, Dinov2Model

        from synthbench_extractors.network import Preparation, embed_with

        (weights,) = self.files()
        weights.verify()
        config = Dinov2Config(**SHAPE)
        loaded: Any = Dinov2Model.from_pretrained(
            None, config=config, state_dict=load_file(weights.path), output_loading_info=True
        )
        model, report = loaded
        if report["missing_keys"]:  # would stay random: a version of transformers that names things otherwise
            raise DataError(f"{weights.path} lacks {sorted(report['missing_keys'])[:3]}")
        mean, std = 255 * 0.5307, 255 * 0.2583
        prepare = Preparation(518, "bicubic", mean=(mean,) * 3, std=(std,) * 3)
        return embed_with(model, prepare, ctx, lambda images: model(images).pooler_output)
