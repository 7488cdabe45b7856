"""The plugins `images` and `command`."""

from __future__ import annotations

from synthbench import Generator, hookimpl
from synthbench_ready.command import Command
from synthbench_ready.images import ReadyImages

__all__ = ["Command", "ReadyImages"]


@hookimpl
def register_generators() -> list[type[Generator]]:
    return [Command, ReadyImages]
