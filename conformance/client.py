"""The only way to a target: every call goes through here and into the journal."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from copy import copy
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from conformance.dialect import Dialect, path_to
from conformance.outcomes import Fault, NotClaimed, Noted, Unconnected, Untested, Violated
from conformance.patience import Patience, Width, is_one_too_many
from conformance.streams import Stream
from conformance.wire.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from conformance.senders import Sender
    from conformance.streams import Arriving
    from conformance.watch import Watch
    from conformance.wire.exchange import Exchange, Request, Response
    from conformance.wire.journal import Journal

T = TypeVar("T", "Exchange", Stream)
#: The forms in which clients send a cancel; `states.handles` knows what they look like.
CancelForm = Literal["json", "bare", "object"]
_UNWATCHED: Final = nullcontext()
_OVER: Final = "the session ended before this was sent"
#: Seconds for which a request waits for those that it should leave with.
_MUSTER: Final = 60.0


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
        dialect: Dialect | None = None,
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
            dialect: How requests are put; by default as the real service wants them, without a key.
            without: The capabilities that are not offered.
            patience: Seconds for which a request that is refused as one too many is sent again.
            at_once: How many requests may be under way, apart from those that race.
            seed: Of the order in which those that race line up.
        """
        self.journal = journal
        self._dialect = dialect or Dialect()
        #: The form that this target was found to take.
        self.cancel_form: CancelForm = "json"
        #: Seconds spent in each named wait, by everybody.
        self.waited: defaultdict[str, float] = defaultdict(float)
        #: Seconds in which the main thread did nothing but wait.
        self.idle = 0.0
        self._sender = sender
        self._patience = Patience(patience)
        self._width = Width(at_once)
        #: Capabilities that the target is declared not to have.
        self.without = without
        #: Optional capabilities that it was found not to have.
        self.lacking: frozenset[str] = frozenset()
        #: What was not even asked for, by scope, since it is absent or was never recorded.
        self.withheld: dict[str, Untested] = {}
        #: Who is told what is waited for, where somebody looks on.
        self.watch: Watch | None = None
        self._drawn = random.Random(seed)  # noqa: S311 - an order, and no secret
        self._here = _Here()
        self._begun: set[str] = set()
        self._kept: dict[str, list[Stream]] = {}
        self._lock = threading.Lock()
        self._over = False

    @property
    def base_path(self) -> str:
        """What all paths begin with."""
        return self._dialect.base_path

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

    def call(self, operation: str, **options: Any) -> Exchange:
        """
        Call an operation by name.

        Args:
            operation: Its name.
            options: The ids in its path, such as `thread_id`, which are escaped, and the options of `Dialect.request`.

        Raises:
            NotClaimed: the target is declared to have no such operation.
            Untested: an id that the target gave cannot be part of a URL.
        """
        return self._sent(self._asked(operation, options))

    def send(self, method: str, path: str, **options: Any) -> Exchange:
        """
        Send any request below the base path and journal the exchange; again, if the target asks for patience.

        `method`, `path` and `options` are those of `Dialect.request`.

        Raises:
            Unreachable: the target did not answer within bounds.
            Untested: a parameter cannot be part of a URL; or it is a replay, and this was not recorded.
        """
        return self._sent(self._dialect.request(method, path, **options))

    def listen(self, operation: str, *, seconds: float, **options: Any) -> Stream:
        """
        Call an operation that answers with events, and hear them as they come.

        Args:
            operation: Its name.
            seconds: After how many the stream is cut off.
            options: Those of `call`.

        Raises:
            NotClaimed: see `call`.
            Untested: see `call`.
            Unreachable: see `send`.
        """
        request = self._asked(operation, options)
        with self._width:  # which is over when the head of the answer is there
            return self._patiently(lambda: self._heard(request, seconds))

    def keep(self, stream: Stream) -> None:
        """Hear no more of a stream for now, and hang up when the scope ends."""
        self._kept.setdefault(self.scope_name, []).append(stream)

    def _asked(self, operation: str, options: dict[str, Any]) -> Request:
        described = OPERATIONS[operation]
        if described.capability in self.without:
            raise self.withhold(NotClaimed(f"the target is declared to have no {described.capability}"))
        if described.capability and described.capability in self.lacking:
            lacked = NotClaimed(f"the target has no {described.capability}", optional=described.capability)
            raise self.withhold(lacked)
        ids = {name: options.pop(name) for name in list(options) if name.endswith("_id")}
        return self._dialect.request(described.method, path_to(described.path, **ids), **options)

    def _sent(self, request: Request) -> Exchange:
        if self._here.gate:
            return self._exchange(request)
        with self._width:
            return self._patiently(lambda: self._exchange(request))

    def _patiently(self, attempt: Callable[[], T]) -> T:
        """What is refused as one too many is sent again, and meanwhile makes others wait for their turn."""
        came, waited = self._connected(attempt), 0.0
        while self._here.patient and (reply := _reply_in(came)) and is_one_too_many(reply):
            self._width.narrow(for_good=False)
            if (delay := self._patience.delay(reply, waited)) is None:
                raise Untested(f"the target goes on refusing requests as too many: {reply}")
            self.wait(delay, "throttled")
            came, waited = self._connected(attempt), waited + delay
        self._patience.helps()
        self._width.widen()
        return came

    def _connected(self, attempt: Callable[[], T]) -> T:
        """What found no connection, where there were some, is sent once more."""
        try:
            return attempt()
        except Unconnected:
            if not len(self.journal):
                raise
            self._width.narrow(for_good=True)
        return attempt()

    def _exchange(self, request: Request) -> Exchange:
        scope = self.scope_name
        if self._over:
            raise Fault(_OVER)
        try:
            with self.watch.asking(scope) if self.watch else _UNWATCHED:
                reply = self._sender.send(request, scope, self._here.gate)
        except Untested as problem:
            self._remember(problem)
            raise
        return self.journal.append(
            scope=scope,
            request=request,
            response=reply.response,
            at=reply.at,
            duration=reply.duration,
            number=reply.number,
        )

    def _heard(self, request: Request, seconds: float) -> Stream:
        scope = self.scope_name
        if self.watch:
            self.watch.begin(scope, "stream", seconds)
        if self._over:
            raise Fault(_OVER)
        try:
            arriving = self._sender.listen(request, scope, seconds)
        except Untested as problem:
            self._remember(problem)
            raise

        def keep(arriving: Arriving, response: Response, duration: float) -> Exchange:
            return self.journal.append(
                scope=scope,
                request=request,
                response=response,
                at=arriving.at,
                duration=duration,
                number=arriving.number,
            )

        return Stream(arriving, keep)

    def _remember(self, problem: Untested) -> None:
        """Keep why a recording has no answer, which excuses what depends on it."""
        if not problem.gates:
            self.withhold(problem)

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

    def wait(self, seconds: float, name: str, *others: str) -> None:
        """
        Let time pass on the session clock, for the wait of this name; where scopes have clocks, on those of others too.

        Raises:
            Fault: the session is over, and nobody wants to know any more.
        """
        if self._over:
            raise Fault("the session ended before this was staged")
        if seconds > 0:
            with self._lock:
                self.waited[name] += seconds
            if self.watch:
                self.watch.begin(self.scope_name, name, seconds)
            with self.idling():
                self._sender.wait(seconds, self.scope_name, *others)

    def wait_since(self, exchange: Exchange, seconds: float, name: str) -> None:
        """Wait until so many seconds have passed since an exchange ended, by its scope's clock, whoever spent them."""
        passed = self._sender.now(exchange.scope) - exchange.ended
        self.wait(min(seconds, seconds - passed) if passed > 0 else seconds, name, exchange.scope)

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

    def unseen(self, what: str, capability: str | None = None) -> Untested:
        """
        Why the session shows nothing of something; where what would have is out of reach, nobody is to blame.

        Args:
            what: What was not seen.
            capability: What it is about, where that is a part of the API that a target may lack.
        """
        whys = [why for why in self.withheld.values() if getattr(why, "optional", "") in {"", capability}]
        declared = [each for each in whys if isinstance(each, NotClaimed)]
        if why := next(iter([*declared, *whys]), None):
            told = f"{what}; {why.reason}"
            return NotClaimed(told) if declared else Untested(told, gates=False)
        return Untested(what)

    def withhold(self, why: Untested) -> Untested:
        """Remember what the scope was not given, and return it to be raised."""
        self.withheld.setdefault(self.scope_name, why)
        return why

    @contextmanager
    def in_vain(self) -> Iterator[None]:
        """Inside, another way is tried; that the target was not asked for it excuses nothing."""
        before = self.withheld.get(self.scope_name)
        try:
            yield
        finally:
            if before is None:
                self.withheld.pop(self.scope_name, None)

    def _end(self, name: str, *, complete: bool) -> None:
        for stream in self._kept.pop(name, ()):
            with suppress(Fault):  # a stream that cannot be left keeps nobody from leaving the others
                stream.leave()
        if self.watch:
            self.watch.end(name)
        with self._lock:
            begun = name in self._begun
            self._begun.discard(name)
        if begun:
            self._sender.close(name, complete=complete)


def _reply_in(came: Exchange | Stream) -> Exchange | None:
    """The whole reply, unless it is still coming."""
    return came.reply if isinstance(came, Stream) else came
