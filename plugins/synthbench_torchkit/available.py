"""Whether what a plugin needs can be had, packages, backbones, published weights: seen before any work starts."""

from __future__ import annotations

import difflib
from importlib.util import find_spec
from pathlib import Path

from synthbench import ConfigError, DataError, PluginError, offline
from synthbench_torchkit.recipe import TIMM, Recipe

__all__ = ["check_available", "check_model", "require"]


def require(package: str, extra: str, who: str) -> None:
    """Raise PluginError where `package`, of the extra of our distribution that `who` needs, is not installed."""
    if find_spec(package) is None:
        install = f"`pip install '.[{extra}]'` or `uv sync --extra {extra}`"
        raise PluginError(f"{who} needs {package}; in a clone of synthbench's repository: {install}")


def check_available(recipe: Recipe) -> None:
    """Raise ConfigError for a model that timm has not got, DataError for weights that offline are not here."""
    if recipe.backbone.startswith(TIMM):
        check_model(recipe.backbone.removeprefix(TIMM))
    if recipe.weights == "imagenet" and offline() and not _is_cached(recipe.backbone):
        raise DataError(
            f"offline, and the ImageNet weights of {recipe.backbone} are not in the local cache; start this once "
            "where there is a network, or write weights: <the path of a file>"
        )


def check_model(model: str) -> None:
    """Raise ConfigError, with names that are close, for a model that timm has not got."""
    import timm

    if not timm.is_model(model):
        close = ", ".join(difflib.get_close_matches(model, timm.list_models(), n=3))
        hint = f"; did you mean {close}?" if close else ""
        raise ConfigError(f"timm {timm.__version__} has no model {model!r}{hint}")


def _is_cached(backbone: str) -> bool:
    """Where torchvision and timm themselves look first."""
    if backbone == "vgg16":
        import torch
        from torchvision.models import VGG16_Weights

        return Path(torch.hub.get_dir(), "checkpoints", Path(VGG16_Weights.IMAGENET1K_V1.url).name).is_file()
    import timm
    from huggingface_hub import try_to_load_from_cache

    config = timm.get_pretrained_cfg(backbone.removeprefix(TIMM))
    names = ("model.safetensors", "pytorch_model.bin")
    hub = str(getattr(config, "hf_hub_id", None) or "")
    return "/" in hub and any(isinstance(try_to_load_from_cache(hub, name), str) for name in names)
