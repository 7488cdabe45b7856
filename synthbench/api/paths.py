"""Paths among a plugin's options: made absolute, seen from the file that names them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from synthbench.errors import ConfigError

__all__ = ["Spot", "absolute_options", "seen_from_here"]

Spot = tuple[str, ...]
"""Where a value stands among options: ("extractor", "weights")."""


def absolute_options(
    model: type[BaseModel], options: Mapping[str, Any], folder_at: Callable[[Spot], Path | None], above: Spot = ()
) -> dict[str, Any]:
    """The options with every relative path made absolute, wherever a field of the model takes a path.

    folder_at  the folder from which a value's path is seen, by the value's spot; None leaves the value as it is
    above      the spot of the options themselves

    Raises ConfigError for what is not there but lies where older versions looked: in the current folder.
    """

    def absolute(annotation: Any, value: Any, spot: Spot) -> Any:
        match value:
            case str() if _takes_path(annotation) and value not in _literals(annotation):
                return _absolute(value, folder_at(spot), spot)
            case list():
                return [absolute(annotation, item, (*spot, str(i))) for i, item in enumerate(value)]
            case dict():
                within = _model_in(annotation)
                inner = {key: within.model_fields[key].annotation for key in value if key in within.model_fields}
                plain = None if within is not BaseModel else annotation
                return {key: absolute(inner.get(key, plain), v, (*spot, key)) for key, v in value.items()}
        return value

    fields = model.model_fields
    return {
        key: absolute(fields[key].annotation, value, (*above, key)) if key in fields else value
        for key, value in options.items()
    }


def seen_from_here(written: str, folder: Path) -> str:
    """What to say of a path that is not there seen from `folder`, but lies in the current folder; else ""."""
    here = Path.cwd() / written
    if (folder / written).exists() or not here.exists():
        return ""
    return (
        f"{written} is seen from the file that names it and is not in {folder.absolute()}; it lies in the current "
        f"folder, where older versions looked too: write {os.path.relpath(here, folder)}"
    )


def _absolute(written: str, folder: Path | None, spot: Spot) -> str:
    path = Path(written).expanduser()
    if folder is None or path.is_absolute():
        return str(path)
    if elsewhere := seen_from_here(written, folder):
        raise ConfigError(f"{'.'.join(spot)}: {elsewhere}")
    return str(folder.absolute() / path)


def _takes_path(annotation: Any) -> bool:
    """Path, Path | None, tuple[Path, ...], Literal["none"] | Path; not str | Path, which is no path for sure."""
    if isinstance(annotation, type) and issubclass(annotation, PurePath):
        return True
    inner, origin = get_args(annotation), get_origin(annotation)
    if origin is Literal or (origin in (Union, UnionType) and str in inner):
        return False
    return any(map(_takes_path, inner))


def _literals(annotation: Any) -> set[Any]:
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return set().union(*map(_literals, get_args(annotation)))


def _model_in(annotation: Any) -> type[BaseModel]:
    """The model that a mapping is read into; BaseModel itself, which has no fields, where there is none."""
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        return annotation
    return next((m for m in map(_model_in, get_args(annotation)) if m is not BaseModel), BaseModel)
