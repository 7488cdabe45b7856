"""Options checked by their pydantic model; what is wrong, in words."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from synthbench.api.extractors import Known
from synthbench.api.registry import did_you_mean
from synthbench.errors import ConfigError

__all__ = ["validated"]

M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], options: dict[str, Any], where: str, path: str, known: Known | None = None) -> M:
    """Build a pydantic model in strict mode, from JSON so that lists serve as tuples and text as paths.

    `known` says where the names of extractors are looked up; by default among the installed plugins.
    """
    try:
        return model.model_validate_json(json.dumps(options), strict=True, context=known)
    except ValidationError as error:
        lines = [_explain(model, item, where, path) for item in _causes(error)]
        raise ConfigError("\n".join(lines)) from error


def _causes(error: ValidationError) -> list[Any]:
    """The errors that are to be mended: of items of one list the first, and none that follows from others."""
    errors = error.errors(include_url=False)
    inner = {item["loc"][:depth] for item in errors for depth in range(len(item["loc"]))}
    causes: dict[Any, Any] = {}
    for item in errors:
        *parents, last = item["loc"] or ("",)
        if item["loc"] not in inner:
            causes.setdefault((*parents, item["type"]) if isinstance(last, int) else item["loc"], item)
    return list(causes.values())


def _explain(model: type[BaseModel], item: Any, where: str, path: str) -> str:
    dotted = ".".join([path, *map(str, item["loc"])]).strip(".")
    if item["type"] == "extra_forbidden":
        hint = did_you_mean(str(item["loc"][-1]), list(model.model_fields))
        return f"{where}: {dotted}: unknown key.{hint}"
    if item["type"] == "missing":
        return f"{where}: {dotted}: this key is required"
    if item["type"] in ("extractor", "generator"):
        return f"{where}: {dotted}: {item['msg']}"
    if item["type"] == "string_type" and isinstance(item["input"], int | float):
        text = json.dumps(item["input"])
        return f"{where}: {dotted}: expected a text, found {text}; put it in quotes"  # as written: 0x1F is 31
    message = item["msg"].removeprefix("Value error, ").replace("Input should be ", "expected ", 1)
    is_said = isinstance(item["input"], dict | list) or repr(item["input"]) in message
    value = "" if is_said else f", found {item['input']!r}"
    return f"{where}: {dotted}: {message}{value}"
