"""The arithmetic of the comparison, and its tables in Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conformance.reference.faults import Fault

_FOUND, _MISSED, _BROKEN = "✓", "·", "?"
#: What was to be reached: so many times the faults of the best peer, for such a part of its requests per found fault.
TIMES, PART = 2.5, 0.1


@dataclass(frozen=True)
class Session:
    """One tool on one server."""

    fault: str | None
    failures: frozenset[str]
    requests: int
    seconds: float
    #: Why the tool could not be run to its end, if it could not.
    problem: str = ""


@dataclass(frozen=True)
class Result:
    """One tool on all servers."""

    name: str
    version: str
    sessions: Sequence[Session] = ()
    #: A second session on each server of which it reported something new.
    repeats: Sequence[Session] = ()
    #: Why the tool was not run at all, if it was not.
    absent: str = ""

    @property
    def alarms(self) -> frozenset[str]:
        """What it reports of the faithful server, in any of its sessions there."""
        return frozenset[str]().union(*(each.failures for each in self.sessions if each.fault is None))

    @property
    def suspected(self) -> frozenset[str]:
        """The faults with a failure that it never reports of the faithful server."""
        return frozenset(each.fault for each in self.faulty if each.fault and each.failures - self.alarms)

    @property
    def found(self) -> frozenset[str]:
        """The suspected faults with such a failure that is reported again; requests drawn at random hit by chance."""
        again = {each.fault: each.failures - self.alarms for each in self.repeats}
        return frozenset(
            each.fault for each in self.faulty if each.fault and each.failures & again.get(each.fault, frozenset())
        )

    @property
    def faulty(self) -> Sequence[Session]:
        """Its sessions on servers with a fault."""
        return [each for each in self.sessions if each.fault is not None]

    @property
    def requests(self) -> int:
        """What it sent to the servers with a fault."""
        return sum(each.requests for each in self.faulty)

    @property
    def per_found(self) -> float | None:
        """Requests for each fault that it found."""
        return self.requests / len(self.found) if self.found else None

    @property
    def seconds(self) -> float:
        """How long its sessions on the servers with a fault took, one after the other."""
        return sum(each.seconds for each in self.faulty)

    @property
    def alone(self) -> float:
        """How long its first session on the faithful server took, with nothing beside it."""
        return next((each.seconds for each in self.sessions if each.fault is None), 0.0)

    def mark(self, fault: Fault) -> str:
        """What became of a fault."""
        session = next((each for each in self.faulty if each.fault == fault.name), None)
        if fault.name in self.found:
            return _FOUND
        return _BROKEN if session is None or session.problem else _MISSED


def overview(results: Iterable[Result], faults: Sequence[Fault]) -> str:
    """What each tool found, and what it took."""
    rows = [
        [
            f"{result.name} {result.version}",
            f"{len(result.found)} of {len(faults)}",
            f"{result.requests:,}",
            "" if result.per_found is None else f"{result.per_found:,.0f}",
            f"{result.seconds:,.0f}",
            f"{result.alone:.1f}",
            str(len(result.alarms)),
        ]
        if not result.absent
        else [f"{result.name} {result.version}", f"not run: {result.absent}", *[""] * 5]
        for result in results
    ]
    heads = ["tool", "found", "requests", "requests per found fault", "seconds", "seconds alone", "false alarms"]
    return _table(heads, rows)


def by_kind(results: Sequence[Result], faults: Sequence[Fault]) -> str:
    """What each tool found of each kind of fault."""
    kinds = list(dict.fromkeys(fault.kind for fault in faults))
    drawn = {each: {fault.name for fault in faults if fault.kind == each} for each in kinds}
    rows = [[each, str(len(drawn[each])), *(str(len(r.found & drawn[each])) for r in _run(results))] for each in kinds]
    return _table(["kind", "drawn", *(result.name for result in _run(results))], rows)


def by_fault(results: Sequence[Result], faults: Sequence[Fault]) -> str:
    """What became of each fault."""
    rows = [[f"`{f.name}`", f.kind, f.does, *(result.mark(f) for result in _run(results))] for f in faults]
    return _table(["fault", "kind", "what the server does", *(result.name for result in _run(results))], rows)


def goals(ours: Result, peers: Iterable[Result]) -> str:
    """The two goals against the peer that found most."""
    best = max(_run(peers), key=lambda peer: len(peer.found), default=None)
    if best is None or ours.per_found is None or best.per_found is None:
        return "The goals could not be measured: no peer found a fault."
    times, part = len(ours.found) / len(best.found), ours.per_found / best.per_found
    more = f"{times:.1f} times as many faults found as {best.name}, the best peer (goal: at least {TIMES})"
    fewer = f"{part:.2f} of its requests for each fault found (goal: at most {PART})"
    return f"- {more}: {_reached(times >= TIMES)}.\n- {fewer}: {_reached(part <= PART)}."


def alarms(results: Iterable[Result]) -> str:
    """What each tool reports of the faithful server."""
    told = [f"- {result.name}: {each}" for result in _run(results) for each in sorted(result.alarms)]
    return "\n".join(told) or "None."


def problems(results: Iterable[Result]) -> str:
    """The sessions that did not come to their end."""
    told = [
        f"- {result.name}, {session.fault or 'the faithful server'}: {session.problem}"
        for result in _run(results)
        for session in (*result.sessions, *result.repeats)
        if session.problem
    ]
    return "\n".join(told) or "None."


def _reached(whether: bool) -> str:
    return "reached" if whether else "missed"


def _run(results: Iterable[Result]) -> list[Result]:
    return [result for result in results if not result.absent]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def lines() -> Iterator[str]:
        yield f"| {' | '.join(heads)} |"
        yield "|" + "---|" * len(heads)
        for row in rows:
            yield f"| {' | '.join(each.replace('|', chr(92) + '|').replace(chr(10), ' ') for each in row)} |"

    return "\n".join(lines())
