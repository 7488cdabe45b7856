"""What is called as a segmentation mask or an overlay is: it shows no patient, and lies beside images that do.

Names of masks cannot be listed; what they have in common is the name of their image, and a word for what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Beside", "names_masks"]

MASK = re.compile(
    r"(?<!un)mask|(?<![^\W\d_])(?:seg(?:s|m|ms|ment(?:s|ed|ations?)?)?|gts?|ground[ _-]*truths?"
    r"|anno(?:s|t|ts|tated|tations?)?|labels?|labell?ed|rois?|contour(?:s|ed)?|outlines?|delineations?"
    r"|overla(?:ys?|id)|heat[ _-]*maps?|grad[ _-]*cam|saliency|b(?:ounding[ _-]*)?box(?:es)?)(?![^\W\d_])",
    re.IGNORECASE,
)
"""A word of its own, but for "mask": lungmask, maskleft."""

NUMBERED_LABEL = re.compile(r"(?:.*[\W_])?label[\W_]*\d+", re.IGNORECASE)
"""As classes may be called: label_0, label_1."""

IMAGE = r"(?:images?|imgs?|orig(?:inal)?|raw|scan|photo|cxr|x[ _-]?ray)"
OF_IMAGE = re.compile(rf"^{IMAGE}[\W_]+|[\W_]+{IMAGE}$", re.IGNORECASE)
"""p7_image beside p7_mask: both are named after p7."""

VIEWS = frozenset(
    (
        *("left", "right", "front", "frontal", "back", "lateral", "lat", "side", "view", "apical", "supine"),
        *("erect", "image", "img", "scan", "copy", "page", "frame", "slice"),
    )
)
"""Words in the names of a patient's second image; so are all of one letter or two (AP, PA, L)."""

CUT = re.compile(rf"[\W_]|{MASK.pattern}", re.IGNORECASE)


def names_masks(folder: str) -> bool:
    """Whether a folder is called as one of masks is: `masks`, `mask_1`, `labelsTr`, `ground truth`."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", folder)
    return MASK.search(apart) is not None and not NUMBERED_LABEL.fullmatch(folder)


@dataclass(frozen=True)
class Beside:
    """The images of a folder by their stems, to tell a mask from a patient's second image.

    stems  file names by stem, in small letters; also by the stem without "image" and the like
    """

    stems: Mapping[str, str]

    @classmethod
    def of(cls, paths: Iterable[Path]) -> Beside:
        """Those files."""
        names = {path.stem.casefold(): path.name for path in paths}
        bare = {OF_IMAGE.sub("", stem): name for stem, name in names.items()}
        return cls({stem: name for stem, name in (bare | names).items() if stem})

    def has_image_of(self, mask: Path) -> bool:
        """Whether the name is that of another file with a word for masks before or after it."""
        stem = mask.stem.casefold()
        after = (stem[cut.start() :] for cut in CUT.finditer(stem) if stem[: cut.start()] in self.stems)
        before = (stem[: cut.end()] for cut in CUT.finditer(stem) if stem[cut.end() :] in self.stems)
        return any(MASK.search(rest) for rest in (*after, *before))

    def namesake(self, path: Path) -> str:
        """The file after which this one is named with a word that no view has: p7.png of p7_lesion.png; or ""."""
        stem = path.stem.casefold()
        for cut in re.finditer(r"[\W_]", stem):
            words = re.findall(r"[^\W\d_]{3,}", stem[cut.start() :])
            other = self.stems.get(stem[: cut.start()], path.name)
            if set(words) - VIEWS and other != path.name:
                return other
        return ""
