"""Which faults are shown to the tools: a stratified draw that nobody chose by hand."""

from __future__ import annotations

import hashlib
from collections import Counter

from conformance.reference.faults import FAULTS, Fault
from conformance.requirements import Level, catalogue

#: The seed that the pairs of tests/mutation/test_faults.py are drawn with; no other was tried.
SEED = 20_260_101
#: How many faults a whole table is made of.
FULL = 50


def eligible() -> list[Fault]:
    """Every fault that breaks a MUST or a SHOULD; nobody fails for what only a MAY is about."""
    rows = catalogue()
    return [fault for fault in FAULTS.values() if any(rows[id].level is not Level.MAY for id in fault.breaks)]


def shares(sizes: dict[str, int], number: int) -> dict[str, int]:
    """
    How many to draw of each kind: in proportion to its size, by largest remainders, and at least one.

    Args:
        sizes: How many there are of each kind.
        number: How many to draw in all.
    """
    number = max(min(number, sum(sizes.values())), len(sizes))
    exact = {kind: number * size / sum(sizes.values()) for kind, size in sizes.items()}
    drawn = {kind: max(int(share), 1) for kind, share in exact.items()}
    while (missing := number - sum(drawn.values())) != 0:
        # The kind that is furthest behind its share gets one more; the one furthest ahead gives one up.
        step = 1 if missing > 0 else -1
        able = [kind for kind in sizes if 1 <= drawn[kind] + step <= sizes[kind]]
        drawn[max(able, key=lambda kind: step * (exact[kind] - drawn[kind]))] += step
    return drawn


def draw(number: int = FULL, seed: int = SEED) -> list[Fault]:
    """
    Draw faults of every kind.

    Each fault's place in the draw depends on the seed and on its own name, so that a new fault moves few others.
    """
    faults = eligible()
    wanted = shares(dict(sorted(Counter(fault.kind for fault in faults).items())), number)
    return [
        fault
        for each, share in wanted.items()
        for fault in sorted((fault for fault in faults if fault.kind == each), key=lambda f: _place(f, seed))[:share]
    ]


def _place(fault: Fault, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}/{fault.name}".encode()).digest()
