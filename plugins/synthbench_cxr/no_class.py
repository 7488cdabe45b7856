"""Folders that stand where class folders should: of a split, a fold, a piece of an archive, or of masks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from synthbench import DataError
from synthbench.intake import names_masks
from synthbench_cxr.layout import folder_names, readable, split_folders

__all__ = ["refuse_other_folders"]

OTHER = re.compile(
    r"(?:(?:k[ _-]*)?folds?|cv|splits?|parts?|partitions?|batch(?:es)?|shards?|chunks?|images?|imgs?"
    r"|train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?|dev|eval(?:uation)?|hold[ _-]?out|unlabell?ed)"
    r"(?:[ _.-]*(?:set|data|images?|fold|split|\d+))*",
    re.IGNORECASE,
)


def refuse_other_folders(root: Path, folders: Sequence[Path]) -> None:
    """Raises DataError where one of the `folders` is no class by its name or by what lies in it.

    Taken for a class, a fold or an institution would be what the classifiers learn to tell.
    """
    names = sorted({readable(f.name) for f in folders if OTHER.fullmatch(f.name) or names_masks(f.name)})
    if names:
        raise DataError(
            f"{root}: {', '.join(names)}: named as a split, a fold, a piece of an archive or masks, not as a "
            "class. Put the images into one folder a class, or name the folder that has them as `root:`; if these "
            "are the classes all the same, list them as `classes:`"
        )
    if sets := sorted({readable(folder.name) for folder in folders if split_folders(folder)}):
        inside = folder_names(root / sets[0], depth=1) if (root / sets[0]).is_dir() else "train, test"
        raise DataError(
            f"{root}: {', '.join(sets)}: a whole set ({inside}), not a class. Name one of them as `root:`, the "
            "others as `external` sets; if these are the classes all the same, list them as `classes:`"
        )
