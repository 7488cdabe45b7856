"""What a call from Python gives, as the commands take it; or one message that says which argument is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path

from synthbench.errors import ConfigError

__all__ = ["Place", "as_count", "as_overrides", "as_path", "as_paths", "as_texts"]

Place = Path | str


def as_path(value: object, name: str) -> Path:
    """A file or a folder. Raises ConfigError for what names none."""
    if isinstance(value, str | os.PathLike) and isinstance(path := os.fspath(value), str) and path:
        return Path(path)
    is_array = hasattr(value, "__array__")
    found = "an array; write it with np.savez(FILE, images=..., labels=...)" if is_array else repr(value)
    raise ConfigError(f"{name}: expected the path of a file or a folder, found {found}")


def as_paths(value: object, name: str) -> list[Path]:
    """One or several. Raises ConfigError for none at all."""
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if not values:
        raise ConfigError(f"{name}: no path is given")
    return [as_path(one, name) for one in values]


def as_texts(value: object, name: str) -> list[str]:
    """One text or several. Raises ConfigError for anything else."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, Sequence) or not all(isinstance(one, str) for one in values):
        raise ConfigError(f"{name}: expected a list of texts, found {value!r}")
    return list(values)


def as_overrides(value: object) -> list[str]:
    """ "generators.0.steps=50", also as {"generators.0.steps": 50}."""
    if isinstance(value, Mapping):
        return [f"{key}={_as_yaml(one, str(key))}" for key, one in value.items()]
    return as_texts(value, "overrides")


def _as_yaml(value: object, key: str) -> str:
    """On one line: .00001 as 1.0e-05, which 1e-05 is not."""
    import yaml

    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    elif hasattr(value, "item"):  # of NumPy
        value = value.item()
    try:
        text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"))
    except yaml.YAMLError as error:
        raise ConfigError(f"overrides: {key}: no file can hold {value!r}") from error
    return str(text).removesuffix("...\n").strip()


def as_count(value: object, name: str) -> int:
    """A whole number above 0. Raises ConfigError for anything else."""
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else 0.0
    if number < 1 or not number.is_integer():  # nor infinite, nor NaN
        raise ConfigError(f"{name}: expected a whole number above 0, found {value!r}")
    return int(number)
