"""The plugin `images`."""

from __future__ import annotations

from synthbench import Generator, hookimpl
from synthbench_ready.images import ReadyImages

__all__ = ["ReadyImages"]


@hookimpl
def register_generators() -> list[type[Generator]]:
    return [ReadyImages]
