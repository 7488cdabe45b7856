"""What folders are called: compared as people read them, whatever the disk makes of it."""

from __future__ import annotations

from unicodedata import normalize

__all__ = ["PARTS", "folded", "readable"]

PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def folded(name: str) -> str:
    """What names of folders are compared by: letter case and Unicode's normal forms make no difference.

    macOS and some archives write an umlaut as two characters (NFD), others as one.
    """
    return normalize("NFC", normalize("NFD", readable(name)).casefold())


def readable(name: str) -> str:
    """A folder's name as text: in Unicode's normal form NFC, bytes that are no UTF-8 written out."""
    return normalize("NFC", name.encode("utf-8", "backslashreplace").decode())
