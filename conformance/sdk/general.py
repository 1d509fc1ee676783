"""What holds for every call, whichever case made it: how often it is sent, how it is sent again, and that it ends."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from conformance.outcomes import Untested, Violated, Violation
from conformance.sdk.made import was_granted
from conformance.wire.values import NOT_JSON, same

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.wire.exchange import Exchange, Request

#: The requirements that are judged so.
ENDS, MOST, SAME, MARKED, ONCE = "SDK-TIME-006", "SDK-RETRY-006", "SDK-RETRY-007", "SDK-RETRY-008", "SDK-RETRY-010"
#: A requirement whose cases make the calls of the survey, which belong to none.
SURVEYED: Final = "SDK-REQ-001"
#: The calls that are made of several requests by their nature, and those that must not be carried out twice.
_OF_SEVERAL: Final = frozenset({"poll_run", "iterate_runs"})
_CREATES_OR_CANCELS: Final = frozenset({"create_run", "create_thread_and_run", "stream_run", "cancel_run"})
#: Headers that a request needs to be the same one, and those whose value is a request's own.
_TELLING: Final = ("authorization", "openai-beta", "content-type", "accept")
_OWN: Final = ("idempoten", "repeatability-request-id")
_KEYS: Final = (*_OWN, "request-id")
#: Statuses of servers that have done nothing, though the class of the code does not say so.
_BUSY: Final = 503
#: The last requests of a call, which are enough to show what is wrong.
SHOWN: Final = 8


@dataclass(frozen=True)
class Called:
    """One call as it was sent."""

    call: str
    #: How often the client might ask again.
    retries: int
    requests: Sequence[Exchange]
    #: The line that the driver was given, and how to see what it came to once more.
    calls: tuple[str, ...] = ()

    def violation(self, expected: str, actual: str) -> Violation:
        """What is wrong with it."""
        return Violation(expected, actual, tuple(self.requests[-SHOWN:]), calls=self.calls)

    @property
    def is_one(self) -> bool:
        """Whether it is one request by its nature."""
        return self.call not in _OF_SEVERAL

    def repeated(self) -> Iterator[tuple[Exchange, Exchange]]:
        """Each request that was sent again, and what was sent then."""
        first = self.requests[0] if self.requests else None
        for earlier, later in pairwise(self.requests):
            if first and self.is_one and not any(_sent_on(each) for each in self.requests):
                yield first, later
            elif earlier.status == 0 or earlier.status // 100 in {4, 5}:
                yield earlier, later


@dataclass
class General:
    """What was seen of all calls of a session."""

    #: Calls that cases of several requirements judge, by a name.
    kept: dict[str, Any] = field(default_factory=dict)
    #: For each requirement what broke it, and the requirement of the case that met it.
    _met: dict[str, list[tuple[str, Violation]]] = field(default_factory=dict)
    #: What is a request's own, and the number of the call that it was seen in.
    _owners: dict[tuple[str, str], int] = field(default_factory=dict)
    _calls: int = 0
    #: The requirements that had something to say of any call.
    _measured: set[str] = field(default_factory=set)

    def judge(self, called: Called, sdk: str, case: str) -> dict[str, Violation]:
        """
        Judge a call.

        Args:
            called: It.
            sdk: What stands behind `--runs-sdk`.
            case: The requirement of the case that made it.

        Returns:
            What is wrong with it, by the requirement.
        """
        if not called.requests:
            return {}
        self._calls += 1
        self._measured |= {ENDS, MOST, MARKED, ONCE, *([SAME] if any(called.repeated()) else [])}
        found: dict[str, Violation] = {}
        for id, broken in ((ONCE, _once), (MOST, _most), (SAME, _same), (MARKED, self._marked)):
            if violation := broken(called):
                found[id] = violation = replace(violation, calls=(*called.calls, again(sdk, case or SURVEYED, id)))
                self.meet(id, violation, case)
                break  # what was sent too often need not be the same, nor marked
        return found

    def meet(self, id: str, violation: Violation, case: str) -> None:
        """Keep what broke a requirement in a case of another one."""
        if id != case:
            self._met.setdefault(id, []).append((case, violation))

    def expect(self, id: str) -> None:
        """
        Nothing may have broken a requirement in the cases of others.

        Raises:
            Violated: something did.
            Untested: there was nothing to say of any call.
        """
        if met := self._met.get(id):
            raise Violated(*(violation for _, violation in met))
        if id not in self._measured:
            raise Untested("no call of the session shows it", gates=False)

    def _marked(self, called: Called) -> Violation | None:
        """What must not be carried out twice is marked where it may have been, by what no other call has."""
        shared = {name for name, value in _keys(called) if self._owner(name, value) != self._calls}
        if strange := [name for name in shared if any(part in name for part in _OWN)]:
            return called.violation("a key of its own for another call", f"the {strange[0]} of an earlier call")
        if called.call not in _CREATES_OR_CANCELS or not called.is_one:
            return None
        first = called.requests[0].request
        for earlier, later in pairwise(called.requests):
            done = earlier.status // 100 not in {3, 4} and earlier.status != _BUSY
            if done and not _is_counted(first, later.request) and not _kept(first, later.request) - shared:
                return called.violation("no second request, or one that is marked", "one like the first")
        return None

    def _owner(self, name: str, value: str) -> int:
        """The number of the first call that had this header."""
        return self._owners.setdefault((name, value), self._calls)


def _once(called: Called) -> Violation | None:
    """What was granted is not asked again, and nothing else is."""
    if not called.is_one or not any(was_granted(*pair) for pair in pairwise(called.requests)):
        return None
    sent = ", ".join(f"{each.request.method} {each.request.path}" for each in called.requests)
    return called.violation("one request, since it was granted", f"{len(called.requests)}: {sent}")


def _most(called: Called) -> Violation | None:
    """A request is sent again as often as it may be, and where it is sent on."""
    most = 1 + called.retries + sum(map(_sent_on, called.requests))
    if len(called.requests) <= most or not called.is_one:
        return None
    return called.violation(f"at most {most} request{'s' if most > 1 else ''}", f"{len(called.requests)} requests")


def _same(called: Called) -> Violation | None:
    """What is sent again is the same."""
    for first, again in called.repeated():
        if changed := list(_changed(first.request, again.request)):
            return called.violation("the same request", f"another {', '.join(changed)}")
    return None


def _changed(first: Request, again: Request) -> Iterator[str]:
    yield from (name for name in _TELLING if again.headers.get(name) != first.headers.get(name))
    yield from (name for name in ("method", "path", "query") if getattr(again, name) != getattr(first, name))
    if not same(again.json, first.json) or (first.json is NOT_JSON and first.body != again.body):
        yield "body"


def _sent_on(each: Exchange) -> bool:
    return each.status // 100 == 3  # noqa: PLR2004 - the class of the code


def _keys(called: Called) -> Iterator[tuple[str, str]]:
    """The headers of what a call changed by which servers know it again."""
    written = (each.request for each in called.requests if called.is_one and each.request.method == "POST")
    for request in written:
        yield from ((name, value) for name, value in request.headers.items() if any(part in name for part in _KEYS))


def _is_counted(first: Request, again: Request) -> bool:
    """Whether a header tells how often a request was sent."""
    headers = ((name, value) for name, value in again.headers.items() if "retry" in name or "attempt" in name)
    return any(first.headers.get(name) != value for name, value in headers)


def _kept(first: Request, again: Request) -> set[str]:
    """The headers that tell that a request is a repeated one, since both have the same."""
    names = {name for name in again.headers if any(part in name for part in _KEYS)}
    return {name for name in names if first.headers.get(name) == again.headers[name]}


def again(sdk: str, *requirements: str) -> str:
    """The command that judges a client by some requirements."""
    return (
        f"pytest --runs-sdk={shlex.quote(sdk)} -k {shlex.quote(' or '.join(dict.fromkeys(filter(None, requirements))))}"
    )
