"""What must hold in every message of a session: pure judges, one or more for a row of the catalogue."""

from __future__ import annotations

from conformance.invariants import (
    calls,
    cancelling,
    deltas,
    histories,
    messages,
    pages,
    payloads,
    runs,
    schema,
    streams,
    times,
)
from conformance.invariants.judging import Invariant, Judgement

__all__ = ["Invariant", "Judgement", "invariants"]


def invariants() -> tuple[Invariant, ...]:
    """All of them, in the order of their ids."""
    modules = (messages, schema, calls, runs, histories, cancelling, times, pages, streams, payloads, deltas)
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Invariant)]
    return tuple(sorted({*found, *schema.FIELD_ROWS}, key=lambda each: (each.requirement, each.name)))
