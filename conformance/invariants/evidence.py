"""What a session saw, derived once from its journal: runs, their histories, pages and walks."""

from __future__ import annotations

import marshal
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from conformance.invariants.sightings import Message, Page, Sighting, Step, Walk, is_of, is_run
from conformance.invariants.step_evidence import step_sightings
from conformance.wire.exchange import LEFT
from conformance.wire.operations import RUN_OPERATIONS, has_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from conformance.invariants.step_evidence import StepSighting
    from conformance.wire.exchange import Exchange
    from conformance.wire.operations import Shape

T = TypeVar("T")

#: The operations that change a run that is there.
_WRITES = frozenset({"cancel_run", "submit_tool_outputs", "modify_run"})
#: Headers that carry a key.
KEYS = ("authorization", "api-key", "x-api-key")


class Evidence:
    """Everything that invariants look at."""

    def __init__(self, journal: Iterable[Exchange], *, one_clock: bool = False) -> None:
        """
        Read a journal.

        Args:
            journal: The exchanges, in order.
            one_clock: Whether all their times are of one clock, and not of one for each scope.
        """
        self._journal = list(journal)
        self.one_clock = one_clock
        self._derived: dict[Callable[[Evidence], Iterable[Any]], Sequence[Any]] = {}

    def once(self, derive: Callable[[Evidence], Iterable[T]]) -> Sequence[T]:
        """What is derived from all this, however many judges ask for it."""
        if derive not in self._derived:
            self._derived[derive] = list(derive(self))
        return self._derived[derive]

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """All of it, in order."""
        return self._journal

    @cached_property
    def messages(self) -> Sequence[Message]:
        """Every exchange of a run operation."""
        succeeded = [each for each in self._journal if each.succeeded]
        named = {each.json["id"] for each in succeeded if _has_id(each.json)}
        named |= {str(seen.run.get("assistant_id")) for seen in self.runs}
        steps = {seen.place for seen in self.run_steps if not seen.astray}
        keys = {_key(each) for each in succeeded}
        found, deleted = list[Message](), set[str]()
        for each in self._journal:
            if each.operation and each.operation.name in RUN_OPERATIONS:
                ids = each.ids
                of_thread = "run_id" not in ids or (ids["thread_id"], ids["run_id"]) in self.histories
                of_run = "step_id" not in ids or tuple(ids.values()) in steps
                known = of_thread and of_run and _key(each) in keys
                found.append(Message(each, known and all(id in named and id not in deleted for id in _named_in(each))))
            elif each.operation and each.operation.returns == "deleted" and each.succeeded:
                deleted |= set(each.ids.values())
        return found

    @cached_property
    def _replies(self) -> Mapping[str, Sequence[Message]]:
        found: dict[str, list[Message]] = {}
        for each in self.messages:
            operation = each.exchange.operation
            if operation and each.exchange.succeeded and not each.exchange.is_stream:
                found.setdefault(operation.returns, []).append(each)
        return found

    def replies(self, shape: Shape) -> Sequence[Message]:
        """Every successful response that by its operation shows this, and is not a stream."""
        return self._replies.get(shape, ())

    @property
    def strays(self) -> Iterator[Message]:
        """Every exchange with a method that its path does not have; the answer to a HEAD never has a body."""
        for each in self._journal:
            if each.operation is None and each.request.method != "HEAD" and has_path(each.request.path):
                yield Message(each, known=False)

    @cached_property
    def histories(self) -> Mapping[tuple[str, str], Sequence[Sighting]]:
        """The sightings of each run, in order, by the thread that it was reached through and its id."""
        found: dict[tuple[str, str], list[Sighting]] = {}
        said: dict[bytes, Sighting] = {}
        same: dict[int, Sighting] = {}  # equal bodies are decoded to one object
        homes: dict[str, str] = {}
        for thread_id, run, exchange, listed in _sightings(self._journal):
            name = run["id"] if isinstance(run.get("id"), str) else ""
            history = found.setdefault((thread_id, name), [])
            before = history[-1] if history and name else None  # runs without an id may be different ones
            # marshal tells 1 from 1.0 and true, and version 2 knows no references
            first = same.get(id(run)) or said.get(words := marshal.dumps(run, 2))  # type: ignore[arg-type]
            astray = name != "" and thread_id != homes.setdefault(name, thread_id) == run.get("thread_id")
            history.append(sighting := Sighting(run, exchange, thread_id, listed, before, first, astray))
            same[id(run)] = first or sighting
            if first is None:
                said[words] = sighting
        return found

    @cached_property
    def runs(self) -> Sequence[Sighting]:
        """Every sighting of a run."""
        return [sighting for history in self.histories.values() for sighting in history]

    @cached_property
    def statements(self) -> Sequence[Sighting]:
        """Every sighting of a run that says something new; most reads and pages repeat what was said."""
        return [sighting for sighting in self.runs if sighting.first is None]

    @cached_property
    def steps(self) -> Sequence[Step]:
        """Every two sightings of a run with none between them; those that overlap in time have no order."""
        asked: dict[str, list[Exchange]] = {}
        for each in self._journal:
            if each.operation and each.operation.name in _WRITES and not each.refused:
                asked.setdefault(each.ids.get("run_id", ""), []).append(each)
        left = {
            str(event.value.get("id"))
            for each in self._journal
            if each.is_stream and each.response.cut == LEFT
            for event in each.events
            if event.shows_run
        }
        return [
            _step(before, sighting, asked.get(id, ()), left=id in left)
            for (_, id), history in self.histories.items()
            for sighting in history
            for before in _right_before(sighting)
        ]

    @cached_property
    def run_steps(self) -> Sequence[StepSighting]:
        """Every sighting of a step of a run."""
        return list(step_sightings(self._journal, self.histories))

    @cached_property
    def pages(self) -> Sequence[Page]:
        """Every page of runs."""
        return [
            Page(each, each.json)
            for each in self._journal
            if is_of(each, "list_runs") and each.succeeded and isinstance(each.json, dict)
        ]

    @cached_property
    def walks(self) -> Sequence[Walk]:
        """Every chain of at least two pages, each asked for with `after` the last id of the one before."""
        chains: list[list[Page]] = []
        waiting: dict[object, list[list[Page]]] = {}  # the chains by the request that goes on with them
        for page in self.pages:
            going_on = waiting.get(_place(page, page.exchange.request.param("after")))
            if going_on:
                chain = going_on.pop()
            else:
                chains.append(chain := [])
            chain.append(page)
            if page.ids:
                waiting.setdefault(_place(page, page.ids[-1]), []).append(chain)
        return [Walk(tuple(chain)) for chain in chains if len(chain) > 1]


def _sightings(journal: Iterable[Exchange]) -> Iterator[tuple[str, Mapping[str, Any], Exchange, bool]]:
    for each in journal:
        if each.operation is None or not each.succeeded or not isinstance(body := each.json, dict):
            continue
        if each.operation.returns == "run" and is_run(body):
            thread = each.ids.get("thread_id") or str(body.get("thread_id"))
            yield thread, body, each, False
        elif each.operation.returns == "run_list" and isinstance(body.get("data"), list):
            for item in body["data"]:
                if is_run(item):
                    yield each.ids["thread_id"], item, each, True


def _step(before: Sighting, after: Sighting, asked: Sequence[Exchange], *, left: bool) -> Step:
    if not asked:
        return Step(before, after, (), None, left)
    first, last = before.exchange, after.exchange
    between = tuple(
        each
        for each in asked
        if first.number <= each.number <= last.number or each.overlaps(first) or each.overlaps(last)
    )
    cancels = [each for each in asked if is_of(each, "cancel_run") and (each.number <= last.number or each in between)]
    return Step(before, after, between, cancels[-1] if cancels else None, left)


def _right_before(sighting: Sighting) -> Iterator[Sighting]:
    """The last sightings that were over when this one was asked for; several if they overlapped each other."""
    found, one = list[Sighting](), sighting.before
    while one and all(_unordered(one.exchange, other.exchange) for other in found):
        if not _unordered(one.exchange, sighting.exchange):
            found.append(one)
            yield one
        one = one.before


def _unordered(one: Exchange, other: Exchange) -> bool:
    """Whether nobody can say which is older; a page that shows a run twice shows it at one time."""
    return one is other or one.overlaps(other)


def _key(exchange: Exchange) -> tuple[str | None, ...]:
    headers = exchange.request.headers
    return tuple([headers.get(name) for name in KEYS])


def _named_in(exchange: Exchange) -> Iterator[str]:
    """The ids of the thread and the assistant that a request names; those of runs and steps are looked up by place."""
    if "thread_id" in exchange.ids:
        yield exchange.ids["thread_id"]
    body = exchange.request.json
    if isinstance(body, dict) and "assistant_id" in body:
        yield str(body["assistant_id"])


def _place(page: Page, after: str | None) -> object:
    """What tells a request for a page from others: whose it is, its list, its parameters, and where it begins."""
    request = page.exchange.request
    return page.exchange.scope, request.path, after, tuple(sorted({**dict(request.query), "after": ""}.items()))


def _has_id(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("id"), str)
