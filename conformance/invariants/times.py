"""
What the times of a run must be by the clock of the exchanges that showed it.

The two clocks are compared where they can be: a run was created when its creation was answered, whatever the target
believes the time to be. From then on as many seconds have passed for the one as for the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from conformance.invariants.judging import Answer, Broken, invariant
from conformance.invariants.runs import is_created_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.invariants.evidence import Evidence
    from conformance.invariants.sightings import Sighting
    from conformance.wire.exchange import Exchange

#: Seconds by which the clocks of one target may differ, beyond the one that is lost where times are whole seconds.
_SLACK = 3.0
_TIMES = ("started_at", "cancelled_at", "failed_at", "completed_at")


@dataclass(frozen=True)
class Dated:
    """A run as it was shown some time after the reply to its creation, in the scope that has one clock with it."""

    seen: Sighting
    created: Sighting

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The creation, and where it was seen."""
        both = (self.created.exchange, self.seen.exchange)
        return both if self.seen is not self.created else both[:1]

    @cached_property
    def times(self) -> Mapping[str, int]:
        """When it started and ended, as far as it says so."""
        return {name: time for name in _TIMES if (time := self.seen.integer(name)) is not None}

    @property
    def age(self) -> float:
        """The seconds after its created_at that it can have been seen at the latest."""
        return self.seen.exchange.ended - self.created.exchange.at + 1 + _SLACK

    def after_creation(self, moment: int) -> int:
        """A time of the target as seconds after its created_at."""
        return moment - (self.created.integer("created_at") or 0)


def _dated(evidence: Evidence) -> Iterator[Dated]:
    for history in evidence.histories.values():
        created = history[0]
        if created.by("create_run") and is_created_now(created):
            scope, any_scope = created.exchange.scope, evidence.one_clock
            of_one_clock = (seen for seen in history if any_scope or seen.exchange.scope == scope)
            yield from (Dated(seen, created) for seen in of_one_clock)


def _has_times(dated: Dated) -> bool:
    return bool(dated.times)


@invariant("RUN-INV-038", _dated, _has_times)
def times_have_passed(dated: Dated) -> Answer:
    """Nothing that a run says has happened lies ahead of the message that says so."""
    age = dated.age
    ahead = {name: after for name, time in dated.times.items() if (after := dated.after_creation(time)) > age}
    if not ahead:
        return None
    told = ", ".join(f"{name} {after} s after created_at" for name, after in ahead.items())
    return Broken(f"{' and '.join(ahead)} at most {int(age)} s after created_at", told)


def _promised(dated: Dated) -> int | None:
    """The earliest expires_at that the run was shown with while it was active."""
    active = (seen.integer("expires_at") for seen in dated.seen.life() if not seen.final)
    return min((moment for moment in active if moment is not None), default=None)


@invariant("RUN-LIFE-018", _dated, lambda dated: dated.seen.status == "expired" and _promised(dated) is not None)
def expires_when_it_said(dated: Dated) -> Answer:
    """A run does not expire earlier than it said while it was active."""
    promised = dated.after_creation(_promised(dated) or 0)
    if promised <= dated.age:
        return None
    return Broken(f"no expiry before expires_at, {promised} s after created_at", f"expired within {int(dated.age)} s")
