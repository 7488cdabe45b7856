"""The reference pages are what the parser and the models make, and leave nothing out."""

from __future__ import annotations

import argparse
import re
from typing import Literal

import pytest
import reference_tables as tables
from blocks import rewrite
from pydantic import BaseModel, Field

from synthbench.api.registry import BASES, load_registry
from synthbench.cli.arguments import make_parser
from tests.helpers.places import ROOT

DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", ["command-line.md", "benchmark-file.md", "plugin-options.md"])
def test_the_page_is_what_the_code_makes(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    fresh = rewrite(text, None, tables.PAGES[name])
    assert text == fresh, "run `python benchmarks/pages/make_reference_docs.py` and commit docs/"


def test_every_argument_has_a_help_text() -> None:
    (commands,) = (a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    silent = [(name, a.dest) for name, parser in commands.choices.items() for a in parser._actions if not a.help]
    assert silent == []


def test_every_option_of_every_plugin_is_described() -> None:
    text = (DOCS / "plugin-options.md").read_text(encoding="utf-8")
    parts = re.split(r"^### `(.+)`$", text, flags=re.MULTILINE)[1:]
    described = dict(zip(parts[::2], parts[1::2], strict=True))
    for kind in BASES:
        for name, cls in load_registry().names(kind).items():
            if cls.__module__.startswith("synthbench_"):
                assert set(re.findall(r"^\| `(\w+)` ", described[name], re.MULTILINE)) == cls.model_fields.keys()
                assert all(field.description for field in cls.model_fields.values()), name


class Example(BaseModel):
    """One option of each kind."""

    steps: int = Field(3, ge=1, le=9, description="a | b")
    share: float = Field(0.5, gt=0, lt=1, description="of <name>, `<kept>`")
    sizes: tuple[int, ...] | None = Field(None, min_length=2, description="many")
    pair: tuple[int, int] = Field((1, 2), description="two")
    how: Literal["squash", "pad", "crop"] = Field("pad", description="resize")
    root: str = Field(description="where")


def test_options_are_written_as_people_read_them() -> None:
    rows = [line.split(" | ", 1)[1] for line in tables._options(Example).splitlines()[2:]]
    assert rows == [
        r"whole number, 1 to 9 | `3` | a \| b |",
        "number, > 0, &lt; 1 | `0.5` | of &lt;name>, `<kept>` |",
        "list of whole numbers, at least 2 | unset | many |",
        "2 whole numbers | `[1, 2]` | two |",
        "`squash`, `pad` or `crop` | `pad` | resize |",
        "text | required | where |",
    ]
