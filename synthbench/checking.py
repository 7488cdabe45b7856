"""`synthbench check`: the conformance suite on a plugin given by name or as `path.py:Class`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthbench.config import build_plugin
from synthbench.device import resolve_device
from synthbench.errors import PluginError
from synthbench.interfaces import Plugin
from synthbench.registry import BASES, Registry, did_you_mean, load_registry
from synthbench.testing import run_checks

__all__ = ["check_named", "find_any"]


def check_named(use: str, overrides: Sequence[str], device: str) -> bool:
    """Build the plugin, run every check, print the findings; True where all passed."""
    plugin = build_plugin(find_any(load_registry(), use), overrides)
    findings = run_checks(plugin, device=resolve_device(device))
    for finding in findings:
        print(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.check}: {finding.found}")
        if finding.advice:
            print(f"      {'consider' if finding.ok else 'what to change'}: {finding.advice}")
    failed = sum(not finding.ok for finding in findings)
    print(f"{use}: {len(findings) - failed} checks passed, {failed} failed")
    return failed == 0


def find_any(registry: Registry, use: str) -> type[Plugin]:
    """The plugin class behind a name of any kind, or behind `path.py:Class` seen from here."""
    if ".py:" in use:
        return registry.find_file(use, Path.cwd())
    found = [registry.names(kind)[use] for kind in BASES if use in registry.names(kind)]
    if len(found) == 1:
        return found[0]
    if found:
        raise PluginError(f"{use!r} is the name of {len(found)} plugins of different kinds; write file.py:Class")
    known = [name for kind in BASES for name in registry.names(kind)]
    raise PluginError(f"no plugin is called {use!r}.{did_you_mean(use, known)}")
