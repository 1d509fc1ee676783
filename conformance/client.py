"""The only way to a target: every call goes through here and into the journal."""

from __future__ import annotations

import json as jsonlib
import random
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from copy import copy
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from conformance.outcomes import Fault, NotClaimed, Noted, Unconnected, Untested, Violated
from conformance.patience import Patience, Width, is_one_too_many
from conformance.wire.exchange import JSON_TYPE, Request
from conformance.wire.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from conformance.senders import Sender
    from conformance.wire.exchange import Exchange
    from conformance.wire.journal import Journal

UNSET: Final[Any] = object()
#: The forms in which clients send a cancel; `states.handles` knows what they look like.
CancelForm = Literal["json", "bare", "object"]
#: Seconds for which a request waits for those that it should leave with.
_MUSTER: Final = 60.0
#: Characters of an escaped path or parameter beyond which no server can be expected to read it.
_LONGEST: Final = 8000


class _Here(threading.local):
    """What belongs to one thread: its scope, the gate that its next request waits at, and whether it asks again."""

    scope: str = ""
    gate: Callable[[], object] | None = None
    patient: bool = True


class Client:
    """Calls a target by operation, and keeps every exchange in the journal."""

    def __init__(
        self,
        sender: Sender,
        journal: Journal,
        *,
        base_path: str = "/v1",
        headers: Mapping[str, str] | None = None,
        query: Sequence[tuple[str, str]] = (),
        key: str | None = None,
        key_header: tuple[str, str] = ("authorization", "Bearer {key}"),
        without: Collection[str] = (),
        patience: float = 0.0,
        at_once: int = 1,
        seed: int = 0,
    ) -> None:
        """
        Prepare a client.

        Args:
            sender: What answers.
            journal: Where every exchange is kept.
            base_path: What all paths begin with.
            headers: Those of every request.
            query: The parameters of every request.
            key: The target's key.
            key_header: The name of its header, and a template of its value.
            without: The capabilities that are not offered.
            patience: Seconds for which a request that is refused as one too many is sent again.
            at_once: How many requests may be under way, apart from those that race.
            seed: Of the order in which those that race line up.
        """
        self.journal = journal
        self.base_path = base_path.rstrip("/")
        #: The form that this target was found to take.
        self.cancel_form: CancelForm = "json"
        #: Seconds spent in each named wait, by everybody.
        self.waited: defaultdict[str, float] = defaultdict(float)
        #: Seconds in which the main thread did nothing but wait.
        self.idle = 0.0
        self._sender = sender
        self._patience = Patience(patience)
        self._width = Width(at_once)
        # An empty header takes back one that an extended profile has.
        self._headers = {name.lower(): value for name, value in (headers or {}).items() if value}
        self._query = tuple(query)
        self._key = key
        self._key_header = key_header
        #: Capabilities that the target is declared not to have.
        self.without = without
        #: Optional capabilities that it was found not to have.
        self.lacking: frozenset[str] = frozenset()
        #: What was not even asked for, by scope, since it is declared absent or was never recorded.
        self.withheld: dict[str, Untested] = {}
        self._drawn = random.Random(seed)  # noqa: S311 - an order, and no secret
        self._here = _Here()
        self._begun: set[str] = set()
        self._lock = threading.Lock()
        self._over = False

    @property
    def scope_name(self) -> str:
        """The scope that this thread works in."""
        return self._here.scope

    @contextmanager
    def within(self, name: str) -> Iterator[None]:
        """What this thread does inside belongs to the named scope, which goes on afterwards."""
        with self._lock:
            if name not in self._begun:
                self._sender.open(name)
                self._begun.add(name)
        outer, self._here.scope = self._here.scope, name
        try:
            yield
        finally:
            self._here.scope = outer

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """
        What happens inside belongs to the named scope, which ends with it.

        Raises:
            Untested: for what was withheld inside, where nothing could be measured without it.
        """
        try:
            with self.within(name):
                yield
        except (Violated, Untested, Noted) as outcome:  # a result; that it read less than was recorded is no news
            with suppress(Fault):
                self._end(name, complete=True)
            if isinstance(outcome, Untested) and outcome.gates and name in self.withheld:
                raise copy(self.withheld[name]) from None  # whatever was tried instead
            raise
        except BaseException:
            self._end(name, complete=False)
            raise
        self._end(name, complete=True)

    def call(self, operation: str, *, thread_id: str = "", run_id: str = "", **options: Any) -> Exchange:
        """
        Call an operation by name; ids are escaped into its path. `options` are those of `send`.

        Raises:
            NotClaimed: the target is declared to have no such operation.
            Untested: an id that the target gave cannot be part of a URL.
        """
        described = OPERATIONS[operation]
        if described.capability in self.without:
            raise self.withhold(NotClaimed(f"the target is declared to have no {described.capability}"))
        if described.capability in self.lacking:
            raise self.withhold(NotClaimed(f"the target has no {described.capability}"))
        ids = {"thread_id": thread_id, "run_id": run_id, **{k: options.pop(k) for k in _other_ids(options)}}
        return self.send(described.method, path_to(described.path, **ids), **options)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        json: Any = UNSET,
        content: bytes = b"",
        content_type: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        key: str | None = UNSET,
    ) -> Exchange:
        """
        Send any request below the base path and journal the exchange; again, if the target asks for patience.

        Args:
            method: The HTTP method.
            path: Percent-encoded, beginning with a slash, below the base path.
            query: Parameters in order; a name may come twice.
            json: A value to send as a JSON body.
            content: A raw body, instead of `json`.
            content_type: The content type of a raw body, or of an empty one; None sends none.
            headers: Headers that replace the usual ones; None removes one.
            key: Another key than the target's; None sends none.

        Raises:
            Unreachable: the target did not answer within bounds.
            Untested: a parameter cannot be part of a URL; or it is a replay, and this was not recorded.
        """
        for _, parameter in query:
            in_url(parameter)
        sent = {"accept": JSON_TYPE, **self._headers}
        if (key := self._key if key is UNSET else key) is not None:
            name, template = self._key_header
            sent[name.lower()] = template.format(key=key)
        if json is not UNSET:
            content, content_type = jsonlib.dumps(json).encode(), JSON_TYPE
        if content_type is not None:
            sent["content-type"] = content_type
        for name, value in (headers or {}).items():
            sent.pop(name.lower(), None)
            if value is not None:
                sent[name.lower()] = value
        request = Request(method, self.base_path + path, (*query, *self._query), sent, content)
        if self._here.gate:
            return self._exchange(request)
        with self._width.taken():
            return self._patiently(request)

    def _patiently(self, request: Request) -> Exchange:
        """What is refused as one too many is sent again, and meanwhile makes others wait for their turn."""
        exchange, waited = self._connected(request), 0.0
        while self._here.patient and is_one_too_many(exchange):
            self._width.narrow(for_good=False)
            if (delay := self._patience.delay(exchange, waited)) is None:
                raise Untested(f"the target goes on refusing requests as too many: {exchange}")
            self.wait(delay, "throttled")
            exchange, waited = self._connected(request), waited + delay
        self._patience.helps()
        self._width.widen()
        return exchange

    def _connected(self, request: Request) -> Exchange:
        """What found no connection, where there were some, is sent once more."""
        try:
            return self._exchange(request)
        except Unconnected:
            if not len(self.journal):
                raise
            self._width.narrow(for_good=True)
        return self._exchange(request)

    def _exchange(self, request: Request) -> Exchange:
        if self._over:
            raise Fault("the session ended before this was sent")
        try:
            reply = self._sender.send(request, self.scope_name, self._here.gate)
        except Untested as problem:
            if not problem.gates:
                self.withhold(problem)
            raise
        return self.journal.append(
            scope=self.scope_name,
            request=request,
            response=reply.response,
            at=reply.at,
            duration=reply.duration,
            number=reply.number,
        )

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Inside, what is refused as one too many is not sent again."""
        before, self._here.patient = self._here.patient, False
        try:
            yield
        finally:
            self._here.patient = before

    def together(self, *calls: Callable[[], Exchange]) -> list[Exchange]:
        """
        Make the calls in threads that are released at once; each may send one request, or all fail.

        The last to line up leaves first, so the order is drawn: each of them shall win now and then.
        """
        barrier, scope = threading.Barrier(len(calls), timeout=_MUSTER), self.scope_name

        def at_the_line(call: Callable[[], Exchange]) -> Exchange:
            self._here.scope, self._here.gate = scope, barrier.wait
            try:
                return call()
            except BaseException:
                barrier.abort()  # nobody waits for one that does not come
                raise

        with ThreadPoolExecutor(len(calls)) as pool:
            drawn = self._drawn.sample(range(len(calls)), len(calls))
            lined_up = {place: pool.submit(at_the_line, calls[place]) for place in drawn}
        coming = [lined_up[place] for place in range(len(calls))]
        problems = [problem for each in coming if (problem := each.exception())]
        for problem in sorted(problems, key=lambda each: isinstance(each, threading.BrokenBarrierError)):
            raise problem
        return [each.result() for each in coming]

    def wait(self, seconds: float, name: str) -> None:
        """
        Let time pass on the session clock, for the wait of this name.

        Raises:
            Fault: the session is over, and nobody wants to know any more.
        """
        if self._over:
            raise Fault("the session ended before this was staged")
        if seconds > 0:
            with self._lock:
                self.waited[name] += seconds
            with self.idling():
                self._sender.wait(seconds, self.scope_name)

    def wait_since(self, exchange: Exchange, seconds: float, name: str) -> None:
        """Wait until so many seconds have passed since an exchange ended, whoever spent them."""
        passed = self.now() - exchange.ended
        self.wait(min(seconds, seconds - passed) if passed > 0 else seconds, name)

    @contextmanager
    def idling(self) -> Iterator[None]:
        """Inside, nothing is done but waiting; counted where that holds the session up."""
        started = time.monotonic()
        try:
            yield
        finally:
            if threading.current_thread() is threading.main_thread():
                self.idle += time.monotonic() - started

    def now(self) -> float:
        """The session clock, in Unix seconds."""
        return self._sender.now(self.scope_name)

    @contextmanager
    def giving_up(self) -> Iterator[None]:
        """Inside, nothing is sent, and nobody waits any longer."""
        self._over = True
        try:
            yield
        finally:
            self._over = False

    def unseen(self, what: str) -> Untested:
        """Why the session shows nothing of something; where what would have is out of reach, nobody is to blame."""
        declared = [each for each in self.withheld.values() if isinstance(each, NotClaimed)]
        if why := next(iter([*declared, *self.withheld.values()]), None):
            told = f"{what}; {why.reason}"
            return NotClaimed(told) if declared else Untested(told, gates=False)
        return Untested(what)

    def withhold(self, why: Untested) -> Untested:
        """Remember what the scope was not given, and return it to be raised."""
        self.withheld.setdefault(self.scope_name, why)
        return why

    def _end(self, name: str, *, complete: bool) -> None:
        with self._lock:
            begun = name in self._begun
            self._begun.discard(name)
        if begun:
            self._sender.close(name, complete=complete)


def _other_ids(options: Mapping[str, Any]) -> list[str]:
    return [name for name in options if name.endswith("_id")]


def path_to(template: str, **ids: str) -> str:
    """
    Fill ids into a path such as `/threads/{thread_id}`, escaped.

    Raises:
        Untested: one of them cannot be part of a URL, so that what it names cannot be asked for.
    """
    return template.format(**{name: in_url(value) for name, value in ids.items()})


def in_url(value: str) -> str:
    """
    Escape an id or a parameter, most of which come from the target.

    Raises:
        Untested: it cannot be part of a URL.
    """
    try:
        escaped = quote(value, safe="")
    except UnicodeError:
        raise Untested(f"{ascii(value)[:100]} cannot be part of a URL") from None
    if len(escaped) > _LONGEST:
        raise Untested(f"{ascii(value)[:100]}... has {len(value)} characters, too many for a URL")
    return escaped
