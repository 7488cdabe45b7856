"""Where a number comes from: configuration, versions, commit, hardware, data digests, times."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

import synthbench
from synthbench.config import Benchmark, Entry
from synthbench.cost import Cost
from synthbench.source import code_version
from synthbench.types import Splits

__all__ = ["provenance"]


def provenance(bench: Benchmark, splits: Splits, device: str, started: datetime, loading: Cost) -> dict[str, Any]:
    """The content of run.json, but for the trials."""
    return {
        "benchmark": bench.resolved(),
        "versions": _versions(bench),
        "git": _git(Path(synthbench.__file__).parent),
        "hardware": _hardware(device),
        "data": _data(splits),
        "started": started.isoformat(timespec="seconds"),
        "load": loading.as_dict(),
        "command": sys.argv[1:],
    }


def _versions(bench: Benchmark) -> dict[str, str]:
    """synthbench, Python, and every package that the plugins of this benchmark import."""
    entries: list[Entry[Any]] = [bench.dataset, *bench.external, *bench.generators, *bench.evaluators]
    found = {"synthbench": synthbench.__version__, "python": platform.python_version()}
    for entry in entries:
        found.update({k: v for k, v in code_version(type(entry.plugin).__module__).items() if k != "source"})
    for name in ("numpy", "pandas", "pydantic", "pillow", "pluggy"):
        found[name] = metadata.version(name)
    return dict(sorted(found.items()))


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
    torch = sys.modules.get("torch")
    if torch:
        about["torch_threads"] = torch.get_num_threads()
        if device.startswith("cuda"):
            about["gpu"] = torch.cuda.get_device_name(device)
            about["cuda"] = torch.version.cuda
    return about


def _cpu_name() -> str:
    """The processor's name; Linux keeps it in /proc/cpuinfo, elsewhere Python knows."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _data(splits: Splits) -> dict[str, Any]:
    parts = {"train": splits.train, **({"val": splits.val} if splits.val else {}), **splits.tests}
    return {
        "domain": splits.domain,
        "sets": {
            name: {
                "digest": images.digest,
                "images": len(images),
                "shape": images.shape,
                "counts": images.counts(),
            }
            for name, images in parts.items()
        },
        "quarantined": len(splits.quarantine),
    }
