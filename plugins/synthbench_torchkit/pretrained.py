"""Weights for a backbone: downloaded by torchvision or timm, or read from a file."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from synthbench import DataError
from synthbench_torchkit.recipe import TIMM, Recipe

__all__ = ["load_pretrained"]

State = Mapping[str, Tensor]


def load_pretrained(backbone: nn.Module, recipe: Recipe) -> None:
    """Put the recipe's weights into `backbone`; `none` leaves it as it is.

    Raises DataError where they cannot be had or do not fit.
    """
    if recipe.weights == "imagenet":
        state = _vgg16_state() if recipe.backbone == "vgg16" else _timm_state(recipe.backbone)
        _load(backbone, state, f"the ImageNet weights of {recipe.backbone}")
    elif recipe.weights != "none":
        _load(backbone, _read(Path(recipe.weights)), recipe.weights)


def _vgg16_state() -> State:
    from torchvision.models import VGG16_Weights

    weights = VGG16_Weights.IMAGENET1K_V1
    try:
        state: State = weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:  # no network; a broken download
        raise _not_there("torchvision's " + weights.url.rpartition("/")[2], error) from error
    return state


def _timm_state(name: str) -> State:
    import timm

    model = name.removeprefix(TIMM)
    try:
        state: State = timm.create_model(model, pretrained=True, num_classes=0).state_dict()
    except Exception as error:  # the hub's client raises whatever its HTTP library does
        config = timm.get_pretrained_cfg(model)
        source = getattr(config, "hf_hub_id", None) or model
        raise _not_there(f"timm's {source}/model.safetensors", error) from error
    return state


def _not_there(file: str, error: Exception) -> DataError:
    return DataError(
        f"weights: imagenet needs {file}, which is neither in the local cache nor to be downloaded "
        f"({type(error).__name__}: {error}); fetch it where there is a network and write weights: <its path>"
    )


def _read(path: Path) -> State:
    """A state dict from safetensors or torch. Nothing in the file is executed."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, SafetensorError, pickle.UnpicklingError) as error:
        raise DataError(f"{path} holds no weights (safetensors or a torch state dict): {error}") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise DataError(f"{path} is no state dict: save model.state_dict() itself, tensors by name")
    return state


def _load(backbone: nn.Module, state: State, source: str) -> None:
    """All of the backbone's own tensors must be there and fit; what else the file holds is the top's."""
    own = backbone.state_dict()
    missing = [name for name in own if name not in state]
    if missing:
        raise DataError(f"{source} lacks {len(missing)} of {len(own)} tensors, e.g. {missing[0]!r}")
    for name, tensor in own.items():
        if state[name].shape != tensor.shape:
            shape, needed = tuple(state[name].shape), tuple(tensor.shape)
            raise DataError(f"{source}: tensor {name!r} has shape {shape}, the backbone needs {needed}")
    backbone.load_state_dict({name: state[name] for name in own})
