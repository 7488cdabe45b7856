"""The leaderboard for papers and pull requests: leaderboard.md and leaderboard.tex."""

from __future__ import annotations

import re
from collections.abc import Sequence

from synthbench.report.bars import Cell
from synthbench.report.board import BoardTable, Line
from synthbench.results.folder import RunFolder

__all__ = ["as_latex", "as_markdown"]

HOW = r"% needs \usepackage{booktabs}; in a table: {\footnotesize\setlength{\tabcolsep}{4pt}\input{leaderboard}}"
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "–": "--",
    "[": "{[}",  # where a row begins it would be an argument of the `\\` or `\midrule` before it
    "*": "{*}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def as_markdown(board: BoardTable) -> str:
    """A table in GitHub's Markdown; every text from outside is shown as it is, never read as markup."""
    heads = ["generator", "role", "flags", *(head.title for head in board.heads)]
    kinds = ["---", "---", "---", *("---:" if head.numeric else "---" for head in board.heads)]
    rows = [[line.generator, line.role, "; ".join(line.flags), *map(_text, line.cells)] for line in board.lines]
    lines = [[_markdown(cell) for cell in row] for row in [heads, *rows]]
    table = "".join(f"| {' | '.join(line)} |\n" for line in [lines[0], kinds, *lines[1:]])
    return table + "".join(f"\n{_markdown(note)}\n" for note in board.notes)


def as_latex(board: BoardTable, run: RunFolder) -> str:
    """A `tabular` for the package booktabs, narrow enough for one column of `article`; notes stand below it."""
    chief = run.headline.rpartition(".")[0]
    wanted = [run.headline, "rank", "utility", "fit, s"]
    places = [k for name in wanted for k, head in enumerate(board.heads) if head.title == name]
    flags = list(dict.fromkeys(flag for line in board.lines for flag in line.flags))
    titles = ["generator", *(board.heads[k].title for k in places)]
    heads = [_latex(title.removeprefix(f"{chief}.").replace("_", " ")) for title in titles]
    rows = [[_named(line, flags), *(_short(line.cells[k]) for k in places)] for line in board.lines]
    marks = [f"{_sign([k])} {_latex(flag)}." for k, flag in enumerate(flags)]
    said = [
        f"Ranked by {_latex(run.ranked_by)}; 95 \\% intervals.",
        *marks,
        *(f"{_latex(note.rstrip('.'))}." for note in board.notes),
    ]
    body = [
        rf"\begin{{tabular}}{{@{{}}l{'r' * len(places)}@{{}}}}",
        r"\toprule",
        f"{' & '.join(heads)} \\\\",
        r"\midrule",
        *(f"{' & '.join(row)} \\\\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        "",  # notes in a paragraph of their own: in a row of the table the longest would be as wide as it likes
        rf"{{\raggedright {' '.join(said)}\par}}",
    ]
    return "\n".join([HOW, *body, ""])


def _named(line: Line, flags: Sequence[str]) -> str:
    """The generator with its role and the marks of its notes."""
    role = f" ({line.role})" if line.role else ""
    return _latex(f"{line.generator}{role}") + _sign(sorted(flags.index(flag) for flag in line.flags))


def _sign(notes: Sequence[int]) -> str:
    """The marks of notes: numbers, for there may be more than letters."""
    return f"$^{{{','.join(str(k + 1) for k in notes)}}}$" if notes else ""


def _text(cell: Cell) -> str:
    return f"{cell.text} ({cell.detail})" if cell.bar and cell.detail else cell.text


def _short(cell: Cell) -> str:
    """In LaTeX, the interval small and with a dash, but for negative ends: there it would read as a minus.

    Without the seeds' values and a floor's draws: a page has no room for them.
    """
    interval = cell.detail.partition(";")[0]
    if not (cell.bar and " to " in interval):
        return _latex(cell.text)
    ends = interval if "-" in interval else interval.replace(" to ", "–")
    return rf"{_latex(cell.text)} {{\scriptsize ({_latex(ends)})}}"


def _latex(text: str) -> str:
    return "".join(SPECIAL.get(character, character) for character in " ".join(text.split()))


def _markdown(text: str) -> str:
    entities = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(re.sub(r"([\\`*_{}\[\]|#~$])", r"\\\1", entities).split())
