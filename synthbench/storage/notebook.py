"""The code of a class that is defined in a notebook, which is no file: read from the cells that were run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from synthbench.errors import PluginError

__all__ = ["notebook_source"]


def notebook_source(name: str) -> str:
    """The statements behind a name of the running notebook: its newest definition, and what that uses in turn.

    Sorted, so that the order in which cells were run does not count. Like a module's code, a name that stands for
    data counts by the line that made it, not by its value. Raises PluginError where no cell defines `name`.
    """
    defined = _definitions()
    if name not in defined:
        raise PluginError(
            f"{name}: its source is known neither as a file nor as a cell of a notebook; write it into a file"
        )
    used: dict[str, ast.stmt] = {}
    waiting = [name]
    while waiting:
        for statement in defined.get(waiting.pop(), ()):
            text = ast.unparse(statement)
            if text not in used:
                used[text] = statement
                waiting += [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return "\n".join(sorted(used))


def _definitions() -> dict[str, list[ast.stmt]]:
    """By name, its statements in the last cell that defines it; IPython keeps in `In` what it ran."""
    defined: dict[str, list[ast.stmt]] = {}
    for cell in getattr(sys.modules["__main__"], "In", ()):
        own: dict[str, list[ast.stmt]] = {}
        for statement in _statements(cell):
            for name in _bound(statement):
                own.setdefault(name, []).append(statement)
        defined |= own
    return defined


def _statements(cell: str) -> list[ast.stmt]:
    try:
        return ast.parse(cell).body
    except SyntaxError:  # it was not run either
        return []


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement gives a meaning to."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
    else:
        names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
        yield from (node.id for node in names if isinstance(node.ctx, ast.Store))
