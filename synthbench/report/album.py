"""The pictures of a report: each plot drawn once for its files and the page, each image made to fit the page."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import pickle
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image

from synthbench.api.pictures import read_picture
from synthbench.errors import DataError
from synthbench.report.theme import inline, themed
from synthbench.storage.layout import safe_name
from synthbench.storage.store import write_atomic

__all__ = ["Album", "Photo", "Plot"]

DRAWN = "drawn.json"
"""In the plots' folder: by plot the digests of what it was drawn from, of its PNG and its SVG."""

PLOTS, PHOTOS = 4_000_000, 3_500_000
"""Characters of plots and of images that a page takes, so that with its tables it stays below 10 MB."""

WIDEST, NARROWEST = 1024, 128
"""Width of images on the page: 8 in a row at 128 pixels each; how far they shrink where there are many."""


@dataclass(frozen=True)
class Plot:
    """A plot: `alt` says in words what it shows; `svg` is empty where the page has no room left."""

    name: str
    alt: str
    caption: str
    svg: Markup


@dataclass(frozen=True)
class Photo:
    """An image as data URI with the size it is shown at; `uri` is empty where the page has no room left."""

    alt: str
    caption: str
    uri: str
    width: int
    height: int
    file: str

    @property
    def coarse(self) -> bool:
        """Whether it is so small that a screen shows its pixels: they then stay sharp."""
        return self.width < WIDEST / 2


@dataclass
class Album:
    """Makes plots and photos and keeps count of the room they take. `folder` gets the plots as PNG and SVG.

    A plot that lies there, drawn by this code from the same numbers, is not drawn again: DRAWN says so.
    """

    folder: Path
    expected_photos: int = 1
    room: dict[str, int] = field(default_factory=lambda: {"plots": PLOTS, "photos": PHOTOS})
    names: set[str] = field(default_factory=set)
    drawn: dict[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._earlier = _read_drawn(self.folder / DRAWN)

    def plot(
        self,
        name: Sequence[str],
        draw: Callable[[Figure], None],
        *,
        alt: str,
        caption: str,
        size: tuple[float, float] = (4.6, 3.2),
    ) -> Plot:
        """Draw into a figure of `size` inches and write <name>.png and <name>.svg.

        draw  a function of a module, or a `partial` of one with all that it draws
        """
        stem = self._stem(name)
        files = [self.folder / f"{stem}.{suffix}" for suffix in ("png", "svg")]
        source = _digest_of(draw, size)
        if self._earlier.get(stem) != [source, *map(_digest_of_file, files)]:
            self._draw(draw, size, *files)
        self.drawn[stem] = [source, *map(_digest_of_file, files)]
        svg = inline(files[1].read_text(encoding="utf-8"), f"plot{len(self.names)}-")
        return Plot(stem, alt, caption, Markup(svg) if self._takes("plots", svg) else Markup())

    def finish(self) -> None:
        """Remove plots of rows that are no longer there; remember what the others were drawn from."""
        for path in self.folder.glob("*"):
            if path.suffix in (".png", ".svg") and path.stem not in self.drawn:
                path.unlink()
        if self.drawn:
            write_atomic(self.folder / DRAWN, json.dumps(self.drawn, indent=1) + "\n")

    def _draw(self, draw: Callable[[Figure], None], size: tuple[float, float], png: Path, svg: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with themed(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")  # a label in a script the font lacks
            figure = Figure(figsize=size, layout="constrained")
            draw(figure)
            figure.draw_without_rendering()
            figure.set_layout_engine("none")  # laid out: not once more for each file
            figure.savefig(png, metadata={"Software": None})
            text = io.StringIO()
            figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
        svg.write_text(text.getvalue(), encoding="utf-8")

    def photo(self, path: Path, *, alt: str, caption: str, run: Path) -> Photo | None:
        """An image file for the page, smaller where it has to be; None where there is no readable image."""
        try:
            picture = read_picture(path)
            shown = picture.convert("L" if picture.mode in ("1", "L") else "RGB")
        except (DataError, ValueError):
            return None
        shown, uri = _fitting(shown, PHOTOS // max(self.expected_photos, 1))
        uri = uri if self._takes("photos", uri) else ""
        return Photo(alt, caption, uri, *shown.size, path.relative_to(run).as_posix())

    def _stem(self, name: Sequence[str]) -> str:
        """A file name of the words, used once."""
        stem = "-".join(safe_name(word) for word in name)
        while stem.lower() in self.names:
            stem += "_"
        self.names.add(stem.lower())
        return stem

    def _takes(self, kind: str, text: str) -> bool:
        self.room[kind] -= len(text)
        return self.room[kind] >= 0


def _read_drawn(file: Path) -> Mapping[str, Sequence[str]]:
    """What an earlier report wrote; nothing where that cannot be read: all is drawn anew then."""
    try:
        drawn: Mapping[str, Sequence[str]] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return drawn if isinstance(drawn, dict) else {}


def _digest_of(draw: Callable[[Figure], None], size: tuple[float, float]) -> str:
    """Of what a plot follows from: its numbers, this package's code, the library that draws."""
    return hashlib.sha256(pickle.dumps((draw, size, _code(), matplotlib.__version__))).hexdigest()


@cache
def _code() -> str:
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _digest_of_file(file: Path) -> str:
    """ "" where there is none."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _fitting(picture: Image.Image, allowance: int) -> tuple[Image.Image, str]:
    """The picture as data URI of at most `allowance` characters, as large as that lets it be."""
    width = min(picture.width, WIDEST)
    while True:
        small = _shrunk(picture, width)
        uri = _data_uri(small)
        if len(uri) <= allowance or width <= NARROWEST:
            return small, uri
        width = max(NARROWEST, int(width * min(0.95, math.sqrt(allowance / len(uri)))))


def _shrunk(picture: Image.Image, width: int) -> Image.Image:
    height = max(1, round(picture.height * width / picture.width))
    return picture if width == picture.width else picture.resize((width, height), Image.Resampling.LANCZOS)


def _data_uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
