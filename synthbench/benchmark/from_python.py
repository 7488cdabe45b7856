"""A benchmark as Python holds it: a mapping in place of a file, classes and instances in place of names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from synthbench.api.interfaces import Plugin
from synthbench.api.nested.keys import generators_of
from synthbench.api.registry import Registry
from synthbench.benchmark.extends import Extended, extended
from synthbench.benchmark.strict_yaml import Written
from synthbench.errors import ConfigError

__all__ = ["from_python"]

SOURCE = Path("benchmark")
"""How messages call it; its folder, the current one, is where its paths are seen from."""


def from_python(content: Mapping[str, Any], registry: Registry) -> Extended:
    """What a file with the same keys would say. Plugins at hand are lent to `registry`.

    A plugin is `{"use": "acgan", "steps": 50}`, `{"use": MyGenerator, "steps": 50}`, `MyGenerator(steps=50)`, or
    `{"use": MyGenerator(steps=50), "label": "mine"}`. Raises ConfigError for a value that no file can hold.
    """
    if "extends" in content and "name" not in content:
        raise ConfigError(f"{SOURCE}: extends: give it a `name` of its own, or its results take the other's place")
    return extended(_plain_mapping(content, "", registry), SOURCE)


def _plain(value: Any, path: str, registry: Registry) -> Any:
    if _is_plugin(value):
        return _entry({"use": value}, path, registry)
    if isinstance(value, Mapping):
        return _plain_mapping(value, path, registry)
    if isinstance(value, list | tuple):
        return [_plain(item, f"{path}.{k}", registry) for k, item in enumerate(value)]
    if isinstance(value, str | Path):
        return Written(str(value), Path.cwd())
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    raise ConfigError(
        f"{SOURCE}: {path.lstrip('.')}: expected text, a number, True, False, None, a list, a mapping or a "
        f"plugin, found {value!r}"
    )


def _plain_mapping(content: Mapping[Any, Any], path: str, registry: Registry) -> dict[str, Any]:
    if _is_plugin(content.get("use")):
        return _entry(content, path, registry)
    return {str(key): _plain(value, f"{path}.{key}", registry) for key, value in content.items()}


def _entry(content: Mapping[Any, Any], path: str, registry: Registry) -> dict[str, Any]:
    """The entry of a plugin at hand: its name as label, an instance's settings as options."""
    plugin: Plugin | type[Plugin] = content["use"]
    cls, options = (type(plugin), _options(plugin)) if isinstance(plugin, Plugin) else (plugin, {})
    label = {"label": cls.name} if isinstance(getattr(cls, "name", None), str) else {}
    further = {key: value for key, value in content.items() if key != "use"}
    return _plain_mapping({**label, **options, **further, "use": registry.lend(cls)}, path, registry)


def _options(plugin: Plugin) -> dict[str, Any]:
    """An instance's settings, as far as they were given; a generator within it is at hand as well."""
    nested = {name: {"use": n.plugin, "label": n.label} for name, n in generators_of(plugin).items()}
    return {**plugin.model_dump(mode="json", exclude=set(nested), exclude_unset=True), **nested}


def _is_plugin(value: Any) -> bool:
    return isinstance(value, Plugin) or (inspect.isclass(value) and issubclass(value, Plugin))
