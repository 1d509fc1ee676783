"""
The bestiary: wrong implementations of the API, each a few lines on top of the faithful server.

A fault names the requirements that it breaks by their ids alone, so that the server still knows nothing of the judge.
"""

from conformance.reference.faults import (
    access,
    cancelling,
    cursors,
    life,
    lists,
    pages,
    protocol,
    races,
    shapes,
    single,
    stamps,
    step_calls,
    step_cursors,
    step_lists,
    step_reads,
    step_shapes,
    steps,
)
from conformance.reference.faults.registry import FAULTS, Fault

__all__ = [
    "FAULTS",
    "Fault",
    "access",
    "cancelling",
    "cursors",
    "life",
    "lists",
    "pages",
    "protocol",
    "races",
    "shapes",
    "single",
    "stamps",
    "step_calls",
    "step_cursors",
    "step_lists",
    "step_reads",
    "step_shapes",
    "steps",
]
