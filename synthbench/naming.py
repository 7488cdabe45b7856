"""Labels as names of folders: benchmark files may call things `path/to/file.py:Class`."""

from __future__ import annotations

import hashlib

__all__ = ["safe_name"]


def safe_name(label: str) -> str:
    """`label` where it can name a folder anywhere; else what of it can, and a hash that keeps labels apart.

    "acgan" -> "acgan"; "mine.py:Gan" -> "mine.py_Gan-" and 8 hexadecimal digits.
    """
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in label)[:80]
    if safe == label and not label.startswith("."):
        return label
    return f"{safe.lstrip('.')}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"
