"""Reads YAML without its traps: every complaint names the file and the YAML path."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from synthbench.benchmark.yaml_traps import refuse_traps, syntax_hint
from synthbench.errors import ConfigError

__all__ = ["Written", "apply_override", "read_yaml"]

LARGEST_FILE = 1_000_000
"""Bytes: some ten thousand rows."""

MOST_VALUES = 100_000
"""Keys and values, with every alias (`*name`) counted as often as it is used."""


class Written(str):
    """A text of a benchmark file that knows the folder of this file: a path in it is seen from there."""

    folder: Path

    def __new__(cls, text: str, folder: Path) -> Self:
        """The text, and where it stands."""
        written = super().__new__(cls, text)
        written.folder = folder
        return written

    def __getnewargs__(self) -> tuple[str, Path]:  # type: ignore[override]
        """For copies and pickles."""
        return str(self), self.folder


@dataclass(frozen=True)
class _Source:
    """Where a YAML text comes from: as messages call it, and the folder from which its paths are seen."""

    name: str
    folder: Path


class _Loader(yaml.SafeLoader):
    """SafeLoader that leaves dates as text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; its texts are `Written`.

    Raises ConfigError for a missing file, one that is too large or no file, bad syntax, duplicate or odd values.
    """
    content = _parse(_text_of(path), _Source(str(path), path.parent), "")
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping with `name:`, `dataset:`, ..., found {_kind(content)}")
    return content


def _text_of(path: Path) -> str:
    """What stands in the file; a pipe or a device, which may never end, is not opened."""
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise ConfigError(f"{path} cannot be read: it is a folder; give the benchmark file in it")
        if not stat.S_ISREG(about.st_mode):
            raise ConfigError(f"{path} cannot be read: it is a pipe or a device, not a file")
        if about.st_size > LARGEST_FILE:
            size = f"{about.st_size:,} bytes, a benchmark file has at most {LARGEST_FILE:,}"
            raise ConfigError(f"{path} cannot be read: it has {size}")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a name that can be none
        raise ConfigError(f"{path} cannot be read: {error}") from error


def apply_override(config: dict[str, Any], override: str) -> None:
    """Change `config` in place as `generators.0.steps=50` says; the value is read as YAML.

    A path in it is seen from the current folder, as a shell completes it.
    """
    dotted, equals, text = override.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError(f"--set {override}: write it as path.to.key=value, e.g. generators.0.steps=50")
    node: Any = config
    for depth, key in enumerate(keys[:-1]):
        step = _step(node, key, ".".join(keys[: depth + 1]))
        if isinstance(node, dict) and node.get(key) is None:
            node[key] = {}  # left to its defaults; a key that is none is told with all else that is wrong
        node = node[step]
    value = _parse(text, _Source("--set", Path.cwd()), dotted)
    node[_step(node, keys[-1], dotted)] = value


def _step(node: Any, key: str, dotted: str) -> str | int:
    """The key or index to go down by; complains with what is there instead."""
    if isinstance(node, list):
        if not key.isdecimal() or int(key) >= len(node):
            there = f"has the indices 0 to {len(node) - 1}" if node else "is empty"
            raise ConfigError(f"--set {dotted}: the list {there}, found {key!r}")
        return int(key)
    if not isinstance(node, dict):
        raise ConfigError(f"--set {dotted}: {_kind(node)} has no keys")
    return key


def _parse(text: str, source: _Source, path: str) -> Any:
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _refuse_bombs(node, source)
        _refuse_twins(node, source, path, set())
        return _build(loader, node, source, path)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: `!!int x` and the like
        message = f"{source.name}: not valid YAML: {' '.join(str(error).split())}{syntax_hint(str(error))}"
        raise ConfigError(message) from error
    except RecursionError as error:
        raise ConfigError(f"{source.name}: values are nested too deep to be read") from error


def _refuse_bombs(node: yaml.Node, source: _Source) -> None:
    """Count values before any alias is followed: nine lines of aliases can stand for a thousand million."""
    sizes: dict[int, int] = {}
    above: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in above:
            raise ConfigError(f"{source.name}: an alias (`*name`) stands inside the value that it names")
        if id(node) not in sizes:
            above.add(id(node))
            sizes[id(node)] = 1 + sum(map(size, _children(node)))
            above.remove(id(node))
        return sizes[id(node)]

    if size(node) > MOST_VALUES:
        most = f"more than {MOST_VALUES:,} keys and values with its aliases (`*name`) written out"
        raise ConfigError(f"{source.name} cannot be read: it has {most}")


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _build(loader: _Loader, node: yaml.Node, source: _Source, path: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, source, path)
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, source, f"{path}.{i}".lstrip(".")) for i, item in enumerate(node.value)]
    refuse_traps(node, source.name, path)
    value = loader.construct_object(node)
    if not isinstance(value, str | int | float | None):
        where = f"{source.name}: {path}"
        raise ConfigError(f"{where}: expected text, a number, true, false or null, found {value!r}")
    if not isinstance(value, str):
        return value
    _refuse_halves(value, f"{source.name}: {path}")
    return Written(value, source.folder)


def _refuse_halves(text: str, where: str) -> None:
    """Refuse what no file can hold: `"\\ud800"` is the first half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = ascii(text[error.start])[1:-1]
        raise ConfigError(f"{where}: {half} is half a character; write the character itself") from error


def _refuse_twins(node: yaml.Node, source: _Source, path: str, seen: set[int]) -> None:
    """Refuse a key that stands twice; before a merge (`<<`) puts keys beside those that win."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            _refuse_twins(item, source, f"{path}.{i}".lstrip("."), seen)
        return
    lines: dict[str, int] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"{source.name}: {path or 'the file'}: line {line}: a key must be a plain text")
        _refuse_halves(str(key.value), f"{source.name}: {path or 'the file'}: line {line}: a key")
        if key.value in lines and key.tag != "tag:yaml.org,2002:merge":
            full, twice = f"{path}.{key.value}".lstrip("."), f"on lines {lines[key.value]} and {line}"
            raise ConfigError(f"{source.name}: {full} stands twice, {twice}; delete one")
        lines[str(key.value)] = line
        _refuse_twins(value, source, f"{path}.{key.value}".lstrip("."), seen)


def _mapping(loader: _Loader, node: yaml.MappingNode, source: _Source, path: str) -> dict[str, Any]:
    loader.flatten_mapping(node)
    return {
        str(key.value): _build(loader, value, source, f"{path}.{key.value}".lstrip("."))
        for key, value in node.value
    }


def _kind(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "a text", Written: "a text", type(None): "nothing"}
    return names.get(type(value), f"{value!r}")
