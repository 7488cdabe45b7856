"""Texts without the folders of the machine they were written on."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthbench.storage.cells import rows_text

__all__ = ["REDACTED", "PathRedactor"]

REDACTED = "…/"
"""What stands in place of the folders."""

ROOT = r"(?:…/|(?:file://)?~?/{1,2}|[A-Za-z]:[\\/]{1,2})"
STEP = r"(?:/|\\{1,2}(?![\"']))"
QUOTED = re.compile(
    rf"(?<=[\"']){ROOT}(?:[^\"'\n:;,]|:(?!\s))*?{STEP}(?:[^\"'\n:;,/\\]|:(?!\s))*{STEP}?(?=\\?[\"'])"
)
BARE = re.compile(rf"(?<![\w.~:/\\]){ROOT}(?:[^\s\"'<>|,;:()\[\]/\\]+{STEP})+[^\s\"'<>|,;:()\[\]/\\]*")
CELL = re.compile(rf"(?:^|,){ROOT}", re.MULTILINE)


@dataclass(frozen=True)
class PathRedactor:
    """Takes the folders off absolute paths: "/data/jane/chest_xray" becomes "…/chest_xray".

    A path in quotes, or one that is all of a text, may hold blanks; so may the `known` folders anywhere.
    Addresses of the web and relative paths stay as they are, and so does a path of one part ("/data").
    """

    known: Sequence[Path] = ()

    def text(self, text: str) -> str:
        """A text on its own."""
        for folder in self.known:
            text = text.replace(f"{folder}/", REDACTED).replace(f"{folder}\\", REDACTED)
        return BARE.sub(_last_part, QUOTED.sub(_last_part, f'"{text}"'))[1:-1]

    def file(self, text: str, suffix: str) -> str:
        """What a file holds (".json", ".csv" or another), still in its format; as it is where it names no path."""
        if not any(pattern.search(text) for pattern in (BARE, QUOTED, CELL)):
            return text
        if suffix == ".json":
            return json.dumps(self._document(json.loads(text)), indent=1) + "\n"
        if suffix == ".csv":
            return self._table(text)
        return "\n".join(map(self.text, text.split("\n")))

    def _document(self, value: Any) -> Any:
        """Every text of a JSON document, keys included."""
        if isinstance(value, dict):
            named: dict[str, Any] = {}
            for key, inner in value.items():
                alike = (f"{self.text(key)}{f' ({k})' if k > 1 else ''}" for k in itertools.count(1))
                named[next(name for name in alike if name not in named)] = self._document(inner)
            return named
        if isinstance(value, list):
            return [self._document(inner) for inner in value]
        return self.text(value) if isinstance(value, str) else value

    def _table(self, text: str) -> str:
        rows = [[self.text(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
        return rows_text(rows)


def _last_part(path: re.Match[str]) -> str:
    return REDACTED + re.split(r"[\\/]+", path[0].rstrip("\\/"))[-1]
