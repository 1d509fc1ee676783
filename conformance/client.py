"""The only way to a target: every call goes through here and into the journal. Nothing else knows httpx."""

from __future__ import annotations

import json as jsonlib
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from conformance.outcomes import Fault, Noted, Untested, Violated
from conformance.senders import Reply
from conformance.wire.exchange import JSON_TYPE, Exchange, Request, Response
from conformance.wire.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    import httpx

    from conformance.senders import Sender
    from conformance.wire.journal import Journal

UNSET: Final[Any] = object()
#: The forms in which clients send a cancel; `states.handles` knows what they look like.
CancelForm = Literal["json", "bare", "object"]
#: No answer is read beyond this many bytes, nor beyond this many seconds.
MAX_BODY: Final = 8 * 1024 * 1024
DEADLINE: Final = 60.0


#: After so many requests without an answer, one that has nothing wrong tells whether the target is gone.
PATIENCE: Final = 5
#: Seconds for which it is then left alone, and for which that one request may take.
PAUSE: Final = 10.0


class Unreachable(Fault):
    """The target did not answer, or not within bounds."""


class HttpSender:
    """Speaks HTTP to a URL, within bounds of size and time and without following redirects."""

    def __init__(self, origin: str) -> None:
        """Take the origin, such as `http://localhost:8000`, without a path."""
        import httpx  # a replay never needs it

        self._httpx = httpx
        self._origin = origin
        self._client = httpx.Client(
            timeout=httpx.Timeout(DEADLINE, connect=10.0),
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=16),
            follow_redirects=False,
            trust_env=False,
        )
        self._unanswered = 0
        self._gone_since = -PAUSE

    def open(self, scope: str) -> None:
        """Nothing to prepare."""

    def close(self, scope: str, *, complete: bool) -> None:
        """Nothing to finish."""

    def send(self, request: Request, scope: str, gate: Callable[[], object] | None = None) -> Reply:  # noqa: ARG002
        """
        Send one request.

        Raises:
            Unreachable: no connection, a broken one, or an answer beyond the bounds.
        """
        if time.monotonic() - self._gone_since < PAUSE:
            raise Unreachable(f"{request.method} {request.path} was not sent: the target answers nothing any more")
        url = self._httpx.URL(self._origin).copy_with(raw_path=_target(request))
        outgoing = self._client.build_request(
            request.method, url, headers=dict(request.headers), content=request.body or None
        )
        if gate:
            gate()
        at, started = time.time(), time.monotonic()
        try:
            response = self._read(outgoing, started)
        except self._httpx.HTTPError as problem:
            kind = type(problem).__name__
            self._unanswered += 1
            if self._unanswered >= PATIENCE and self._is_gone():
                self._gone_since = time.monotonic()
            raise Unreachable(f"no answer to {request.method} {request.path}: {kind}: {problem}") from None
        self._unanswered = 0
        return Reply(response, round(at, 3), round(time.monotonic() - started, 3))

    def _is_gone(self) -> bool:
        try:
            with self._client.stream("GET", self._origin, timeout=PAUSE):
                self._unanswered = 0
        except self._httpx.HTTPError:
            return True
        return False

    def _read(self, outgoing: httpx.Request, started: float) -> Response:
        incoming = self._client.send(outgoing, stream=True)
        try:
            body = bytearray()
            for chunk in incoming.iter_bytes():
                body += chunk
                if len(body) > MAX_BODY:
                    raise Unreachable(f"the answer to {outgoing.method} {outgoing.url.path} is over {MAX_BODY} bytes")
                if time.monotonic() - started > DEADLINE:
                    raise Unreachable(f"the answer to {outgoing.method} {outgoing.url.path} took over {DEADLINE:g} s")
        finally:
            incoming.close()
        return Response(incoming.status_code, {k.lower(): v for k, v in incoming.headers.items()}, bytes(body))

    def now(self, scope: str) -> float:  # noqa: ARG002
        """The clock of this machine."""
        return round(time.time(), 3)

    def wait(self, seconds: float, scope: str) -> None:  # noqa: ARG002
        """Sleep."""
        time.sleep(seconds)


class _Here(threading.local):
    """What belongs to one thread: the scope it works in, and the gate that its next request waits at."""

    scope: str = ""
    gate: Callable[[], object] | None = None


class Client:
    """Calls a target by operation, and keeps every exchange in the journal."""

    def __init__(
        self,
        sender: Sender,
        journal: Journal,
        *,
        base_path: str = "/v1",
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
        key_header: tuple[str, str] = ("authorization", "Bearer {key}"),
        without: Collection[str] = (),
    ) -> None:
        """`key_header` is the name of the key's header and a template of its value; `without` what is not offered."""
        self.journal = journal
        self.base_path = base_path.rstrip("/")
        #: The form that this target was found to take.
        self.cancel_form: CancelForm = "json"
        #: Seconds spent in each named wait, by everybody.
        self.waited: defaultdict[str, float] = defaultdict(float)
        #: Seconds in which the main thread did nothing but wait.
        self.idle = 0.0
        self._sender = sender
        self._headers = {name.lower(): value for name, value in (headers or {}).items()}
        self._key = key
        self._key_header = key_header
        self._without = without
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
        """What happens inside belongs to the named scope, which ends with it."""
        try:
            with self.within(name):
                yield
        except (Violated, Untested, Noted):  # it came to a result; that it read less than was recorded is no news
            with suppress(Fault):
                self._end(name, complete=True)
            raise
        except BaseException:
            self._end(name, complete=False)
            raise
        self._end(name, complete=True)

    def call(self, operation: str, *, thread_id: str = "", run_id: str = "", **options: Any) -> Exchange:
        """
        Call an operation by name; ids are escaped into its path. `options` are those of `send`.

        Raises:
            Untested: the target is declared to have no such operation.
        """
        described = OPERATIONS[operation]
        if described.capability in self._without:
            raise Untested(f"the target is declared to have no {described.capability}", gates=False)
        ids = {"thread_id": thread_id, "run_id": run_id, **{k: options.pop(k) for k in _other_ids(options)}}
        path = described.path.format(**{name: quote(value, safe="") for name, value in ids.items()})
        return self.send(described.method, path, **options)

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
        Send any request below the base path and journal the exchange.

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
        """
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
        request = Request(method, self.base_path + path, tuple(query), sent, content)
        reply = self._sender.send(request, self.scope_name, self._here.gate)
        return self.journal.append(
            scope=self.scope_name, request=request, response=reply.response, at=reply.at, duration=reply.duration
        )

    def together(self, *calls: Callable[[], Exchange]) -> list[Exchange]:
        """Make the calls in threads that are released at once; each may send one request."""
        barrier, scope = threading.Barrier(len(calls), timeout=DEADLINE), self.scope_name

        def at_the_line(call: Callable[[], Exchange]) -> Exchange:
            self._here.scope, self._here.gate = scope, barrier.wait
            return call()

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(at_the_line, calls))

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
        passed = self._sender.now(self.scope_name) - exchange.ended
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

    def give_up(self) -> None:
        """Let no thread wait any longer."""
        self._over = True

    def _end(self, name: str, *, complete: bool) -> None:
        with self._lock:
            begun = name in self._begun
            self._begun.discard(name)
        if begun:
            self._sender.close(name, complete=complete)


def _other_ids(options: Mapping[str, Any]) -> list[str]:
    return [name for name in options if name.endswith("_id")]


def _target(request: Request) -> bytes:
    query = "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in request.query)
    return (request.path + (f"?{query}" if query else "")).encode()
