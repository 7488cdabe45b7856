"""What crosses between the run and a stage's process: jobs and arrays one way, messages of plain data the other.

Arrays go as files that both map read-only: those of the store where they lie, others once into a scratch folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.progress import Bar, Progress
from synthbench.runner.failure import printable
from synthbench.storage.code_version import Reading

__all__ = ["Channel", "Order", "RemoteProgress", "Shelf"]

Array = npt.NDArray[Any]

INLINE_BYTES = 1 << 16
"""Arrays up to this size go with the job."""

KNOWN_BYTES = 1 << 24
"""Arrays from this size on are known again without reading them: the data live as long as a run."""

EVERY_S = 0.1
"""Seconds between two messages of one bar."""


@dataclass(frozen=True)
class Order:
    """All that a stage's process is given. `job` is a pickle: read once the surroundings stand.

    environment  of the run; threads: torch's, None where the run has not loaded torch
    home         the folder it works in
    readings     of code, that it need not read again
    """

    job: bytes
    environment: Mapping[str, str]
    threads: int | None
    home: Path
    readings: Mapping[str, Reading]


class Shelf:
    """Pickles jobs, larger arrays as files in `folder`: each array is written once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[int, tuple[Array, Path]] = {}

    def packed(self, job: Any) -> bytes:
        """Raises whatever pickle does where the job holds what cannot be sent."""
        buffer = io.BytesIO()
        _Pickler(buffer, self).dump(job)
        return buffer.getvalue()

    def file_of(self, array: Array) -> Path:
        """The .npy file with the array's content."""
        if (mapped := _mapped_file(array)) is not None:
            return mapped
        if (known := self._files.get(id(array))) is not None:
            return known[1]
        content = hashlib.sha256(f"{array.dtype} {array.shape}".encode())
        content.update(np.ascontiguousarray(array).view(np.uint8).data)
        file = self._folder / f"{content.hexdigest()[:32]}.npy"
        if not file.exists():
            np.save(file, array)
        if array.nbytes >= KNOWN_BYTES:
            self._files[id(array)] = array, file  # the array is kept, lest another gets its id
        return file


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, shelf: Shelf) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._shelf = shelf

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.nbytes > INLINE_BYTES and not value.dtype.hasobject:
            return _map, (self._shelf.file_of(value),)
        return NotImplemented


def _map(file: Path) -> Array:
    array: Array = np.load(file, mmap_mode="r", allow_pickle=False)
    return array


def _mapped_file(array: Array) -> Path | None:
    """The .npy file that `array` is the read-only mapping of, all of it."""
    if not isinstance(array, np.memmap) or array.mode != "r" or array.filename is None:
        return None
    file = Path(array.filename)
    if file.suffix != ".npy" or not file.is_file() or not array.flags.c_contiguous:
        return None
    whole = np.load(file, mmap_mode="r", allow_pickle=False)
    same = (whole.shape, whole.dtype) == (
        array.shape,
        array.dtype,
    ) and file.stat().st_size == array.offset + array.nbytes
    return file.absolute() if same else None


@dataclass
class Channel:
    """Sends messages of plain data, as JSON: the run reads nothing that could run code there."""

    connection: Connection
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, **message: Any) -> None:
        """One message; from any thread."""
        with self._lock:
            self.connection.send_bytes(json.dumps(message, default=str).encode())


class RemoteProgress(Progress):
    """A `Progress` that the run shows."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(enabled=False)
        self._channel = channel
        self._opened = 0

    @contextmanager
    def bar(self, what: str, total: int, unit: str = "images", done: int = 0) -> Iterator[Bar]:
        """As there."""
        self._opened += 1
        number = self._opened
        self._channel.send(
            open=number, what=printable(what), total=int(total), unit=printable(unit), done=int(done)
        )
        bar = _RemoteBar(self._channel, number)
        try:
            yield bar
        finally:
            bar.send()
            self._channel.send(close=number)

    def stage(self, what: str) -> None:
        """As there."""
        self._channel.send(stage=printable(what))

    def say(self, text: str) -> None:
        """As there."""
        self._channel.send(say=printable(text))


class _RemoteBar:
    """Gathers what comes faster than anyone can see."""

    def __init__(self, channel: Channel, number: int) -> None:
        self._channel, self._number = channel, number
        self._n, self._note, self._sent = 0, "", 0.0

    def advance(self, n: int = 1, note: str = "") -> None:
        self._n += int(n)
        self._note = note or self._note
        if time.monotonic() - self._sent >= EVERY_S:
            self.send()

    def send(self) -> None:
        if self._n or self._note:
            self._channel.send(bar=self._number, n=self._n, note=printable(self._note))
            self._n, self._note, self._sent = 0, "", time.monotonic()
