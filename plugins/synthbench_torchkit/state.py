"""The state of a training that may be killed, and tensors on disk, atomically."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

__all__ = ["join", "load_moments", "load_tensors", "moments", "save_tensors", "select"]


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write `tensors` and `metadata` (JSON values) as safetensors; readers see the old file or the new, not half.

    Tensors are written from any device, in plain row-major order.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        save_file(plain, temporary, metadata={"about": json.dumps(dict(metadata))})
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `save_tensors` wrote, on the CPU.

    Raises FileNotFoundError where there is no such file, RuntimeError where it is damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads(file.metadata()["about"])
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118 - not a mapping
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RuntimeError(f"{path} is damaged ({error}); delete it to start again") from error


def join(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors of all parts, as `<part>.<name>`: what `select` takes apart."""
    return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}


def select(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix` and a dot, named by what follows."""
    start = len(prefix) + 1
    return {name[start:]: tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}.")}


def moments(network: nn.Module, optimiser: Optimizer) -> dict[str, Tensor]:
    """What an Adam remembers of each weight of `network`, as `<weight>.<what>`."""
    return {
        f"{name}.{kind}": tensor
        for name, weight in network.named_parameters()
        for kind, tensor in optimiser.state[weight].items()
    }


def load_moments(network: nn.Module, optimiser: Optimizer, state: Mapping[str, Tensor]) -> None:
    """Take over what `moments` returned."""
    for name, weight in network.named_parameters():
        optimiser.state[weight] = {
            kind: tensor if kind == "step" else tensor.to(weight) for kind, tensor in select(state, name).items()
        }
