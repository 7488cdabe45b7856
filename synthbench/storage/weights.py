"""Published files that plugins need: where they lie, what they must be, how they get there."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from synthbench.errors import DataError
from synthbench.progress import Progress
from synthbench.storage.places import default_root, folder_in

__all__ = ["WeightFile", "offline", "provide", "sha256_of", "weights_folder"]

TIMEOUT = 60.0
"""Seconds without a byte from the server before a download counts as failed."""


def weights_folder() -> Path:
    """`SYNTHBENCH_WEIGHTS`, or the folder `weights` beside the store's entries."""
    return folder_in("SYNTHBENCH_WEIGHTS") or default_root() / "weights"


def offline() -> bool:
    """Whether downloads are forbidden: `--offline`, or SYNTHBENCH_OFFLINE set to anything but 0."""
    return os.environ.get("SYNTHBENCH_OFFLINE", "0") not in ("", "0")


def sha256_of(path: Path) -> str:
    """Digest of a file's content. Raises OSError where it cannot be read."""
    about = path.stat()
    return _digest(path, about.st_size, about.st_mtime_ns)


@cache
def _digest(path: Path, size: int, modified: int) -> str:  # noqa: ARG001 - what the cache goes by
    """Every evaluation asks for the digest of files that may be large: they are read once."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class WeightFile:
    """A published file.

    name    its path below the weights folder, e.g. "inception/pt_inception.pth"
    url     where it comes from
    sha256  its digest, or the first digits of it where no more is published; "" where the publisher gives none:
            then any content is taken, and counts by its own digest
    """

    name: str
    url: str
    sha256: str = ""

    @property
    def path(self) -> Path:
        """Where it lies, whether it is there or not."""
        return weights_folder() / self.name

    def verify(self) -> str:
        """The SHA-256 of the file as it lies there. Raises DataError where it is missing or another one."""
        try:
            digest = sha256_of(self.path)
        except OSError as error:
            raise DataError(self._missing()) from error
        if not digest.startswith(self.sha256):
            raise DataError(
                f"{self.path} is not the published file: its SHA-256 is {digest}, expected {self.sha256}"
                f"{'' if len(self.sha256) == 64 else '...'}; delete it, then fetch it again from {self.url}"
            )
        return digest

    def _missing(self) -> str:
        digest = f", SHA-256 {self.sha256}{'' if len(self.sha256) == 64 else '...'}" if self.sha256 else ""
        return f"{self.path} is missing: it comes from {self.url}{digest}; `synthbench fetch` gets it"

    def download(self, progress: Progress) -> None:
        """Fetch it: it appears under its name when it is complete and the right one. Raises DataError."""
        from http.client import HTTPException

        self.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=self.path.parent) as folder:
            part = Path(folder) / self.path.name
            try:
                _save(self.url, part, progress)
            except (OSError, HTTPException) as error:
                raise DataError(
                    f"{self.url} cannot be downloaded ({type(error).__name__}: {error}); fetch it where there is "
                    f"a network and put it at {self.path}"
                ) from error
            digest = sha256_of(part)
            if not digest.startswith(self.sha256):
                raise DataError(
                    f"{self.url} gave another file: SHA-256 {digest}, expected {self.sha256}; nothing was kept"
                )
            if self.path.exists():  # it may be somebody's own
                self.path.replace(self.path.with_name(f"{self.path.name}.damaged"))
            part.replace(self.path)


def provide(files: Iterable[WeightFile], progress: Progress) -> list[str]:
    """See to it that each file is there and the right one; its SHA-256, in the order given.

    Missing ones are downloaded, unless `offline()`. Raises DataError with all that is amiss.
    """
    digests, wrong = [], []
    for file in files:
        try:
            digests.append(_provided(file, progress))
        except DataError as error:
            wrong.append(str(error))
    if wrong:
        raise DataError("\n".join(wrong))
    return digests


def _provided(file: WeightFile, progress: Progress) -> str:
    """Its digest. One that is damaged is fetched again; it stays where that fails, else beside the new one."""
    if offline() or (file.path.exists() and not _is_damaged(file)):
        return file.verify()
    if file.path.exists():
        progress.say(f"{file.path} is not the published file, or damaged: it is fetched again")
    file.download(progress)
    return file.verify()


def _is_damaged(file: WeightFile) -> bool:
    try:
        return not sha256_of(file.path).startswith(file.sha256)
    except OSError:  # not to be read at all: `verify` says so
        return False


def _save(url: str, path: Path, progress: Progress) -> None:
    """Write what `url` gives. Raises OSError where it breaks off."""
    from urllib.request import urlopen  # 20 ms that only a download has to wait for

    with urlopen(url, timeout=TIMEOUT) as answer, path.open("wb") as file:
        length = int(answer.headers.get("Content-Length") or 0)
        with progress.bar(Path(urlsplit(url).path).name, length >> 20, unit="MB") as bar:
            while block := answer.read(1 << 20):
                file.write(block)
                bar.advance()
    if length and path.stat().st_size != length:
        raise OSError(f"{path.stat().st_size} of {length} bytes came")
