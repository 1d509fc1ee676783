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
    steps,
    streams,
    times,
)
from conformance.invariants.judging import Invariant, Judgement

__all__ = ["Invariant", "Judgement", "invariants"]


def invariants() -> tuple[Invariant, ...]:
    """All of them, in the order of their ids."""
    modules = (messages, schema, calls, runs, histories, cancelling, times, pages, steps, streams, payloads, deltas)
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Invariant)]
    fields = (*schema.FIELD_ROWS, *steps.FIELD_ROWS)
    return tuple(sorted({*found, *fields}, key=lambda each: (each.requirement, each.name)))
