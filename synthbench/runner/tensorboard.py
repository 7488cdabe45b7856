"""Losses as TensorBoard events, where the extra `tensorboard` is installed.

tensorboard --logdir runs/<name>/trials
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from importlib import util
from pathlib import Path

__all__ = ["EVENTS", "write_events"]

EVENTS = "events.out.tfevents.losses"
"""TensorBoard goes by "tfevents" in the name. One fixed name: a further run replaces the file, it adds none."""

TABLES = {"losses.csv": "step", "history.csv": "epoch"}
"""Files that plugins leave and the name of their first column: a generator's losses, a classifier's training."""


def write_events(folder: Path) -> None:
    """Beside every losses.csv and history.csv in the folder, the same as events. Nothing without the extra."""
    if util.find_spec("tensorboard") is None:
        return
    for table in sorted(path for name in TABLES for path in folder.rglob(name)):
        if scalars := list(_scalars(table)):
            _write(table.with_name(EVENTS), scalars, table.stat().st_mtime)


def _scalars(table: Path) -> Iterator[tuple[int, dict[str, float]]]:
    """Step or epoch, and each other column that holds a number there; nothing of a table that begins otherwise."""
    with table.open(newline="", encoding="utf-8", errors="replace") as file:
        reader = csv.DictReader(file)
        first = TABLES[table.name]
        if not reader.fieldnames or reader.fieldnames[0] != first:
            return
        for row in reader:
            numbers = {column: value for column, text in row.items() if (value := _number(text)) is not None}
            step = numbers.pop(first, math.nan)
            if step.is_integer():
                yield int(step), {f"{table.stem}/{column}": value for column, value in numbers.items()}


def _number(text: object) -> float | None:
    try:
        return float(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _write(file: Path, scalars: list[tuple[int, dict[str, float]]], written: float) -> None:
    """`written` stands as the time of every event: the tables do not say when a step was."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    with file.open("wb") as stream:
        records = RecordWriter(stream)
        records.write(Event(wall_time=written, file_version="brain.Event:2").SerializeToString())
        for step, numbers in scalars:
            values = [Summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
            event = Event(wall_time=written, step=step, summary=Summary(value=values))
            records.write(event.SerializeToString())
