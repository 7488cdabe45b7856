"""The tables of the reference pages, made from the parser and from the pydantic models, and from nothing else."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml
from pydantic import BaseModel

from synthbench.api.interfaces import Evaluator, Extractor, Generator, Plugin
from synthbench.api.registry import Kind, load_registry
from synthbench.benchmark.config import BenchmarkFile
from synthbench.benchmark.definition import Ranking
from synthbench.cli.arguments import make_parser

__all__ = ["PAGES"]

TYPES = {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text"}
PLURALS = {"integer": "whole numbers", "number": "numbers", "string": "texts"}
KINDS: dict[Kind, str] = {
    "dataset": "Data sets",
    "generator": "Generators",
    "evaluator": "Evaluators",
    "extractor": "Feature extractors",
}
PRIORS = {
    "balanced": "equally many images of each class",
    "train": "the classes in the training set's proportions",
}

Schema = Mapping[str, Any]


def commands(_: None) -> str:
    """Each command of the parser: what it does, how it is called, its arguments."""
    (subparsers,) = (a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    helps = {action.dest: str(action.help) for action in subparsers._choices_actions}
    return "\n\n".join(_command(name, helps[name], parser) for name, parser in subparsers.choices.items())


def _command(name: str, text: str, parser: argparse.ArgumentParser) -> str:
    actions = [action for action in parser._actions if action.dest != "help"]
    rows = [[f"`{_written(action)}`", str(action.help)] for action in actions]
    required = " ".join(_written(action) for action in actions if action.required)
    usage = (
        f"```\nsynthbench {name} {required}".rstrip()
        + f"{' [options]' * (len(rows) > len(required.split()))}\n```"
    )
    table = f"\n\n{_table(['argument', ''], rows)}" if rows else ""
    return f"### `{name}`\n\n{_sentence(text)}\n\n{usage}{table}"


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
    parts = [f"### `{name}`", about, *_facts(cls)]
    return "\n\n".join([*parts, _options(cls) if cls.model_fields else "No options."])


def _facts(cls: type[Plugin]) -> list[str]:
    """What a benchmark's author must know of the plugin beside its options."""
    if issubclass(cls, Generator):
        return [f"A {cls.role}, asked for {PRIORS[cls.prior]}."]
    if issubclass(cls, Evaluator):
        return [_metrics(cls())]
    if issubclass(cls, Extractor) and cls.argument:
        return [
            f"`{cls.name}:<{cls.argument}>` is short for `{{use: {cls.name}, {cls.argument}: <{cls.argument}>}}`."
        ]
    return []


def _metrics(evaluator: Evaluator) -> str:
    """Its metrics by which way is better; a name's extractor as `[..]`."""
    parts = []
    for way in ("higher", "lower"):
        names = [
            re.sub(r"\[.*\]", "[..]", metric) for metric, better in evaluator.metrics.items() if better == way
        ]
        parts += [f"{way} is better: {', '.join(f'`{name}`' for name in names)}"] if names else []
    gates = [f"above 0 takes the rank: `{name}`" for name in sorted(evaluator.gates)]
    return f"Metrics, {'; '.join([*parts, *gates])}."


def _options(model: type[BaseModel], heading: str = "option") -> str:
    schema = model.model_json_schema()
    required = schema.get("required", ())
    rows = [
        [f"`{name}`", _type(option), _default(name in required, option), option["description"]]
        for name, option in schema["properties"].items()
    ]
    return _table([heading, "type and range", "default", "meaning"], rows)


def _type(option: Schema) -> str:
    """whole number, 1 to 100; list of texts, at least 2; `squash`, `pad` or `crop`."""
    option = _without_null(option)
    if "enum" in option:
        *others, last = [f"`{choice}`" for choice in option["enum"]]
        return f"{', '.join(others)} or {last}"
    if option.get("type") == "array":
        return _array(option)
    if option.get("type") == "object" or "$ref" in option:
        return "mapping"
    if option.get("format") == "path":
        return "path"
    kind = TYPES[option["type"]] if "type" in option else "extractor"
    return ", ".join(filter(None, [kind, _range(option)]))


def _array(option: Schema) -> str:
    items = option["prefixItems"][0] if "prefixItems" in option else option["items"]
    of = PLURALS.get(items.get("type", ""), "mappings")
    least = "" if option.get("minItems", 1) == 1 else f"at least {option['minItems']}"
    name, least = (f"{option['minItems']} {of}", "") if "prefixItems" in option else (f"list of {of}", least)
    return ", ".join(filter(None, [name, least, _range(items)]))


def _range(option: Schema) -> str:
    """1 to 100; > 0, < 1; a pattern where a text has one."""
    if "minimum" in option and "maximum" in option:
        return f"{option['minimum']} to {option['maximum']}"
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {option[key]}" for key, sign in signs.items() if key in option]
    return ", ".join([*bounds, *([f"`{option['pattern']}`"] if "pattern" in option else [])])


def _default(required: bool, option: Schema) -> str:
    if required:
        return "required"
    value = option["default"]
    if value is None or value == "":
        return "unset"
    if isinstance(value, dict):
        return ", ".join(f"`{key}: {inner}`" for key, inner in value.items())
    written = yaml.safe_dump(value, default_flow_style=True).splitlines()[0]
    return f"`{written}`"


def _without_null(option: Schema) -> Schema:
    """`int | None` as int: that it may be unset stands in its default."""
    kinds = [kind for kind in option.get("anyOf", ()) if kind.get("type") != "null"]
    return kinds[0] if kinds else option


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
