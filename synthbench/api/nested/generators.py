"""How a generator's option names another generator:

    class Select(Generator):
        base: GeneratorField = Field(description="draws what this one chooses from")

and in the benchmark file `base: acgan`, `base: mine.py:Mine` or `base: {use: acgan, steps: 500}`. The option's
value is a `NestedGenerator`, built and checked with the file, before any work starts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from synthbench.api.extractors import Known, installed
from synthbench.api.interfaces import Generator
from synthbench.api.paths import absolute_options
from synthbench.api.registry import did_you_mean
from synthbench.errors import ConfigError, PluginError

__all__ = ["GeneratorField", "NestedGenerator"]


@dataclass(frozen=True)
class NestedGenerator:
    """A generator within the options of another; `synthbench.fit_nested(base, train, ctx)` fits it.

    plugin  the generator itself, with its options
    use     what stands after `use:`: its name, or `file.py:Class` as written
    label   of the row whose seeds it has: with the options of that row it is that row's training, done once
    """

    plugin: Generator
    use: str
    label: str


def build_nested(written: object, known: Known | None = None, option: str = "") -> NestedGenerator:
    """The generator behind what stands in a file; without `known`, among what is installed.

    option  the name of the option that it stands in

    Raises PydanticCustomError and ValidationError, which are ValueErrors, with what is wrong.
    """
    if isinstance(written, NestedGenerator):
        return written
    if isinstance(written, Generator):
        return NestedGenerator(written, written.name, written.name)
    known = known or installed()
    use, label, options = _parts(written)
    folder = known.folder_at((option, "use") if isinstance(written, Mapping) else (option,))
    # Spots seen from its own options, so that one within it is found as well.
    below = {spot[1:]: place for spot, place in known.folders.items() if spot[:1] == (option,)}
    inner = replace(known, folders=below)
    try:
        cls = known.registry.find("generator", use, folder)
        options = absolute_options(cls, options, inner.folder_at)
    except (PluginError, ConfigError) as error:
        raise _complaint(str(error)) from error
    assert issubclass(cls, Generator)
    if unknown := sorted(options.keys() - cls.model_fields.keys()):
        raise _complaint(f"{use} has no option {unknown[0]!r}.{did_you_mean(unknown[0], list(cls.model_fields))}")
    plugin = cls.model_validate_json(json.dumps(options), strict=True, context=inner)
    return NestedGenerator(plugin, use, label)


def _parts(written: object) -> tuple[str, str, dict[str, Any]]:
    """`use`, the label and the options."""
    options = dict(written) if isinstance(written, Mapping) else {"use": written}
    use = options.pop("use", None)
    if not isinstance(use, str) or not use:
        raise _complaint("expected the name of a generator, or a mapping with `use:` and its options")
    label = options.pop("label", use)
    if not isinstance(label, str) or not label:
        raise _complaint(f"label: expected a text, found {label!r}; put it in quotes")
    return str(use), str(label), options


def _complaint(message: str) -> PydanticCustomError:
    return PydanticCustomError("generator", "{message}", {"message": message})


def _validate(written: object, info: ValidationInfo) -> NestedGenerator:
    return build_nested(written, info.context if isinstance(info.context, Known) else None, info.field_name or "")


def _written(nested: NestedGenerator) -> dict[str, Any]:
    label = {} if nested.label == nested.use else {"label": nested.label}
    return {"use": nested.use, **label, **nested.plugin.model_dump(mode="json")}


GeneratorField = Annotated[
    NestedGenerator,
    PlainValidator(_validate),
    PlainSerializer(_written),
    WithJsonSchema({"plugin": "generator"}),
]
"""The type of an option that names another generator."""
