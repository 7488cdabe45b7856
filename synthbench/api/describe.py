"""What a plugin is and takes as options, in words: for `synthbench plugins NAME` and the reference pages.

Names, values and choices stand between backticks, as in Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel

from synthbench.api.interfaces import Evaluator, Extractor, Generator, Plugin

__all__ = ["Option", "facts_of", "options_of"]

TYPES = {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text"}
PLURALS = {"integer": "whole numbers", "number": "numbers", "string": "texts"}
PRIORS = {
    "balanced": "equally many images of each class",
    "train": "the classes in the training set's proportions",
}

Schema = Mapping[str, Any]


class Option(NamedTuple):
    """A key as people read it: "steps", "whole number, 1 to 100", "`10`", "optimiser steps"."""

    name: str
    kind: str
    default: str
    meaning: str


def options_of(model: type[BaseModel]) -> list[Option]:
    """The options of a plugin, or the keys of another model, in their order."""
    schema = model.model_json_schema()
    required = schema.get("required", ())
    return [
        Option(name, _type(option), _default(name in required, option), option.get("description", ""))
        for name, option in schema.get("properties", {}).items()
    ]


def facts_of(cls: type[Plugin]) -> list[str]:
    """What a benchmark's author must know of the plugin beside its options."""
    if issubclass(cls, Generator):
        return [f"A {cls.role}, asked for {PRIORS[cls.prior]}."]
    if issubclass(cls, Evaluator):
        return [_metrics(cls())] if not _required(cls) else []
    if issubclass(cls, Extractor) and cls.argument:
        return [
            f"`{cls.name}:<{cls.argument}>` is short for `{{use: {cls.name}, {cls.argument}: <{cls.argument}>}}`."
        ]
    return []


def _required(cls: type[Plugin]) -> list[str]:
    return [name for name, field in cls.model_fields.items() if field.is_required()]


def _metrics(evaluator: Evaluator) -> str:
    """Its metrics by which way is better; a name's extractor as `[..]`."""
    parts = []
    for way in ("higher", "lower"):
        names = [
            re.sub(r"\[.*\]", "[..]", metric) for metric, better in evaluator.metrics.items() if better == way
        ]
        parts += [f"{way} is better: {', '.join(f'`{name}`' for name in names)}"] if names else []
    gates = [f"above 0 takes the rank: `{name}`" for name in sorted(evaluator.gates)]
    return f"Metrics, {'; '.join([*parts, *gates])}."


def _type(option: Schema) -> str:
    """whole number, 1 to 100; list of texts, at least 2; `squash`, `pad` or `crop`."""
    kinds = [kind for kind in option.get("anyOf", (option,)) if kind.get("type") != "null"]
    return " or ".join(map(_single_type, kinds))


def _single_type(option: Schema) -> str:
    if "enum" in option:
        *others, last = [f"`{choice}`" for choice in option["enum"]]
        return f"{', '.join(others)} or {last}"
    if option.get("type") == "array":
        return _array(option)
    if option.get("type") == "object" or "$ref" in option:
        return "mapping"
    if option.get("format") == "path":
        return "path"
    kind = TYPES[option["type"]] if "type" in option else option.get("plugin", "extractor")
    return ", ".join(filter(None, [kind, _range(option)]))


def _array(option: Schema) -> str:
    items = option["prefixItems"][0] if "prefixItems" in option else option["items"]
    of = PLURALS.get(items.get("type", ""), "mappings")
    least = "" if option.get("minItems", 1) == 1 else f"at least {option['minItems']}"
    name, least = (f"{option['minItems']} {of}", "") if "prefixItems" in option else (f"list of {of}", least)
    return ", ".join(filter(None, [name, least, _range(items)]))


def _range(option: Schema) -> str:
    """1 to 100; > 0, < 1; a pattern where a text has one."""
    if "minimum" in option and "maximum" in option:
        return f"{option['minimum']} to {option['maximum']}"
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {option[key]}" for key, sign in signs.items() if key in option]
    return ", ".join([*bounds, *([f"`{option['pattern']}`"] if "pattern" in option else [])])


def _default(required: bool, option: Schema) -> str:
    if required:
        return "required"
    value = option["default"]
    if value is None or value == "":
        return "unset"
    if isinstance(value, dict):
        return ", ".join(f"`{key}: {inner}`" for key, inner in value.items())
    written = yaml.safe_dump(value, default_flow_style=True).splitlines()[0]
    return f"`{written}`"
