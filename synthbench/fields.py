"""What the fields of a result may hold: a plugin's mistake is named where it is made, not in a table later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from synthbench.influence import Influence

__all__ = ["PREDICTIONS_FIELDS", "SCORE_FIELDS", "check_fields"]


class _Kind(NamedTuple):
    words: str
    holds: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    """One that a file can hold: a lone half of a surrogate pair cannot be encoded."""
    return isinstance(value, str) and value.encode("utf-8", "replace").decode("utf-8") == value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and abs(int(value)) < 1 << 63


def _is_number(value: Any) -> bool:
    """Also as NumPy and torch give them: one value that has `item`."""
    if callable(getattr(value, "item", None)) and getattr(value, "ndim", 0) == 0:
        value = value.item()
    return isinstance(value, int | float) and not isinstance(value, bool)


_TEXT = _Kind("a text that can be encoded", _is_text)
_NUMBER = _Kind("a number", _is_number)
_NUMBER_OR_NONE = _Kind("a number or None", lambda value: value is None or _is_number(value))
_WHOLE = _Kind("a whole number", _is_whole)
_WHOLE_OR_NONE = _Kind("a whole number or None", lambda value: value is None or _is_whole(value))

SCORE_FIELDS = {
    **dict.fromkeys(("metric", "test_set", "note", "variant", "seen"), _TEXT),
    **dict.fromkeys(("low", "high"), _NUMBER_OR_NONE),
    "value": _NUMBER,
    "n": _WHOLE,
    "classifier_seed": _WHOLE_OR_NONE,
    "influence": _Kind("an Influence or None", lambda value: value is None or isinstance(value, Influence)),
}
PREDICTIONS_FIELDS = {
    **dict.fromkeys(("test_set", "variant"), _TEXT),
    **dict.fromkeys(("classifier_seed", "positive"), _WHOLE_OR_NONE),
}


def check_fields(result: Any, kinds: Mapping[str, _Kind], what: str) -> None:
    """Raise TypeError, naming `what` and the field, where one holds another kind of thing."""
    for name, wanted in kinds.items():
        if not wanted.holds(value := getattr(result, name)):
            raise TypeError(f"{what}: {name} must be {wanted.words}, found {value!r:.200}")
