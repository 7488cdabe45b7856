"""Which values of a whole set are black and white, where files hold more than 8 bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from synthbench import Context, DataError, GreyScale, read_deep
from synthbench_cxr.threads import in_threads

__all__ = ["faint", "grey_scale"]

COMMON = (12, 16, 32)
"""Bits that radiographs have; 12 of them usually lie in files that declare 16."""

FAINT = 0.25
"""Files that take a smaller share of the values from black to white have fewer bits, it seems."""


def faint(used: Mapping[str, tuple[float, float]]) -> list[str]:
    """A remark where the deep files of a class leave most of the range empty, by what they take of it."""
    shares = {name: high - low for name, (low, high) in used.items() if high - low < FAINT}
    if not shares:
        return []
    told = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    return [
        f"files of more than 8 bits take little of the range that becomes 0 to 255: {told}. They come out in few "
        "greys, darker than others; where their white is another value, say it: `window: [low, high]`"
    ]


def grey_scale(train: Sequence[Path], others: Sequence[Path], ctx: Context) -> GreyScale | None:
    """The scale of a set by its training images; where none of them is deep enough to tell, by the others.

    A file may declare more bits than it uses, and no single image says so: a dark one looks like one of fewer
    bits. None where no file declares more than 12 bits: then each has the depth that it declares. Reads the deep
    training images in full.
    """
    for paths in (train, others):
        with ctx.progress.bar("looking for deep images", len(paths), unit="files") as bar:
            values = []
            for value in in_threads(_largest_value, paths):
                values += [] if value is None else [value]
                bar.advance()
        if values:
            return GreyScale(next((bits for bits in COMMON if max(values) < 2**bits), COMMON[-1]))
    return None


def _largest_value(path: Path) -> int | None:
    """None for a file that declares up to 12 bits, says itself how it is shown, or cannot be read: said later."""
    try:
        picture = read_deep(path)
    except DataError:
        return None
    if picture is None or picture.shown is not None or (picture.bits or 0) <= COMMON[0]:
        return None
    return int(picture.values.max())
