"""Griffe extension: docstrings with columns as Markdown lists.

Ours describe fields, arguments and files as people align them in a terminal:

    pixels   uint8 (N, H, W, C), C 1 or 3
    classes  class names, e.g. ("NORMAL", "PNEUMONIA"); a
             line goes on under its text

Markdown would run such lines together, so each becomes an item: - `pixels`: uint8 (N, H, W, C), C 1 or 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from griffe import Extension, Object

ROW = re.compile(r"^(\s*)(\S.*?)(?: {2,})(\S.*)$")
NAME = re.compile(r"^[\w.\[\]<>@*/-]+(?:, ?(?:\.\.\.)?[\w.\[\]<>@*/-]+)*$")


class ColumnDocstrings(Extension):
    """Rewrites each docstring once, when it is read."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        """Every module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """The text with each block of columns as a list; anything else, indented code too, as it is."""
    return "\n".join(_lines(text.splitlines()))


def _lines(lines: list[str]) -> Iterator[str]:
    """A list begins after an empty line and ends before one, or Markdown takes it for prose."""
    column, before = None, ""
    for line in lines:
        row = ROW.match(line)
        if row and NAME.match(row[2]):
            if column is None and before:
                yield ""
            column = row.start(3)
            yield f"- `{row[2]}`: {row[3]}"
        elif column is not None and line.strip() and not line[:column].strip():
            yield f"    {line.strip()}"
        else:
            if column is not None and line.strip():
                yield ""
            column = None
            yield line
        before = line.strip()
