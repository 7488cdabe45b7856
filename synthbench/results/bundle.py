"""The bundle: a zip file with what another person needs to check a run, and the digest of every file in it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from synthbench.errors import ConfigError, DataError
from synthbench.results.evidence import FOLDER, digests_below
from synthbench.results.folder import read_record
from synthbench.results.redact import PathRedactor
from synthbench.storage.disk import disk_trouble, make_folder
from synthbench.storage.layout import File, Folder, Table, safe_name, trial_folder
from synthbench.version import __version__

__all__ = ["MANIFEST", "Packed", "export", "unpack"]

MANIFEST = "manifest.json"
FORMAT = 1
"""Counts up when a bundle is laid out in another way."""

TEXTS = frozenset({".json", ".csv", ".txt"})
PICTURES = frozenset({".png"})
WEIGHTS = frozenset({".safetensors"})
REAL = frozenset({File.NEAREST, File.NEAREST_TABLE, "closest-pairs.png", "closest-pairs.csv", "copies.csv"})
"""Pictures that show training images beside synthetic ones, and the names of those images."""
NEEDED = (File.RECORD, *(t.file for t in Table if not t.optional and t not in (Table.AUDIT, Table.QUARANTINE)))
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file knows: when a bundle was made is no part of its content."""

PIECE = 1 << 20
"""Bytes of a member in memory at once: what it unpacks to is not known before."""

MANIFEST_BYTES = 1 << 26
"""Most of the manifest, which is read as a whole: a line a file."""

LARGEST = 1 << 35
"""Bytes of a whole bundle, unpacked (32 GiB); more is taken for an attack on the disk."""


@dataclass(frozen=True)
class Packed:
    """What went into a bundle, by name with its bytes, and what of the run's folder did not."""

    files: Mapping[str, int]
    left_out: list[str]


def export(folder: Path, file: Path, *, weights: bool = False, evidence: bool = True) -> Packed:
    """Pack a run's folder. The same folder gives the same bytes, under one version of zlib.

    Without `evidence`, features stay out: the bundle is smaller, and what rests on them cannot be recomputed.
    Texts go in without the folders of this machine, logs and tracebacks too. Pictures and names of real training
    images stay out, with them all samples of floors and ceilings; so do trials that are not in run.json. Raises
    DataError for a folder that is no run, ConfigError for a `file` that is a folder, or labels that only their
    folders tell apart.
    """
    if file.is_dir():
        raise ConfigError(f"{file} is a folder; give the file that is to be written, {file.name or 'run'}.zip say")
    record = read_record(folder)
    if missing := [name for name in NEEDED if not (folder / name).is_file()]:
        raise DataError(
            f"{folder}: no {', '.join(missing)}; give the folder of a run of this version, runs/<name>"
        )
    redactor = PathRedactor([folder.resolve(), *_home()])
    renamed = _renamed(record, redactor)
    kinds = {*TEXTS, *PICTURES, *(WEIGHTS if weights else ())}
    wanted = {Folder.TRIALS: kinds, Folder.DATA: kinds, FOLDER: {".npy"} if evidence else set()}
    is_named = _named(folder, record)
    members: dict[str, Path] = {}
    left_out: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder)
        if _is_result(path, name, wanted) and is_named(name) and not _shows_real_images(name, record):
            members["/".join(renamed.get(part, part) for part in name.parts)] = path
        else:
            left_out.append(name.as_posix())
    return Packed(_write(file, members, redactor), left_out)


def _home() -> list[Path]:
    try:
        return [Path.home()]
    except RuntimeError:  # an account without one: no path can name it
        return []


def _is_result(path: Path, name: Path, wanted: Mapping[str, Collection[str]]) -> bool:
    """Written by `run`: tables and run.json at the top, in folders the kinds of files that are wanted there."""
    if len(name.parts) == 1:
        return name.name in {File.RECORD, *(table.file for table in Table)} and not path.is_symlink()
    asked, hidden = wanted.get(name.parts[0], ()), any(part.startswith(".") for part in name.parts)
    return path.suffix in asked and not path.is_symlink() and not hidden and _is_plain(name.as_posix())


def _shows_real_images(name: Path, record: Mapping[str, Any]) -> bool:
    """What a run shows of training images, or calls them; samples of floors and ceilings, which may be such."""
    if name.name in REAL:
        return True
    if name.suffix not in PICTURES:
        return False
    roles = {safe_name(label): about["role"] for label, about in record["declared"]["generators"].items()}
    sample = name.parts[0] == Folder.TRIALS and name.parts[3:4] == (Folder.GENERATOR,)
    return name.parts[0] == Folder.DATA or (sample and roles.get(name.parts[1]) != "candidate")


def _named(folder: Path, record: Mapping[str, Any]) -> Callable[[Path], bool]:
    """Whether a file belongs to a trial of run.json, or is an array that such a trial names; others are neither.

    What an earlier run left in the same folder is none of this one's.
    """
    trials = {trial_folder(Path(), trial["generator"], trial["index"]).parts for trial in record["trials"]}
    arrays = {f"{digest}.npy" for trial in trials for digest in digests_below(folder.joinpath(*trial))}
    return lambda name: {
        Folder.TRIALS: name.parts[:3] in trials,
        FOLDER: len(name.parts) == 2 and name.name in arrays,
    }.get(name.parts[0], True)


def _renamed(record: Mapping[str, Any], redactor: PathRedactor) -> dict[str, str]:
    """Folders named after a label that holds a path: `use: /data/jane/mine.py:Gan` without a label, say.

    Raises ConfigError where two labels of a kind would be one without their folders.
    """
    names: dict[str, str] = {}
    for kind in ("generators", "evaluators"):
        bare: dict[str, str] = {}
        for label in record["declared"][kind]:
            text = redactor.text(label)
            if (other := bare.setdefault(text, label)) != label:
                raise ConfigError(
                    f"{kind}: {other} and {label} are both called {text} without the folders of this machine, "
                    "which a bundle does not hold; give one a `label:` and run the benchmark again"
                )
            names[safe_name(label)] = safe_name(text)
    return names


def _content(path: Path, redactor: PathRedactor) -> bytes:
    content = path.read_bytes()
    if path.suffix not in TEXTS:
        return content
    text = content.decode("utf-8", errors="replace")
    try:
        return redactor.file(text, path.suffix).encode()
    except ValueError:  # no JSON, whatever it is called
        return redactor.file(text, ".txt").encode()


def _write(file: Path, members: Mapping[str, Path], redactor: PathRedactor) -> dict[str, int]:
    """The zip file, one member in memory at a time; the bytes of each."""
    about: dict[str, dict[str, Any]] = {}
    make_folder(file.parent, "give another file")
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(temporary, "w") as bundle:
            for name, path in sorted(members.items()):
                content = _content(path, redactor)
                about[name] = {"sha256": _sha256(content), "bytes": len(content)}
                bundle.writestr(_entry(name), content, compresslevel=6)
            manifest = {"format": FORMAT, "made_by": f"synthbench {__version__}", "files": about}
            bundle.writestr(_entry(MANIFEST), json.dumps(manifest, indent=1) + "\n", compresslevel=6)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
    return {name: facts["bytes"] for name, facts in about.items()}


def _entry(name: str) -> zipfile.ZipInfo:
    """The same whoever packs, on whatever system."""
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def unpack(file: Path, folder: Path) -> list[str]:
    """Unpack a bundle into an empty folder; what does not fit its manifest, a line each.

    Only what the manifest lists is written, and nothing outside `folder`. Raises DataError for a file that is no
    bundle, or that asks for names outside of the folder.
    """
    try:
        with zipfile.ZipFile(file) as bundle:
            return _unpack(bundle, folder)
    except FileNotFoundError as error:
        raise DataError(f"{file}: no such file") from error
    except OSError as error:  # offsets that lead out of the file
        if disk_trouble(error, folder):
            raise
        raise DataError(f"{file} cannot be read as a zip file: {error.strerror}") from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{file} cannot be read as a zip file: {error}") from error
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError, EOFError) as error:
        raise DataError(f"{file} is no bundle of synthbench export ({type(error).__name__}: {error})") from error


def _unpack(bundle: zipfile.ZipFile, folder: Path) -> list[str]:
    names = [entry.filename for entry in bundle.infolist()]
    with bundle.open(MANIFEST) as stream:
        manifest = json.loads(stream.read(MANIFEST_BYTES))
    if manifest["format"] != FORMAT:
        raise ValueError(f"format {manifest['format']}, this synthbench reads {FORMAT}")
    listed = manifest["files"]
    for name, about in listed.items():
        if type(about["bytes"]) is not int or about["bytes"] < 0:  # True counts as 1, and less than 0 reads all
            raise ValueError(f"{name} has {about['bytes']!r} bytes")
    if sum(about["bytes"] for about in listed.values()) > LARGEST:
        raise ValueError(f"more than {LARGEST >> 30} GiB")
    problems = [f"{name} is there twice" for name, n in Counter(names).items() if n > 1]
    problems += [f"{name} is not in the manifest" for name in sorted({*names} - {*listed, MANIFEST})]
    for name, about in listed.items():
        target = _inside(folder, name)
        if name not in names:
            problems.append(f"{name} is missing")
            continue
        with bundle.open(name) as stream:
            size, digest = _put(target, name, stream, about["bytes"] + 1)
        if digest != about["sha256"]:
            problems.append(f"{name} has another digest than in the manifest")
        elif size != about["bytes"]:
            problems.append(f"{name} has another size than in the manifest")
    return problems


def _put(target: Path, name: str, stream: IO[bytes], most: int) -> tuple[int, str]:
    """Write a member piece by piece, `most` bytes of it; how many there were, and their digest.

    Raises ValueError where its name can be no file beside the others, or on this system.
    """
    sha, size = hashlib.sha256(), 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            while piece := stream.read(min(PIECE, most - size)):
                sha.update(piece)
                size += file.write(piece)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):  # not the bundle's fault
            raise
        raise ValueError(f"{name!r} cannot be written: {error.strerror}") from error
    return size, sha.hexdigest()


def _inside(folder: Path, name: str) -> Path:
    """Where a name leads. Raises ValueError for one that could lead out, on any system."""
    if not _is_plain(name):
        raise ValueError(f"the name {name!r} could lead out of it")
    return folder.joinpath(*name.split("/"))


def _is_plain(name: str) -> bool:
    parts = name.split("/")
    return not ("\\" in name or ":" in name or any(part in ("", ".", "..") for part in parts))
