"""Options that several commands take."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_file", "add_isolation", "add_offline", "add_plugins", "add_require"]


def add_file(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="a benchmark file, or the name of one that comes with synthbench",
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="K=V",
        help="override a value, e.g. generators.0.steps=50 (repeatable)",
    )


def add_offline(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--offline", action="store_true", help="download nothing; say which file is missing and where it goes"
    )


def add_require(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--require",
        action="append",
        default=[],
        metavar="CONDITION",
        help="tstr.auroc>=.8 or copying=no, say: exit 3 where a candidate misses it (repeatable)",
    )


def add_isolation(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--timeout", type=float, metavar="S", help="stop a stage after so many seconds; its row fails"
    )
    command.add_argument(
        "--memory-limit", type=float, metavar="GB", help="stop a stage that needs more (default: 90 %% of all)"
    )
    command.add_argument(
        "--in-process", action="store_true", help="no process of its own for each stage, for a debugger, say"
    )


def add_plugins(command: argparse.ArgumentParser) -> None:
    command.add_argument("--plugins", type=Path, metavar="DIR", help="where evaluators named as file.py:Class lie")
