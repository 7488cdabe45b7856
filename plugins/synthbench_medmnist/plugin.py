"""MedMNIST's two-dimensional sets: small medical images of many kinds, with official splits."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from synthbench import (
    Context,
    DataError,
    Dataset,
    Splits,
    code_version,
    hookimpl,
    load_images,
    offline,
    save_images,
    sha256_of,
)
from synthbench_medmnist.classes import CLASSES, POSITIVE, Subset
from synthbench_medmnist.npz import PARTS, unpack_part

__all__ = ["MedMNIST"]

VARIABLE = "SYNTHBENCH_DATA"
PUBLISHED = re.compile(rf"({'|'.join(CLASSES)})(_(64|128|224))?\.npz")
"""How the sets' files are called."""


class MedMNIST(Dataset):
    """A set of MedMNIST v2 (Yang et al., Scientific Data 2023), official split, in one of its published sizes.

    Patients are not in the files: each image is its own group. `val` is the official validation set, which nothing
    trains on.
    """

    name: ClassVar[str] = "medmnist"

    subset: Subset = Field(description="which set; chestmnist, of several labels an image, is not read")
    root: Path | None = Field(
        None,
        description="the .npz file, or its folder; unset: medmnist/ in the folder of SYNTHBENCH_DATA, else a "
        "download by the package medmnist (extra `medmnist`)",
    )
    image_size: Literal[28, 64, 128, 224] = Field(28, description="height and width in pixels, as published")
    channels: Literal[1, 3] = Field(1, description="1: grey, of RGB sets the luma; 3: RGB")

    @property
    def file_name(self) -> str:
        """As the sets are published: `pneumoniamnist.npz`, `pneumoniamnist_64.npz`."""
        return f"{self.subset}{'' if self.image_size == 28 else f'_{self.image_size}'}.npz"

    def load(self, ctx: Context) -> Splits:
        """From the store where the file is unchanged. Raises DataError where it is missing or another one."""
        file = self._file()
        key = {
            "dataset": self.name,
            "config": self.model_dump(mode="json", exclude={"root"}),
            "code": code_version(__name__),
            "file": sha256_of(file),
        }
        folder = ctx.store.make("dataset", key, lambda folder: self._unpack(file, folder, ctx)).path
        parts = {part: load_images(folder / part) for part in PARTS}
        return Splits(
            train=parts["train"],
            tests={"test": parts["test"]},
            val=parts["val"],
            domain=f"{self.subset} of MedMNIST v2, {self.image_size} px; patients unknown",
            positive=POSITIVE.get(self.subset),
        )

    def _unpack(self, file: Path, folder: Path, ctx: Context) -> None:
        with ctx.progress.bar(f"unpacking {file.name}", len(PARTS), unit="parts") as bar:
            for part in PARTS:
                (folder / part).mkdir()
                with tempfile.TemporaryDirectory(dir=folder) as work:
                    images = unpack_part(
                        file, part, CLASSES[self.subset], self.image_size, self.channels, Path(work)
                    )
                    save_images(folder / part, images)
                bar.advance()

    def _file(self) -> Path:
        if self.root is not None:
            root = self.root.expanduser()
            file = root / self.file_name if root.is_dir() else root
            if not file.is_file():
                raise DataError(f"root is {self.root}, but there is no file {file}; correct root")
            if file.name != self.file_name and (other := PUBLISHED.fullmatch(file.name)):
                raise DataError(
                    f"root is {self.root}, of {other[1]}, but subset {self.subset} and image_size "
                    f"{self.image_size} are in {self.file_name}; correct one of them"
                )
            return file
        variable = os.environ.get(VARIABLE)
        if variable and (file := Path(variable, "medmnist", self.file_name)).is_file():
            return file
        return self._downloaded()

    def _downloaded(self) -> Path:
        """By the package, into its own folder, checked by its MD5; a file that is there already is not fetched."""
        advice = (
            f"give the folder of {self.file_name} as `root:`, or put it into medmnist/ in the folder of {VARIABLE}"
        )
        try:
            import medmnist
        except ImportError as error:
            raise DataError(
                f"no {self.file_name}: {advice}, or install the extra `medmnist`, which downloads it: "
                "`pip install '.[medmnist]'` or `uv sync --extra medmnist`"
            ) from error
        folder = Path(medmnist.info.DEFAULT_ROOT)
        if not (folder / self.file_name).is_file():
            if offline():
                raise DataError(f"offline, and no {folder / self.file_name}: {advice}, or fetch it with a network")
            self._download(medmnist, advice)
        return folder / self.file_name

    def _download(self, medmnist: Any, advice: str) -> None:
        kind = getattr(medmnist, medmnist.INFO[self.subset]["python_class"])
        try:
            kind(split="test", download=True, size=self.image_size)
        except Exception as error:  # whatever it was, there are no images, and the user has two ways out
            raise DataError(
                f"{self.file_name} could not be downloaded ({type(error).__name__}: {error}); {advice}"
            ) from error


@hookimpl
def register_datasets() -> list[type[Dataset]]:
    """`medmnist`."""
    return [MedMNIST]
