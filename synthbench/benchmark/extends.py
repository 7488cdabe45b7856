"""`extends: other.yaml`: a benchmark file that says what differs from another one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from synthbench.benchmark.shipped import shipped_path
from synthbench.benchmark.strict_yaml import read_yaml
from synthbench.errors import ConfigError

__all__ = ["Extended", "extended", "merged", "read_extended"]

DEEPEST = 8
"""Files that may stand behind each other."""


class Extended(NamedTuple):
    """What a file and those that it extends say together, and these files, the first itself."""

    content: dict[str, Any]
    files: tuple[Path, ...]

    @property
    def name(self) -> str:
        """For messages: "own.yaml", "own.yaml (extends base.yaml)"."""
        behind = f" (extends {', '.join(map(str, self.files[1:]))})" if self.files[1:] else ""
        return f"{self.files[0]}{behind}"


def read_extended(path: Path, before: tuple[Path, ...] = ()) -> Extended:
    """Read a benchmark file over those that it extends. `before` are the files that lead here.

    Without a `name` it is called as the file: under that of the other its results would take the other's place.

    Raises ConfigError for a file that is not there, a circle and a chain of more than DEEPEST files.
    """
    content = read_yaml(path)
    if "extends" in content:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("._-")
        if "name" not in content and not stem:
            raise ConfigError(f"{path}: give it a `name:`, of the letters, digits and ._- that a folder may have")
        content.setdefault("name", stem)
    return extended(content, path, before)


def extended(content: dict[str, Any], path: Path, before: tuple[Path, ...] = ()) -> Extended:
    """The same of what was read already: its `extends` is seen from the folder of `path`."""
    chain = (*before, path)
    if "extends" not in content:
        return Extended(content, (path,))
    other = _other(content.pop("extends"), path)
    if other.resolve() in [file.resolve() for file in chain]:
        circle = " -> ".join(map(str, [*chain, other]))
        raise ConfigError(f"{path}: extends: {other} leads back in a circle: {circle}; take one `extends:` away")
    if len(chain) > DEEPEST:
        raise ConfigError(
            f"{path}: extends: {other} would be the file no. {len(chain) + 1} in a chain that begins with "
            f"{chain[0]}; at most {DEEPEST} may stand behind each other"
        )
    below = read_extended(other, chain)
    return Extended(merged(below.content, content), (path, *below.files))


def _other(written: object, path: Path) -> Path:
    """The file that `extends:` means, seen from the one that says so; or a shipped one, by its name."""
    if not isinstance(written, str) or not written:
        raise ConfigError(f"{path}: extends: expected the path of one benchmark file, found {written!r}")
    beside = path.parent / Path(written).expanduser()
    if beside.is_file():
        return beside
    if Path(written).suffix:
        raise ConfigError(f"{path}: extends: {written}: no such file; looked for {beside}")
    try:
        return shipped_path(written)
    except ConfigError as error:
        raise ConfigError(f"{path}: extends: {error}") from error


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`: mappings key by key, anything else, lists too, replaced.

    A mapping that names another plugin (`use:`) is replaced as well: the options of the one fit no other.
    """
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and _same_plugin(old, value):
            result[key] = merged(old, value)
        else:
            result[key] = value
    return result


def _same_plugin(below: Mapping[str, Any], above: Mapping[str, Any]) -> bool:
    return "use" not in above or bool(above["use"] == below.get("use"))
