"""How results look in a notebook and in a console: a title, a table, lines below it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd

from synthbench.progress import plain

__all__ = ["as_html", "as_text", "in_a_line"]


def as_html(title: str, table: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """For a notebook; every text is escaped. Colours are the notebook's own, light or dark."""
    lines = "".join(f"<div><small>{escape(note)}</small></div>" for note in notes)
    body = table.to_html(index=False, border=0, na_rep="", escape=True)
    return f"<div><p><b>{escape(title)}</b></p>{body}{lines}</div>"


def in_a_line(text: str) -> str:
    """Without control characters and line breaks: a folder's labels are anybody's."""
    return " ".join(plain(text).split())


def as_text(table: pd.DataFrame) -> str:
    """For a console: columns aligned to the left, as wide as they are."""
    texts = table.astype(str).map(in_a_line).rename(columns=in_a_line)
    widths = [max([len(name), *map(len, texts[name])]) for name in texts.columns]
    rows = [list(texts.columns), *texts.to_numpy().tolist()]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
