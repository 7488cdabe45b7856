"""`timm:<model>`: any pretrained image model of timm, DINOv2 among them."""

from __future__ import annotations

import difflib
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from synthbench import ConfigError, Context, DataError, Embed, Extractor, Images, WeightFile, sha256_of

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Timm"]


class Timm(Extractor):
    """A pretrained model of timm without its classifier: what its last layer would see.

    Size, kernel and normalisation are those that timm states for the model; the whole picture goes in, whatever
    crop it states. The hub gives no digest to pin beforehand: `sha256` pins the file, and the file's own digest
    counts in every key and stands in the signature.
    """

    name: ClassVar[str] = "timm"
    argument: ClassVar[str] = "model"

    model: str = Field(description="timm's name of it, e.g. resnet18.a1_in1k or vit_small_patch14_dinov2.lvd142m")
    weights: Path | None = Field(None, description="a file (safetensors or torch) instead of the hub's")
    sha256: str = Field("", pattern="^[0-9a-f]{0,64}$", description="what the weights' digest must begin with")
    image_size: int | None = Field(
        None,
        ge=8,
        description="height and width; unset: timm's own for the model (DINOv2: 518, slow; 224 is usual)",
    )

    @property
    def preprocessing(self) -> str:
        config = self._config()
        size = self.image_size or config.input_size[-1]
        mean, std = _three(config.mean), _three(config.std)
        return f"{size}x{size} {_kernel(config)} antialiased, grey as RGB, (x / 255 - {mean}) / {std}"

    def files(self) -> Sequence[WeightFile]:
        """The hub's file; none where `weights` names one. Raises ConfigError for a model that timm has not got."""
        if self.weights is not None:
            return ()
        hub = self._config().hf_hub_id
        if not hub:
            raise ConfigError(f"timm:{self.model}: no weights are published for it; name a file as `weights:`")
        url = f"https://huggingface.co/{hub}/resolve/main/model.safetensors"
        return (WeightFile(f"timm/{hub.replace('/', '--')}.safetensors", url, self.sha256),)

    def inputs(self) -> Mapping[str, str]:
        """The digest of the weights. Raises DataError where they are missing or others than pinned."""
        if self.weights is None:
            return super().inputs()
        try:
            digest = sha256_of(self.weights)
        except OSError as error:
            raise DataError(f"timm:{self.model}: weights: {self.weights}: {error.strerror}") from error
        if not digest.startswith(self.sha256):
            raise DataError(f"{self.weights} has SHA-256 {digest}, expected {self.sha256}")
        return {"weights": digest}

    def load(self, train: Images, ctx: Context) -> Embed:  # noqa: ARG002 - it learns nothing here
        """Raises ConfigError for a size that the model does not take, DataError for weights that do not fit."""
        from synthbench_extractors.network import Preparation, embed_with

        self.inputs()
        config = self._config()
        model = self._model()
        mean, std = ([255 * value for value in values] for values in (config.mean, config.std))
        size = self.image_size or config.input_size[-1]
        return embed_with(model, Preparation(size, _kernel(config), tuple(mean), tuple(std)), ctx)

    def _model(self) -> nn.Module:
        """Built and filled by timm, which knows how each family's published names become its own.

        Nothing of it may stay random: every tensor but the classifier's must be in the file.
        """
        import timm

        file = self.weights or self.files()[0].path
        config = self._config()
        size: dict[str, Any] = {"img_size": self.image_size} if self.image_size and config.fixed_input_size else {}
        try:
            state = timm.models.load_state_dict(str(file), weights_only=True)
            heads = tuple(f"{name}." for name in _names(config.classifier))
            body = {name: tensor for name, tensor in state.items() if not name.startswith(heads)}
            overlay: dict[str, Any] = {"state_dict": body, "num_classes": 0}
            return timm.create_model(
                self.model, pretrained=True, pretrained_cfg_overlay=overlay, num_classes=0, **size
            )
        except (RuntimeError, KeyError, ValueError, AssertionError, pickle.UnpicklingError) as error:
            raise DataError(f"timm:{self.model} cannot be made from {file}: {error}") from error

    def _config(self) -> Any:
        """timm's own record of the model. Raises ConfigError where there is none."""
        import timm

        config = timm.get_pretrained_cfg(self.model) if timm.is_model(self.model) else None
        if config is None:
            close = difflib.get_close_matches(self.model, timm.list_models(), n=3)
            hint = f"; did you mean {', '.join(close)}?" if close else ""
            raise ConfigError(f"timm {timm.__version__} has no model {self.model!r}{hint}")
        return config


def _names(classifier: str | Sequence[str] | None) -> tuple[str, ...]:
    """What timm calls the last layers: one name, several, or none."""
    return (classifier,) if isinstance(classifier, str) else tuple(classifier or ())


def _kernel(config: Any) -> str:
    """The nearest of torch's two kernels."""
    return "bilinear" if config.interpolation == "bilinear" else "bicubic"


def _three(values: Sequence[float]) -> str:
    return f"({', '.join(f'{value:g}' for value in values)})"
