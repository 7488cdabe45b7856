"""The content of a folder as one digest, without reading again what has not changed.

As in git: an index keeps each file's size and times beside its SHA-256, and a file whose size and times are
those of the index counts as unchanged.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from synthbench import Context, write_atomic
from synthbench_cxr.layout import Item
from synthbench_cxr.threads import in_threads

__all__ = ["content_digest", "listed_digest"]

Stamp = list[int]  # size in bytes, mtime and ctime in ns; ctime shows a rewrite under an old mtime
Index = dict[str, tuple[Stamp, str]]

UNREADABLE = "unreadable: "

SETTLED_NS = 2_000_000_000
"""A file changed less than 2 s before it was read could change again under the same times."""


def content_digest(what: str, root: Path, items: Sequence[Item], ctx: Context) -> str:
    """SHA-256 over ids and contents of `items`; the folder's own name and place do not count."""
    path = ctx.store.root / "index" / f"files-{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]}.json"
    known = {} if ctx.store.fresh else _read_index(path)
    started = time.time_ns()
    stamps = {item.id: _stamp(item.path) for item in items}
    index = {key: known[key] for key, stamp in stamps.items() if key in known and known[key][0] == stamp}
    changed = [item for item in items if item.id not in index]
    if changed:
        hashed = _hash_all(what, changed, ctx)
        index |= {key: (stamps[key], sha) for key, sha in hashed.items()}
        _write_index(path, {key: entry for key, entry in index.items() if _lasting(entry, started)}, ctx)
    total = hashlib.sha256()
    for item in items:
        total.update(f"{item.id}\0{index[item.id][1]}\n".encode())
    return total.hexdigest()


def listed_digest(items: Sequence[Item]) -> str:
    """SHA-256 over what is known of `items` beside their content: part, class and patient."""
    facts = [(item.id, item.part, item.label, item.group) for item in items]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _stamp(path: Path) -> Stamp:
    """Empty where there is nothing to stat, as behind a broken link: reading it will say why."""
    try:
        about = path.stat()
    except OSError:
        return []
    return [about.st_size, about.st_mtime_ns, about.st_ctime_ns]


def _lasting(entry: tuple[Stamp, str], started: int) -> bool:
    """Whether to trust the entry next time: the file could be read, and had been left alone for a while."""
    stamp, sha = entry
    return bool(stamp) and not sha.startswith(UNREADABLE) and max(stamp[1:]) < started - SETTLED_NS


def _hash_all(what: str, items: Sequence[Item], ctx: Context) -> dict[str, str]:
    with ctx.progress.bar(f"checking {what}", len(items), unit="files") as bar:
        hashed = {}
        for item, sha in zip(items, in_threads(_sha256, [item.path for item in items]), strict=True):
            hashed[item.id] = sha
            bar.advance()
    return hashed


def _sha256(path: Path) -> str:
    """What stands for the content: for a file that cannot be opened, that it can't. Decoding puts it aside."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"{UNREADABLE}{error.strerror}"


def _read_index(path: Path) -> Index:
    """What was known; nothing where there is no index or a damaged one, since it can be made again."""
    try:
        return {key: (stamp, sha) for key, (stamp, sha) in json.loads(path.read_text(encoding="utf-8")).items()}
    except (FileNotFoundError, ValueError, AttributeError, TypeError):
        return {}


def _write_index(path: Path, index: Index, ctx: Context) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(index))
    except OSError as error:  # a cache that cannot be written is reported by the store; this only costs time
        ctx.log.warning("the index of file contents was not written: %s", error)
