"""Identifiers in the form of the real service's: a prefix and 24 alphanumerics."""

from __future__ import annotations

import hashlib
import string
from collections import Counter
from functools import lru_cache

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 24
#: Two digits at a time, the lower one first.
_PAIRS = [low + high for high in _ALPHABET for low in _ALPHABET]


class Ids:
    """Derives ids from a seed, a scope and a counter, so that one more object shifts no other's id."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._issued: Counter[tuple[str, str]] = Counter()

    def reset(self) -> None:
        """Begin to count anew."""
        self._issued.clear()

    def new(self, prefix: str, scope: str) -> str:
        """The next id of a kind in a scope."""
        self._issued[prefix, scope] += 1
        return f"{prefix}_{_letters_of(f'{self._seed}/{scope}/{prefix}/{self._issued[prefix, scope]}')}"


@lru_cache(maxsize=8192)
def _letters_of(seed: str) -> str:
    """As many letters and digits as an id has; sessions in one process draw the same ones again."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest())
    pairs = []
    for _ in range(_LENGTH // 2):
        number, digits = divmod(number, len(_PAIRS))
        pairs.append(_PAIRS[digits])
    return "".join(pairs)
