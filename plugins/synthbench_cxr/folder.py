"""What all folder-based sets share: decoded once into the store, bad files put aside, parts made `Splits`."""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from pydantic import Field, PrivateAttr, field_validator

from synthbench import (
    Context,
    DataError,
    Geometry,
    GreyScale,
    ImageDataset,
    Images,
    Quarantined,
    Splits,
    StoreError,
    code_version,
    load_images,
    save_images,
)
from synthbench_cxr.decode import decode_all
from synthbench_cxr.digests import content_digest, listed_digest
from synthbench_cxr.grey_scale import faint, grey_scale
from synthbench_cxr.layout import Listing, readable

__all__ = ["FolderDataset"]

Strings = npt.NDArray[np.str_]

NO_CONTENT = {"root", "max_bad", "positive", "manifest", "classes"}
"""Options that change no pixel; what a manifest says and the classes count by themselves."""

GEOMETRY = "geometry.npz"
"""Beside a part's pixels: the columns of `Geometry`."""


class FolderDataset(ImageDataset):
    """Images in class folders, with or without folders train, val and test around them.

    A file that is unreadable, truncated, empty, larger than any radiograph or of one grey value is put aside
    into `Splits.quarantine` with the reason, as are files that are no images by their suffix; never is
    another image put in its place. Files of the operating system are passed over.
    """

    root: Path | None = Field(None, description="the set's folder, as seen from the file that names it")
    max_bad: float = Field(
        0.01, ge=0, le=1, description="share of files that may turn out unreadable before the run stops"
    )

    window: tuple[float, float] | None = Field(
        None, description="the grey values in the files that become black and white; default: by bit depth"
    )

    domain: ClassVar[str]
    """Whose images these are, in a line."""

    _scale: GreyScale | None = PrivateAttr(None)
    _spelling: tuple[str, ...] = PrivateAttr(())

    @field_validator("window")
    @classmethod
    def _ascends(cls, window: tuple[float, float] | None) -> tuple[float, float] | None:
        if window is not None and not (math.isfinite(window[1] - window[0]) and window[0] < window[1]):
            raise ValueError("must be [low, high] with low < high: the values that become black and white")
        return window

    @abstractmethod
    def folder(self) -> Path:
        """Where the set lies. Raises DataError."""

    @abstractmethod
    def listing(self, root: Path) -> Listing:
        """Its files, with part, class and group. Raises DataError."""

    def as_external(self, splits: Splits) -> Self:
        """On the scale of the set whose generators it tests, for one of its own would hide a difference; with that
        one's spelling and order of the classes where they differ in letter case alone."""
        beside = self.model_copy()
        beside._scale, beside._spelling = splits.scale, splits.train.classes
        return beside

    def load(self, ctx: Context) -> Splits:
        """Read the set, from the store where nothing changed; `train` is empty where there are only test images.

        Raises DataError where it is missing, has an empty class or too many unreadable files.
        """
        root = self.folder()
        listing = self.listing(root).spelled(self._spelling)
        ctx.log.info("%s: %d files in %s", self.name, len(listing.items), readable(str(root)))
        stored = ctx.store.make("dataset", self._key(root, listing, ctx), lambda to: self._read(listing, to, ctx))
        for remark in (*listing.remarks, *stored.meta["remarks"]):
            ctx.progress.say(f"{self.name}: {remark}")
        bad = [Quarantined(**entry) for entry in stored.meta["quarantine"]]
        self._check_share(root, bad, len(listing.items))
        parts = {name: load_images(stored.path / name) for name in stored.meta["parts"]}
        for name, images in parts.items():
            expected = {item.label for item in listing.items if item.part == name}
            if empty := [label for label, n in images.counts().items() if n == 0 and label in expected]:
                raise DataError(f"{root}: its {name} part has no readable image of {', '.join(empty)}; add some")
        geometry = {name: _load_geometry(stored.path / name) for name in parts}
        return self._splits(parts, geometry, listing, bad, stored.meta)

    def _key(self, root: Path, listing: Listing, ctx: Context) -> Mapping[str, Any]:
        return {
            "dataset": self.name,
            "config": self.model_dump(mode="json", exclude=NO_CONTENT),
            "code": code_version(type(self).__module__),
            "files": content_digest(self.name, root, listing.items, ctx),
            "listed": listed_digest(listing.items),
            "classes": listing.classes,
            "scale": self._scale and dataclasses.asdict(self._scale),
        }

    def _scale_of(self, listing: Listing, ctx: Context) -> GreyScale | None:
        """The one asked for, that of the set that this one is external to, or its own."""
        if self.window is not None:
            return GreyScale(window=self.window)
        train = [item.path for item in listing.items if item.part == "train"]
        others = [item.path for item in listing.items if item.part != "train"]
        return self._scale or grey_scale(train, others, ctx)

    def _read(self, listing: Listing, to: Path, ctx: Context) -> Mapping[str, Any]:
        """Decode every part into its own folder below `to`."""
        parts = sorted({item.part for item in listing.items})
        quarantine: list[Quarantined] = []
        conversions: Counter[str] = Counter()
        used: dict[str, tuple[float, float]] = {}
        scale = self._scale_of(listing, ctx)
        with ctx.progress.bar(f"reading {self.name}", len(listing.items)) as bar:
            for part in parts:
                items = [item for item in listing.items if item.part == part]
                decoded = decode_all(items, listing.classes, self, scale or GreyScale(), bar)
                quarantine += decoded.bad
                conversions += decoded.conversions
                used |= {f"{part}/{label}": ends for label, ends in decoded.used.items()}
                (to / part).mkdir()
                save_images(to / part, decoded.images)
                np.savez(to / part / GEOMETRY, **dataclasses.asdict(decoded.geometry))
        return {
            "parts": parts,
            "quarantine": [dataclasses.asdict(entry) for entry in quarantine],
            "scale": scale and dataclasses.asdict(scale),
            "conversions": dict(sorted(conversions.items())),
            "remarks": faint(used),
        }

    def _check_share(self, root: Path, bad: Sequence[Quarantined], total: int) -> None:
        if len(bad) > self.max_bad * total:
            first = "\n".join(f"  {entry.path}: {entry.reason}" for entry in bad[:5])
            raise DataError(
                f"{root}: {len(bad)} of {total} image files are unreadable, more than max_bad = {self.max_bad:g} "
                f"allows:\n{first}\nmend or remove them, or raise max_bad"
            )

    def _splits(
        self,
        parts: Mapping[str, Images],
        geometry: Mapping[str, Geometry],
        listing: Listing,
        bad: Sequence[Quarantined],
        about: Mapping[str, Any],
    ) -> Splits:
        if self.positive is not None and (self.positive not in listing.classes or len(listing.classes) != 2):
            classes = ", ".join(listing.classes)
            raise DataError(
                f"{self.name}: positive is {self.positive}, must be one of two classes; found {classes}"
            )
        tests = sorted(parts.keys() - {"train", "val"}, key=lambda name: (name != "test", name))
        return Splits(
            train=parts["train"] if "train" in parts else self._no_images(listing.classes),
            tests={name: parts[name] for name in tests},
            val=parts.get("val"),
            quarantine=(*listing.aside, *bad),
            domain=self.domain,
            geometry=geometry,
            positive=self.positive,
            scale=GreyScale.of_record(about["scale"]) if about["scale"] else None,
            conversions=about["conversions"],
            attributes={name: _attributes(images, listing) for name, images in parts.items()},
        )

    def _no_images(self, classes: tuple[str, ...]) -> Images:
        pixels = np.empty((0, self.image_size, self.image_size, self.channels), dtype=np.uint8)
        return Images(pixels, np.empty(0, dtype=np.int64), classes)


def _attributes(images: Images, listing: Listing) -> dict[str, Strings]:
    """Of each image, by name: taken from the list and not from the store, for they make no image another one."""
    of_images = [listing.attributes.get(image_id, {}) for image_id in images.ids.tolist()]
    names = of_images[0] if of_images else {}
    return {name: np.array([known[name] for known in of_images], dtype=np.str_) for name in names}


def _load_geometry(folder: Path) -> Geometry:
    """Raises StoreError where damaged."""
    try:
        with np.load(folder / GEOMETRY) as columns:
            return Geometry(**columns)
    except (OSError, EOFError, ValueError, TypeError, KeyError, BadZipFile) as error:
        raise StoreError.damaged(folder, error) from error
