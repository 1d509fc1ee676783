"""What must be sent again to see a violation once more: the requests that made what the last one needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from conformance.reports.commands import curl, script

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from conformance.outcomes import Violation
    from conformance.reports.commands import Place
    from conformance.wire.exchange import Exchange

#: What makes something that later requests name.
_CREATES: Final = frozenset({"create_assistant", "create_thread", "create_run", "create_thread_and_run"})
_READS: Final = frozenset({"GET", "HEAD"})
#: Requests of one sequence, beyond which nobody reads it.
_LONGEST: Final = 16


def commands(violation: Violation, place: Place) -> list[str]:
    """What shows a violation once more that was seen there, a line each."""
    if violation.calls or not violation.exchanges:
        return list(violation.calls)
    sequence = sequence_of(violation, place.sent, lasting=place.lasting)
    sent = script(sequence, place) if sequence else [curl(violation.exchanges[-1].request, place)]
    return [f"{place.serving}   # in another shell; its --help tells the key", *sent] if place.serving else sent


def sequence_of(violation: Violation, journal: Iterable[Exchange], *, lasting: bool) -> Sequence[Exchange]:
    """
    All that must be sent to see a violation, in order.

    Args:
        violation: It was seen in the session.
        journal: All exchanges of the session.
        lasting: Whether what the session made is still there, so that a read can be made again as it is.

    Returns:
        The exchanges; none where one request alone shows it, or where requests met that cannot be made to meet again.
    """
    if violation.sequence or not violation.exchanges:
        return violation.sequence
    telling = violation.exchanges[-1]
    meet = any(each.scope.startswith("races/") for each in violation.exchanges)
    if meet or (lasting and telling.request.method in _READS):
        return ()
    last = max(each.number for each in violation.exchanges)
    before = [each for each in journal if each.number <= last]
    threads = {each.ids["thread_id"] for each in violation.exchanges if "thread_id" in each.ids}
    shown = {each.number for each in violation.exchanges}
    needed = _with_makers([each for each in before if _matters(each, threads, shown)], before)
    if len(needed) > _LONGEST:
        needed = _with_makers([each for each in before if each.number in shown], before)
    return needed if 1 < len(needed) <= _LONGEST else ()


def _matters(each: Exchange, threads: Collection[str], shown: Collection[int]) -> bool:
    """Whether an exchange belongs to the violation, or changed what it is about."""
    writes = each.request.method not in _READS and each.ids.get("thread_id") in threads
    return each.number in shown or (writes and each.succeeded)


def _with_makers(needed: Sequence[Exchange], before: Sequence[Exchange]) -> Sequence[Exchange]:
    """The exchanges, each after those that made what it names, and outputs after the read that shows their calls."""
    makers = {id: each for each in reversed(before) for id in _made_by(each)}
    found, left = {each.number: each for each in needed}, list(needed)
    while left:
        each = left.pop()
        for other in (*_makers_of(each, makers), *_read_for(each, before)):
            if other.number not in found:
                found[other.number] = other
                left.append(other)
    return [found[number] for number in sorted(found)]


def _makers_of(each: Exchange, makers: dict[str, Exchange]) -> Iterator[Exchange]:
    body = each.request.json
    named = [*each.ids.values(), *dict(each.request.query).values()]
    if isinstance(body, dict):
        named += [value for name in ("assistant_id", "thread_id") if isinstance(value := body.get(name), str)]
    yield from (makers[id] for id in named if id in makers and makers[id].number < each.number)


def _made_by(each: Exchange) -> Iterator[str]:
    """The ids of what an exchange made."""
    if each.operation is None or each.operation.name not in _CREATES or not each.succeeded:
        return
    shown = [event.value for event in each.events if event.shows_run][:1] if each.is_stream else [each.json]
    for body in shown:
        if isinstance(body, dict):
            names = ("id", "thread_id") if each.operation.name == "create_thread_and_run" else ("id",)
            yield from (body[name] for name in names if isinstance(body.get(name), str))


def _read_for(each: Exchange, before: Sequence[Exchange]) -> Iterator[Exchange]:
    """The last read of a run before its outputs, which shows the ids of the calls."""
    if each.operation is None or each.operation.name != "submit_tool_outputs":
        return
    reads = (other for other in reversed(before) if other.number < each.number and other.ids == each.ids)
    calls = (other for other in reads if other.operation and other.operation.name == "retrieve_run" and _asks(other))
    yield from [read for read in [next(calls, None)] if read]


def _asks(read: Exchange) -> bool:
    return isinstance(read.json, dict) and "tool_calls" in json.dumps(read.json.get("required_action"))
