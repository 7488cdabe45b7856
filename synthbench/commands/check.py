"""`synthbench check`: the conformance suite on a plugin given by name or as `path.py:Class`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthbench.api.interfaces import Dataset, Plugin
from synthbench.api.registry import BASES, Registry, did_you_mean, load_registry
from synthbench.benchmark.config import BenchmarkSource, build_plugin
from synthbench.commands.device import resolve_device
from synthbench.errors import ConfigError, PluginError
from synthbench.testing import Finding, run_checks
from synthbench.types import Splits

__all__ = ["check", "find_any"]


def check(
    use: str | Plugin | type[Plugin],
    *,
    overrides: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    dataset: BenchmarkSource | None = None,
    device: str = "cpu",
) -> list[Finding]:
    """Run every check on the plugin that `use` names, by name or as `path.py:Class`, or that it is.

    overrides  options as after `--set`: "steps=50"
    options    the same as a mapping
    dataset    a benchmark, or the name of a data set plugin: it is tried on a few images of that one
    """
    plugin = use if isinstance(use, Plugin) else _built(use, overrides, options or {})
    if dataset is None:
        return run_checks(plugin, device=resolve_device(device))
    if isinstance(plugin, Dataset):
        raise ConfigError(
            f"{plugin.name} is a data set itself: it is checked on its own images; leave --dataset out"
        )
    from synthbench.commands.few_images import few_images  # loads data, which `plugins` need not wait for

    real = few_images(dataset, load_registry())
    return [_tried_on(real), *run_checks(plugin, real, resolve_device(device))]


def _tried_on(real: Splits) -> Finding:
    train, test = real.train, real.tests["test"]
    height, width, channels = train.shape
    counts = (
        f"{len(train)} training and {len(test)} test images, {height} x {width} x {channels}, of {real.domain}"
    )
    return Finding("data", True, f"{counts}; classes {', '.join(train.classes)}")


def _built(use: str | type[Plugin], overrides: Sequence[str], options: Mapping[str, Any]) -> Plugin:
    cls = find_any(load_registry(), use) if isinstance(use, str) else use
    return build_plugin(cls, overrides, options)


def find_any(registry: Registry, use: str) -> type[Plugin]:
    """The plugin class behind a name of any kind, or behind `path.py:Class` seen from here."""
    if ".py:" in use:
        return registry.find_file(use, Path.cwd())
    classes = [registry.names(kind)[use] for kind in BASES if use in registry.names(kind)]
    if len(classes) == 1:
        return classes[0]
    if classes:
        raise PluginError(f"{use!r} is the name of {len(classes)} plugins of different kinds; write file.py:Class")
    known = [name for kind in BASES for name in registry.names(kind)]
    raise PluginError(f"no plugin is called {use!r}.{did_you_mean(use, known)}")
