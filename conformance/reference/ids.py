"""Identifiers in the form of the real service's: a prefix and 24 alphanumerics."""

from __future__ import annotations

import hashlib
import string
from collections import Counter

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 24


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
        number = int.from_bytes(
            hashlib.sha256(f"{self._seed}/{scope}/{prefix}/{self._issued[prefix, scope]}".encode()).digest()
        )
        letters = []
        for _ in range(_LENGTH):
            number, digit = divmod(number, len(_ALPHABET))
            letters.append(_ALPHABET[digit])
        return f"{prefix}_{''.join(letters)}"
