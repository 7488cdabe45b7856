"""How an evaluator names its extractor: an option that takes a name, `timm:<model>`, a file's class or a mapping.

    class Fd(Evaluator):
        extractor: ExtractorField = extractor_field("efficientnet-lite0")

and in the benchmark file `extractor: inception`, `extractor: timm:resnet18`, `extractor: mine.py:Mine` or
`extractor: {use: inception, batch_size: 8}`. The option's value is the extractor itself: built and checked with
the file, before any work starts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, PlainValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from synthbench.api.interfaces import Extractor
from synthbench.api.paths import Spot, absolute_options
from synthbench.api.process_state import ask
from synthbench.api.registry import Registry, did_you_mean, load_registry
from synthbench.errors import ConfigError, PluginError
from synthbench.storage.code_version import code_of

__all__ = [
    "ExtractorField",
    "Known",
    "build_extractor",
    "extractor_field",
    "extractors_of",
    "identity",
    "installed",
    "values_of",
]


@dataclass(frozen=True)
class Known:
    """Where names are looked up, as pydantic's validation context: the plugins, and the folder of the file.

    folders  of options that stand in another file: the folder of that one
    """

    registry: Registry
    folder: Path | None = None
    folders: Mapping[Spot, Path] = field(default_factory=dict)

    def folder_at(self, spot: Spot) -> Path | None:
        """The folder from which the paths of the option at `spot` are seen."""
        return self.folders.get(spot, self.folder)


def build_extractor(written: object, known: Known | None = None, option: str = "") -> Extractor:
    """The extractor behind what stands in a file; without `known`, among what is installed.

    option  the name of the option that it stands in

    Raises PydanticCustomError and ValidationError, which are ValueErrors, with what is wrong.
    """
    if isinstance(written, Extractor):
        return written
    known = known or installed()
    use, argument, options = _parts(written)
    try:
        spot = (option, "use") if isinstance(written, Mapping) else (option,)
        cls = known.registry.find("extractor", use, known.folder_at(spot))
        options = absolute_options(cls, options, known.folder_at, (option,))
    except (PluginError, ConfigError) as error:
        raise _complaint(str(error)) from error
    assert issubclass(cls, Extractor)
    if callable(cls.preprocessing):  # its signature would fail, when all is computed
        raise _complaint(f"{use}: `preprocessing` is a method; write it as a property, with `@property` above it")
    if argument:
        if not cls.argument or cls.argument in options:
            raise _complaint(f"{use} takes no {argument!r} after its name here; write `use: {use}` and options")
        options[cls.argument] = argument
    if unknown := sorted(options.keys() - cls.model_fields.keys()):
        raise _complaint(f"{use} has no option {unknown[0]!r}.{did_you_mean(unknown[0], list(cls.model_fields))}")
    extractor = cls.model_validate_json(json.dumps(options), strict=True)
    extractor._use = use
    return extractor


def _parts(written: object) -> tuple[str, str, dict[str, Any]]:
    """`use`, what stands behind its colon, and the options."""
    options = dict(written) if isinstance(written, Mapping) else {"use": written}
    use = options.pop("use", None)
    if not isinstance(use, str) or not use:
        raise _complaint("expected the name of an extractor, or a mapping with `use:` and its options")
    if ".py:" in use:
        return use, "", options
    name, _, argument = use.partition(":")
    return name, argument, options


def _complaint(message: str) -> PydanticCustomError:
    return PydanticCustomError("extractor", "{message}", {"message": message})


@cache
def installed() -> Known:
    """For a plugin that is made in Python: from a file, the file's own registry is used."""
    return Known(load_registry())


def _validate(written: object, info: ValidationInfo) -> Extractor:
    return build_extractor(
        written, info.context if isinstance(info.context, Known) else None, info.field_name or ""
    )


def _written(extractor: Extractor) -> dict[str, Any]:
    return {"use": extractor.use, **extractor.model_dump(mode="json")}


ExtractorField = Annotated[Extractor, PlainValidator(_validate), PlainSerializer(_written)]
"""The type of an option that names an extractor."""


def extractor_field(default: str, description: str = "turns images into features") -> Any:
    """The option itself: what it is where the file says nothing, and what `--help`-like listings say of it."""
    return Field(default, validate_default=True, description=description)


def extractors_of(plugin: Any) -> dict[str, Extractor]:
    """The extractors that a plugin's options name, by option; of a list's by place: "extractors.0"."""
    return {name: value for name, value in values_of(plugin) if isinstance(value, Extractor)}


def values_of(plugin: Any) -> Iterator[tuple[str, Any]]:
    """The values of a plugin's options, those within lists and mappings too, each with its dotted name."""
    for name in type(plugin).model_fields:
        yield from _spread(name, getattr(plugin, name))


def _spread(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _spread(f"{name}.{key}", one)
    elif isinstance(value, list | tuple | set | frozenset):
        for place, one in enumerate(value):
            yield from _spread(f"{name}.{place}", one)
    else:
        yield name, value


def identity(extractor: Extractor) -> dict[str, Any]:
    """All that decides an extractor: options, weights, code. Part of every cache key that it matters to."""
    return {
        "use": f"{extractor.name}:{type(extractor).__qualname__}",
        "config": extractor.model_dump(mode="json"),
        "inputs": ask(extractor, "inputs", to=dict),
        "code": code_of(type(extractor)),
    }
