"""What judges look at: a run as a message showed it, two sightings of it, a page, a walk, a message."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from conformance.wire.faults import FieldFault, faults
from conformance.wire.models import STATUSES, Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.wire.exchange import Exchange

FINAL = frozenset({"completed", "failed", "incomplete", "expired", "cancelled"})


@dataclass(eq=False)
class Sighting:
    """A run as one message showed it."""

    run: Mapping[str, Any]
    exchange: Exchange
    #: The thread through which it was reached.
    thread_id: str
    #: Whether it was an item of a page.
    listed: bool
    #: The sighting before it, of the same run.
    before: Sighting | None = None
    #: The first sighting that said the same, word for word.
    first: Sighting | None = None
    #: Whether it was reached through another thread than the one that it was first seen on, which it names.
    astray: bool = False

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The message, after the one that showed the run before."""
        return (self.exchange,) if self.before is None else (self.before.exchange, self.exchange)

    @property
    def words(self) -> Sighting:
        """The sighting that first said what this one says, which may be itself."""
        return self.first or self

    @cached_property
    def status(self) -> str | None:
        """One of the documented statuses, or None."""
        status = self.run.get("status")
        return status if isinstance(status, str) and status in STATUSES else None

    @property
    def final(self) -> bool:
        """Whether the run has come to rest."""
        return self.status in FINAL

    @cached_property
    def statuses_so_far(self) -> frozenset[str | None]:
        """Every status that the run was shown with, up to now."""
        unread = list[Sighting]()
        seen: Sighting | None = self
        while seen and "statuses_so_far" not in vars(seen):
            unread.append(seen)
            seen = seen.before
        statuses = seen.statuses_so_far if seen else frozenset[str | None]()
        for each in reversed(unread):
            statuses = statuses if each.status in statuses else statuses | {each.status}
            vars(each)["statuses_so_far"] = statuses
        return statuses

    def life(self) -> Iterator[Sighting]:
        """All sightings of the run up to now, the latest first."""
        seen: Sighting | None = self
        while seen:
            yield seen
            seen = seen.before

    def by(self, operation: str) -> bool:
        """Whether this operation showed it."""
        return self.exchange.operation is not None and self.exchange.operation.name == operation

    def integer(self, name: str) -> int | None:
        """An integer that is set, such as a timestamp; anything else is None, since the schema's rows judge that."""
        value = self.run.get(name)
        return value if type(value) is int and not (self.faults and self.wrong(name)) else None

    def wrong(self, name: str) -> bool:
        """Whether a member is not of the schema, in itself and not in something inside it: then that row's alone."""
        return any(fault.path == (name,) for fault in self.faults)

    @cached_property
    def faults(self) -> Sequence[FieldFault]:
        """The members that are not as the model says."""
        return self.first.faults if self.first else faults(dict(self.run), Run)


@dataclass(eq=False)
class Step:
    """Two sightings of a run, one after the other, and what was asked of the run until then."""

    before: Sighting
    after: Sighting
    #: Requests to cancel, submit or modify that were not refused, in order, from the sighting before on: it may itself
    #: be the reply to one that has yet to take effect.
    between: tuple[Exchange, ...]
    #: The last cancel that was accepted so far.
    cancelled: Exchange | None
    #: Whether the client had left a stream that told of the run, which some servers take for a cancel.
    left: bool = False

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The two sightings, and what was asked between them."""
        asked = tuple(each for each in self.between if each not in (self.before.exchange, self.after.exchange))
        cause = (self.cancelled,) if self.cancelled and self.cancelled.number < self.before.exchange.number else ()
        return (*cause, self.before.exchange, *asked, self.after.exchange)

    @property
    def submitted(self) -> bool:
        """Whether tool outputs were submitted in between."""
        return any(is_of(each, "submit_tool_outputs") for each in self.between)

    @property
    def modified(self) -> bool:
        """Whether the metadata was replaced in between; the reply to doing so shows it as it is from then on."""
        return any(is_of(each, "modify_run") and each is not self.before.exchange for each in self.between)

    @property
    def same_rest(self) -> bool:
        """Whether the run rests in the same final state in both."""
        return self.before.final and self.before.status == self.after.status


@dataclass(eq=False)
class Page:
    """A successful reply to listing runs."""

    exchange: Exchange
    body: Mapping[str, Any]

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The message."""
        return (self.exchange,)

    @property
    def items(self) -> Sequence[Mapping[str, Any]]:
        """The items that are objects."""
        data = self.body.get("data")
        return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []

    @property
    def ids(self) -> Sequence[str]:
        """The ids of the items that have one."""
        return [item["id"] for item in self.items if isinstance(item.get("id"), str)]


@dataclass(eq=False)
class Walk:
    """Pages that were followed from one to the next by `after`."""

    pages: tuple[Page, ...]

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Its messages."""
        return tuple(page.exchange for page in self.pages)


@dataclass(eq=False)
class Message:
    """Any exchange, with what the session knew of its ids."""

    exchange: Exchange
    #: Whether its key, and all that it names, would do: the target issued and showed it, and has not deleted it since.
    known: bool

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The message."""
        return (self.exchange,)


def is_run(value: object) -> bool:
    """Whether a value is a run at all, however faulty; what is none has no members worth judging one by one."""
    return isinstance(value, dict) and len(value.keys() & {"status", "thread_id", "assistant_id"}) > 1


def is_of(exchange: Exchange, operation: str) -> bool:
    """Whether an exchange is of an operation, by its name."""
    return exchange.operation is not None and exchange.operation.name == operation
