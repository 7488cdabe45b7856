"""`synthbench check`: the conformance suite on a plugin given by name or as `path.py:Class`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthbench.api.interfaces import Plugin
from synthbench.api.registry import BASES, Registry, did_you_mean, load_registry
from synthbench.benchmark.config import build_plugin
from synthbench.commands.device import resolve_device
from synthbench.errors import PluginError
from synthbench.testing import Finding, run_checks

__all__ = ["check", "find_any"]


def check(
    use: str | Plugin | type[Plugin],
    *,
    overrides: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    device: str = "cpu",
) -> list[Finding]:
    """Run every check on the plugin that `use` names, by name or as `path.py:Class`, or that it is.

    overrides  options as after `--set`: "steps=50"
    options    the same as a mapping
    """
    plugin = use if isinstance(use, Plugin) else _built(use, overrides, options or {})
    return run_checks(plugin, device=resolve_device(device))


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
