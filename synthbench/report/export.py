"""The leaderboard for papers and pull requests: leaderboard.md and leaderboard.tex."""

from __future__ import annotations

import re

from synthbench.report.bars import Cell
from synthbench.report.board import BoardTable

__all__ = ["as_latex", "as_markdown"]


def as_markdown(board: BoardTable) -> str:
    """A table in GitHub's Markdown; every text from outside is shown as it is, never read as markup."""
    heads, rows = _grid(board)
    numeric = ["---", "---", *("---:" if head.numeric else "---" for head in board.heads)]
    lines = [[_markdown(cell) for cell in row] for row in [heads, *rows]]
    table = [lines[0], numeric, *lines[1:]]
    return "".join(f"| {' | '.join(line)} |\n" for line in table)


def as_latex(board: BoardTable) -> str:
    """A `tabular` for the package booktabs, escaped by pandas."""
    import pandas as pd

    heads, rows = _grid(board)
    columns = "ll" + "".join("r" if head.numeric else "l" for head in board.heads)
    clean = [[" ".join(cell.split()) for cell in row] for row in rows]
    frame = pd.DataFrame(clean, columns=[" ".join(head.split()) for head in heads])
    return str(frame.to_latex(index=False, escape=True, column_format=columns))


def _grid(board: BoardTable) -> tuple[list[str], list[list[str]]]:
    heads = ["generator", "role", *(head.title for head in board.heads)]
    return heads, [[line.generator, line.role, *map(_text, line.cells)] for line in board.lines]


def _text(cell: Cell) -> str:
    return f"{cell.text} ({cell.detail})" if cell.bar and cell.detail else cell.text


def _markdown(text: str) -> str:
    entities = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(re.sub(r"([\\`*_{}\[\]|#~$])", r"\\\1", entities).split())
