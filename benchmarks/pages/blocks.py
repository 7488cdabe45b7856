"""Generated blocks of a page: between `<!-- generated: NAME -->` and `<!-- end -->`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

__all__ = ["bullets", "markdown", "rewrite", "short"]


def rewrite(text: str, results: T, blocks: Mapping[str, Callable[[T], str]]) -> str:
    """`text` with every generated block made anew. Raises ValueError where markers and blocks do not match."""
    found = re.findall(r"<!-- generated: (\S+) -->", text)
    if sorted(found) != sorted(blocks):
        raise ValueError(f"the page has the blocks {sorted(found)}, expected {sorted(blocks)}, each once")
    for name, make in blocks.items():
        pattern = rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)"
        block = make(results)
        match = re.search(pattern, text, flags=re.DOTALL)
        if not match:
            raise ValueError(f"the block {name} has no <!-- end -->")
        text = f"{text[: match.start()]}{match[1]}{block}\n{match[2]}{text[match.end() :]}"
    return text


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the first column to the left, all others to the right."""
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [list(headings), rule, *rows])


def bullets(*items: str) -> str:
    """A list, an item a line."""
    return "\n".join(f"- {item}" for item in items)


def short(value: float | int | None) -> str:
    """.871, as the pages write shares in text."""
    return f"{value:.3f}".removeprefix("0")
