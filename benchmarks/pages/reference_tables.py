"""The tables of the reference pages, made from the parser and from the pydantic models, and from nothing else."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Mapping, Sequence

from pydantic import BaseModel

from synthbench.api.describe import facts_of, options_of
from synthbench.api.interfaces import Plugin
from synthbench.api.registry import Kind, load_registry
from synthbench.benchmark.config import BenchmarkFile
from synthbench.benchmark.definition import Ranking
from synthbench.cli.arguments import make_parser

__all__ = ["PAGES"]

KINDS: dict[Kind, str] = {
    "dataset": "Data sets",
    "generator": "Generators",
    "evaluator": "Evaluators",
    "extractor": "Feature extractors",
}


def commands(_: None) -> str:
    """Each command of the parser: what it does, how it is called, its arguments."""
    (subparsers,) = (a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    helps = {action.dest: _help(action) for action in subparsers._choices_actions}
    return "\n\n".join(_command(name, helps[name], parser) for name, parser in subparsers.choices.items())


def _command(name: str, text: str, parser: argparse.ArgumentParser) -> str:
    actions = [action for action in parser._actions if action.dest != "help"]
    rows = [[f"`{_written(action)}`", _help(action)] for action in actions]
    required = " ".join(_written(action) for action in actions if action.required)
    usage = (
        f"```\nsynthbench {name} {required}".rstrip()
        + f"{' [options]' * (len(rows) > len(required.split()))}\n```"
    )
    table = f"\n\n{_table(['argument', ''], rows)}" if rows else ""
    return f"### `{name}`\n\n{_sentence(text)}\n\n{usage}{table}"


def _help(action: argparse.Action) -> str:
    """As argparse prints it: "%%" is its per cent."""
    return str(action.help).replace("%%", "%")


def _written(action: argparse.Action) -> str:
    """As one types it: FILE, --out DIR, --fresh."""
    names = [name for name in action.option_strings if name.startswith("--")]
    value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    more = " ..." if action.nargs == "+" else ""
    return " ".join(filter(None, [*names, value])) + more


def keys(_: None) -> str:
    """The top-level keys of a benchmark file."""
    return _options(BenchmarkFile, "key")


def ranking(_: None) -> str:
    """The keys below `ranking`."""
    return _options(Ranking, "key")


def plugins(kind: Kind) -> Callable[[None], str]:
    """Each built-in plugin of a kind: what it is, and its options."""

    def make(_: None) -> str:
        ours = {n: c for n, c in load_registry().names(kind).items() if c.__module__.startswith("synthbench_")}
        return "\n\n".join(_plugin(name, cls) for name, cls in ours.items())

    return make


def _plugin(name: str, cls: type[Plugin]) -> str:
    about = str(inspect.getdoc(cls)).partition("\n\n")[0]
    parts = [f"### `{name}`", about, *facts_of(cls)]
    return "\n\n".join([*parts, _options(cls) if cls.model_fields else "No options."])


def _options(model: type[BaseModel], heading: str = "option") -> str:
    rows = [[f"`{option.name}`", *option[1:]] for option in options_of(model)]
    return _table([heading, "type and range", "default", "meaning"], rows)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *([_cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """Plain text for Markdown: `<name>` would be a tag outside code, and a bar another column."""
    parts = text.replace("|", "\\|").split("`")
    return "`".join(part if number % 2 else part.replace("<", "&lt;") for number, part in enumerate(parts))


PAGES: Mapping[str, Mapping[str, Callable[[None], str]]] = {
    "command-line.md": {"commands": commands},
    "benchmark-file.md": {"keys": keys, "ranking": ranking},
    "plugin-options.md": {f"{kind}s": plugins(kind) for kind in KINDS},
}
"""The generated blocks of each page."""
