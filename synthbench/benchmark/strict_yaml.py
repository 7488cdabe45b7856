"""Reads YAML without its traps: every complaint names the file and the YAML path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from synthbench.errors import ConfigError

__all__ = ["apply_override", "read_yaml"]

FLOAT_WITHOUT_POINT = re.compile(
    r"[-+]?[0-9]+[eE][-+]?[0-9]+|[-+]?[0-9]*\.[0-9]+[eE][0-9]+|[-+]?[0-9]+\.[0-9]*[eE][0-9]+"
)
AMBIGUOUS_BOOL = re.compile(r"(?:yes|no|on|off)", re.IGNORECASE)


class _Loader(yaml.SafeLoader):
    """SafeLoader that leaves dates as text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises ConfigError for a missing file, bad syntax, duplicate or odd values."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    content = _parse(text, str(path), "")
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping with `name:`, `dataset:`, ..., found {_kind(content)}")
    return content


def apply_override(config: dict[str, Any], override: str) -> None:
    """Change `config` in place as `generators.0.steps=50` says; the value is read as YAML."""
    dotted, equals, text = override.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError(f"--set {override}: write it as path.to.key=value, e.g. generators.0.steps=50")
    node: Any = config
    for depth, key in enumerate(keys[:-1]):
        node = node[_step(node, key, ".".join(keys[: depth + 1]), must_exist=True)]
    node[_step(node, keys[-1], dotted, must_exist=False)] = _parse(text, "--set", dotted)


def _step(node: Any, key: str, dotted: str, *, must_exist: bool) -> str | int:
    """The key or index to go down by; complains with what is there instead."""
    if isinstance(node, list):
        if not key.isdecimal() or int(key) >= len(node):
            there = f"has the indices 0 to {len(node) - 1}" if node else "is empty"
            raise ConfigError(f"--set {dotted}: the list {there}, found {key!r}")
        return int(key)
    if not isinstance(node, dict):
        raise ConfigError(f"--set {dotted}: {_kind(node)} has no keys")
    if must_exist and key not in node:
        raise ConfigError(
            f"--set {dotted}: no key {key!r} there; there is: {', '.join(map(str, node)) or 'nothing'}"
        )
    return key


def _parse(text: str, where: str, path: str) -> Any:
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        return None if node is None else _build(loader, node, where, path)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: `!!int x` and the like
        raise ConfigError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise ConfigError(f"{where}: an alias (`*name`) stands inside the value that it names") from error


def _build(loader: _Loader, node: yaml.Node, where: str, path: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, where, path)
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, where, f"{path}.{i}".lstrip(".")) for i, item in enumerate(node.value)]
    _refuse_traps(node, where, path)
    value = loader.construct_object(node)
    if not isinstance(value, str | int | float | None):
        raise ConfigError(f"{where}: {path}: expected text, a number, true, false or null, found {value!r}")
    return value


def _mapping(loader: _Loader, node: yaml.MappingNode, where: str, path: str) -> dict[str, Any]:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"{where}: {path or 'the file'}: line {line}: a key must be a plain text")
        if key.value in lines and key.tag != "tag:yaml.org,2002:merge":
            full = f"{path}.{key.value}".lstrip(".")
            raise ConfigError(f"{where}: {full} stands twice, on lines {lines[key.value]} and {line}; delete one")
        lines[str(key.value)] = line
    loader.flatten_mapping(node)
    return {
        str(key.value): _build(loader, value, where, f"{path}.{key.value}".lstrip("."))
        for key, value in node.value
    }


def _refuse_traps(node: Any, where: str, path: str) -> None:
    """What YAML 1.1 reads otherwise than people mean it."""
    plain = node.style is None
    if plain and node.tag == "tag:yaml.org,2002:str" and FLOAT_WITHOUT_POINT.fullmatch(node.value):
        raise ConfigError(
            f"{where}: {path}: YAML reads {node.value} as a string, not a number; "
            f"write {_with_point(node.value)} (or quote it)"
        )
    if plain and node.tag == "tag:yaml.org,2002:bool" and AMBIGUOUS_BOOL.fullmatch(node.value):
        boolean = "true" if node.value.lower() in ("yes", "on") else "false"
        raise ConfigError(
            f"{where}: {path}: YAML reads a bare {node.value} as the boolean {boolean}; write {boolean}, "
            f'or "{node.value}" in quotes for the text'
        )


def _with_point(number: str) -> str:
    """1e4 as YAML 1.1 wants it: 1.0e+4, with a point and a sign."""
    mantissa, _, exponent = number.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    sign = "" if exponent[0] in "+-" else "+"
    return f"{whole if whole.strip('+-') else whole + '0'}.{fraction or '0'}e{sign}{exponent}"


def _kind(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "a text", type(None): "nothing"}
    return names.get(type(value), f"{value!r}")
