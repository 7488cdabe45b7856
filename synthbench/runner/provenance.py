"""Where a number comes from: configuration, versions, commit, hardware, data digests, times."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from synthbench.api.interfaces import Extractor, Plugin
from synthbench.api.nested.keys import within
from synthbench.api.process_state import ask
from synthbench.benchmark.definition import Benchmark, Entry
from synthbench.errors import SynthbenchError
from synthbench.runner.cost import Cost
from synthbench.storage.code_version import code_of
from synthbench.storage.versions import RUN
from synthbench.types import Splits
from synthbench.version import __version__

__all__ = ["provenance"]


def provenance(bench: Benchmark, splits: Splits, device: str, started: datetime, loading: Cost) -> dict[str, Any]:
    """The content of run.json, but for the trials."""
    return {
        "format": RUN,
        "benchmark": bench.resolved(),
        "declared": _declared(bench),
        "left_out": dict(bench.left_out),
        "code": _code(bench),
        "weights": _weights(bench),
        "versions": _versions(bench),
        "git": _git(Path(__file__).parents[1]),
        "hardware": _hardware(device),
        "data": _data(splits),
        "started": started.isoformat(timespec="seconds"),
        "load": loading.as_dict(),
        "command": sys.argv[1:],
    }


def _entries(bench: Benchmark) -> list[Entry[Any]]:
    return [bench.dataset, *bench.external, *bench.generators, *bench.evaluators]


def _declared(bench: Benchmark) -> dict[str, Any]:
    """By label, what the classes say of themselves: all that a board needs of a plugin that is not at hand."""
    return {
        "generators": {entry.label: entry.declared.generator_record() for entry in bench.generators},
        "evaluators": {entry.label: entry.declared.evaluator_record() for entry in bench.evaluators},
    }


def _code(bench: Benchmark) -> dict[str, str]:
    """By `use`, the digest of each plugin's code (`storage.code_version`); those within others among them."""
    plugins: dict[str, Plugin] = {entry.use: entry.plugin for entry in _entries(bench)}
    for entry in _entries(bench):
        plugins |= dict(within(entry.plugin))
    return {use: code_of(type(plugin))["source"] for use, plugin in sorted(plugins.items())}


def _weights(bench: Benchmark) -> dict[str, dict[str, str]]:
    """By label, the digests of the files that a plugin or one within it works with; those without are left out."""
    digests_of = {entry.label: _inputs(entry.plugin) for entry in _entries(bench)}
    for entry in _entries(bench):
        for use, plugin in within(entry.plugin):
            of = plugin.label if isinstance(plugin, Extractor) else use
            digests_of[entry.label] |= {f"{of}, {k}": v for k, v in _inputs(plugin).items()}
    return {label: digests for label, digests in digests_of.items() if digests}


def _inputs(plugin: Plugin) -> dict[str, str]:
    try:
        return dict(ask(plugin, "inputs", to=dict))
    except SynthbenchError as error:  # the trial that needs the file ends with the same error
        return {"unreadable": str(error)}


def _versions(bench: Benchmark) -> dict[str, str]:
    """synthbench, Python, and every package that the plugins of this benchmark import."""
    versions = {"synthbench": __version__, "python": platform.python_version()}
    for entry in _entries(bench):
        for plugin in (entry.plugin, *(plugin for _, plugin in within(entry.plugin))):
            versions.update({k: v for k, v in code_of(type(plugin)).items() if k != "source"})
    for name in ("numpy", "pandas", "pydantic", "pillow", "pluggy"):
        versions[name] = metadata.version(name)
    return dict(sorted(versions.items()))


def _git(folder: Path) -> dict[str, Any]:
    """Commit of the synthbench checkout and whether files differ from it; nulls for an installed package."""

    def ask(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False)
        except FileNotFoundError:  # no git on this machine
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    if ask("ls-files", "--error-unmatch", "__init__.py") is None:
        return {"commit": None, "dirty": None}
    return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(ask("status", "--porcelain"))}


def _hardware(device: str) -> dict[str, Any]:
    about: dict[str, Any] = {
        "device": device,
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
    }
    torch = sys.modules.get("torch")  # a device other than the CPU was asked of it
    if torch and device.startswith("cuda"):
        about["gpu"] = _gpu_name(device)
        about["cuda"] = torch.version.cuda
    return about


def _gpu_name(device: str) -> str | None:
    """By the driver's tool: torch would start CUDA to tell, which the run's own process never does."""
    number = int(device.partition(":")[2] or 0)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    one = visible[number].strip() if number < len(visible) and visible[number].strip() else str(number)
    command = ["nvidia-smi", f"--id={one}", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() or None


def _cpu_name() -> str:
    """The processor's name; Linux keeps it in /proc/cpuinfo, elsewhere Python knows."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _data(splits: Splits) -> dict[str, Any]:
    return {
        "domain": splits.domain,
        "positive": splits.positive,
        "sets": {
            name: {
                "digest": images.digest,
                "images": len(images),
                "shape": images.shape,
                "counts": images.counts(),
            }
            for name, images in splits.parts.items()
        },
        "quarantined": len(splits.quarantine),
        "scale": splits.scale and asdict(splits.scale),
        "conversions": dict(splits.conversions),
    }
