"""A failure in words: what a foreign exception says, made fit for every reader of a board."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from synthbench.errors import SynthbenchError, text_of

__all__ = ["MOST", "Failure", "StageFailed", "message_of", "printable"]

MOST = 2000
"""Characters of a reason: a cell of a spreadsheet or a terminal takes them."""

MOST_TRACE = 200_000
"""Characters of a traceback: a message of gigabytes stands in it again."""


@dataclass(frozen=True)
class Failure:
    """`text` for the board, at most MOST characters; `trace` for the trial's error.txt. Both can be encoded.

    for_people  whether the text alone tells a user what to do
    """

    text: str
    trace: str
    for_people: bool = False

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """What an exception says, its kind before it unless the harness wrote it for people."""
        if isinstance(error, StageFailed):
            return error.failure
        for_people = isinstance(error, SynthbenchError)
        kind = "" if for_people else f"{type(error).__name__}: "
        text = f"{kind}{message_of(error)}"
        if isinstance(error, SystemExit):
            text += ": the plugin calls sys.exit, which ends a process; let it return, or raise another error"
        return cls(printable(text, MOST), printable("".join(_lines(error)), MOST_TRACE), for_people)


class StageFailed(Exception):  # noqa: N818 - what a stage ended with
    """A stage ended in another process; `failure` says how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def message_of(error: BaseException) -> str:
    """What it says, fit for a board."""
    return printable(text_of(error), MOST)


def _lines(error: BaseException) -> list[str]:
    try:
        return traceback.format_exception(error)
    except Exception as second:  # it asks the exception for more than its text
        return [f"no traceback can be made: {type(second).__name__}\n"]


def printable(text: str, most: int | None = None) -> str:
    """`text` without what cannot be encoded; of more than `most` characters the beginning and the end."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if most is None or len(text) <= most:
        return text
    return f"{text[: most - most // 4]} [...] {text[len(text) - most // 4 + 7 :]}"
