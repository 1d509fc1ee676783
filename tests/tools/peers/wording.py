"""What two reports of the same failure must not differ by."""

from __future__ import annotations

import re

_IDS = re.compile(r"\b(thread|run)_(?!id\b)\w+")
_PATHS = re.compile(r"(?<![\w:/])(?:/[\w.@+-]+){2,}")
_INDICES = re.compile(r"(?<=[/.])\d+(?=[/.])")


def without_ids(text: str) -> str:
    """The text with placeholders for the ids of threads and runs."""
    return _IDS.sub(r"{\1_id}", text)


def without_indices(text: str) -> str:
    """The text with all items of a list told alike."""
    return _INDICES.sub("n", text)


def without_paths(text: str) -> str:
    """The text with nothing in it of the machine that it was written on."""
    return _PATHS.sub("...", text)
