"""Checks that hold for every plugin: its configuration, its import, pickling, the random numbers of others."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from pydantic import ValidationError

from synthbench.api.declarations import name_faults
from synthbench.api.process_state import changes
from synthbench.testing.cases import Case
from synthbench.testing.findings import Violation, require

__all__ = ["AFTERWARDS", "FIRST", "repickled"]

SLOW = ("jax", "matplotlib", "pandas", "scipy", "sklearn", "tensorflow", "timm", "torch", "torchvision")

IMPORT_IT = """
import importlib, importlib.util, sys
name, file = sys.argv[1:]
try:
    importlib.import_module(name)
except ModuleNotFoundError as error:
    if not name.startswith(error.name or " "):
        raise
    spec = importlib.util.spec_from_file_location(name, file)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
print(*(name for name in sys.modules if "." not in name))
"""
"""By name where that works, else as the single file that a benchmark names by its path."""


def _name(case: Case) -> str:
    name = getattr(type(case.plugin), "name", None)
    fine = isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_-]+", name) is not None
    require(
        fine,
        f"name is {name!r}",
        'set `name: ClassVar[str] = "my-plugin"`: letters, digits, "-" and "_"; a benchmark file writes it',
    )
    return f"{name}"


def _configuration(case: Case) -> str:
    config = type(case.plugin).model_config
    closed = config.get("frozen") is True and config.get("extra") == "forbid"
    advice = "leave model_config as synthbench's Plugin sets it: a configuration is part of a cache key"
    require(closed, f"frozen={config.get('frozen')}, extra={config.get('extra')!r}", advice)
    text = case.plugin.model_dump_json()
    require(_reread(case.plugin, text) == case.plugin, f"{text} is read back as another one", _JSON)
    return text


_JSON = "use field types that JSON can hold and give back (numbers, strings, tuples, paths, other models)"


def _reread(plugin: Any, text: str) -> object:
    try:
        return type(plugin).model_validate_json(text, strict=True)
    except ValidationError as error:
        raise Violation(f"{text} is not read back: {error}", _JSON) from error


def _import(case: Case) -> str:
    module = type(case.plugin).__module__
    file = getattr(sys.modules.get(module), "__file__", None)
    if module == "__main__" or file is None:
        return "not looked at: the class is not defined in a module"
    done = _fresh_import(module, file)
    error = done.stderr.strip().rpartition("\n")[2]
    require(done.returncode == 0, f"importing {module} in a fresh Python: {error}", "mend its imports")
    slow = sorted(set(SLOW) & set(done.stdout.split()))
    advice = "import it inside the functions that need it: listing the plugins must not wait for it"
    require(not slow, f"importing {module} imports {', '.join(slow)}", advice, warning="torch" not in slow)
    return "no slow library at module level"


@cache
def _fresh_import(module: str, file: str) -> subprocess.CompletedProcess[str]:
    """Import the module in another Python: once, however many of its plugins are examined."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", IMPORT_IT, module, file]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _pickling(case: Case) -> str:
    copy = repickled(case.plugin, "the plugin", "define its class at the top level of a module")
    require(copy == case.plugin, "the copy differs from the original", "keep all settings in pydantic fields")
    return "the plugin's copy equals the plugin"


def repickled(value: Any, what: str, advice: str) -> Any:
    """`value` through pickle and back. Raises Violation where that is impossible."""
    try:
        return pickle.loads(pickle.dumps(value))
    except Exception as error:  # pickle passes on whatever a class's own methods raise
        raise Violation(f"{what} cannot be pickled: {type(error).__name__}: {error}", advice) from error


def _global_random(case: Case) -> str:
    names = " and ".join(sorted(case.moved))
    advice = "draw from ctx.rng(...) or from a generator of your own: others share the global one"
    require(not case.moved, f"it moved the global state of {names}", advice, warning=True)
    return "left alone"


def _names(case: Case) -> str:
    faults = name_faults(type(case.plugin))
    require(not faults, "; ".join(faults), "the harness uses these names", last=True)
    return "none is the harness's own"


FIRST: dict[str, Callable[[Case], str]] = {
    "name": _name,
    "names": _names,
    "configuration": _configuration,
    "import": _import,
    "pickling": _pickling,
}


def _process_state(case: Case) -> str:
    """Determinism switched on is no harm: the harness puts it back, and nobody's numbers rest on its absence."""
    left = [change for change in changes(case.before) if not change.startswith(("deterministic", "cuDNN"))]
    advice = "put it back when done (`with torch.no_grad():`): in one process with others it changes their rows"
    require(not left, f"left behind: {'; '.join(left)}", advice)
    return "as before"


AFTERWARDS: dict[str, Callable[[Case], str]] = {
    "process state": _process_state,
    "global random numbers": _global_random,
}
