"""A faithful client of the Runs API: small, and made of parts that can be exchanged for wrong ones."""

from __future__ import annotations

import codecs
import json
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from clients.transport import CutOff, Lost, Reply, sent, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OPERATIONS = {
    "create_run": ("POST", "/threads/{thread_id}/runs"),
    "retrieve_run": ("GET", "/threads/{thread_id}/runs/{run_id}"),
    "modify_run": ("POST", "/threads/{thread_id}/runs/{run_id}"),
    "cancel_run": ("POST", "/threads/{thread_id}/runs/{run_id}/cancel"),
    "submit_tool_outputs": ("POST", "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs"),
    "create_thread_and_run": ("POST", "/threads/runs"),
    "list_runs": ("GET", "/threads/{thread_id}/runs"),
}
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class ApiError(Exception):
    """A call that came to nothing."""

    def __init__(self, kind: str, message: str, **told: Any) -> None:
        super().__init__(message)
        self.told = {"kind": kind, "message": message, **told}


class Client:
    """Calls the API. Whatever is an attribute or a method here is what a fault puts something else in the place of."""

    operations = OPERATIONS
    beta = "assistants=v2"
    body_type = "application/json"
    encoding = "utf-8"
    retried = frozenset({408, 429, 500, 502, 503, 504})
    final = frozenset({"completed", "failed", "cancelled", "expired", "incomplete"})
    waiting = frozenset({"requires_action"})
    line_ends = r"\r\n|\n|\r(?!$)"
    separator = ":"
    backoff = 0.02

    def __init__(self, base_url: str, api_key: str, timeout: float, retries: int) -> None:
        self.base, self.key, self.timeout, self.retries = self.based(base_url), api_key, timeout, retries

    # What is sent.

    def based(self, url: str) -> str:
        return url.rstrip("/")

    def segment(self, id: str) -> str:
        if id in {".", ".."}:
            raise ValueError(f"{id} is no id")
        return quote(id, safe="")

    def query(self, given: Mapping[str, Any]) -> str:
        return urlencode(given)

    def given(self, call: str, members: dict[str, Any]) -> dict[str, Any]:
        return members

    def body(self, call: str, members: dict[str, Any]) -> bytes | None:
        return json.dumps(members, ensure_ascii=False).encode(self.encoding, "replace") if members else None

    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def mark(self, attempt: int) -> dict[str, str]:
        return {"x-retry-count": str(attempt)}

    def headers(self, body: bytes | None, attempt: int) -> dict[str, str]:
        typed = {"Content-Type": self.body_type} if body else {}
        marked = self.mark(attempt) if attempt else {}
        return {"OpenAI-Beta": self.beta, "Accept-Encoding": "gzip", **typed, **marked}

    def read_body(self, call: str) -> bytes | None:
        return None

    def begin(self, call: str, given: dict[str, Any]) -> Reply:
        """Put a call into a request, and send it."""
        given = dict(given)
        method, path = self.operations[call]
        ids = {name: self.segment(given.pop(name)) for name in re.findall(r"\{(\w+)\}", path)}
        url = self.base + path.format(**ids)
        if method == "GET":
            query = self.query(given)
            return self.sent(method, url + (f"?{query}" if query else ""), self.read_body(call))
        return self.sent(method, url, self.body(call, self.given(call, given)))

    # How it is sent.

    def tries(self) -> int:
        return 1 + self.retries

    def patience(self) -> float | None:
        return self.timeout

    def pause(self, reply: Reply | None) -> float:
        told = reply.headers.get("retry-after", "") if reply else ""
        return float(told) if told.isdigit() else self.backoff

    def again(self, body: bytes | None) -> bytes | None:
        return body

    def retries_lost(self) -> bool:
        return True

    def lost(self, problem: Exception) -> Reply:
        raise ApiError("connection", str(problem))

    def timed_out(self) -> ApiError:
        return ApiError("timeout", f"no answer within {self.timeout} s")

    def last(self, first: Exception | None, reply: Reply) -> Reply:
        return reply

    def sent(self, method: str, url: str, body: bytes | None) -> Reply:
        """Send a request, again where that may help."""
        first = None
        for attempt in range(self.tries()):
            may_retry = attempt + 1 < self.tries()
            try:
                reply = self.followed(method, url, body, attempt)
            except TimeoutError:
                raise self.timed_out() from None
            except Lost as problem:
                if not may_retry or not self.retries_lost():
                    return self.lost(problem)
                first = problem
                time.sleep(self.pause(None))
            else:
                if reply.status not in self.retried or not may_retry:
                    return self.last(first, reply)
                reply.connection.close()
                time.sleep(self.pause(reply))
            body = self.again(body)
        raise AssertionError("every way out is above")

    def followed(self, method: str, url: str, body: bytes | None, attempt: int) -> Reply:
        """Send a request once, and wherever it is sent on."""
        headers = self.headers(body, attempt)
        reply = sent(method, url, {**headers, **self.authorization()}, body, self.patience())
        if reply.status in REDIRECTS and (place := reply.headers.get("location")):
            there = urljoin(url, place)
            own = urlsplit(there)[:2] == urlsplit(url)[:2]
            return sent(method, there, {**headers, **self.carried(own=own)}, body, self.patience())
        return reply

    def carried(self, *, own: bool) -> dict[str, str]:
        return self.authorization() if own else {}

    # What is made of the answer.

    def succeeded(self, status: int) -> bool:
        return status // 100 == 2

    def whole(self, reply: Reply) -> bytes:
        return unpacked(reply, reply.read())

    def text(self, body: bytes) -> str:
        return body.decode()

    def parsed(self, text: str) -> Any:
        try:
            value = json.loads(text)
        except ValueError:
            raise ApiError("other", "the answer is no JSON") from None
        if not isinstance(value, dict):
            raise ApiError("other", "the answer is no object")
        return value

    def answer(self, reply: Reply) -> dict[str, Any]:
        """The object that was answered."""
        self.refuse(reply)
        try:
            return self.parsed(self.text(self.whole(reply)))
        except TimeoutError:
            raise self.timed_out() from None
        except CutOff as problem:
            return self.cut_off(problem)

    def cut_off(self, problem: CutOff) -> dict[str, Any]:
        raise ApiError("connection", str(problem))

    def refuse(self, reply: Reply) -> None:
        """Raise what was refused."""
        if self.succeeded(reply.status):
            return
        raise self.refusal(reply, reply.read().decode("utf-8", "replace"))

    def refusal(self, reply: Reply, text: str) -> ApiError:
        told = self.envelope(text)
        known = {name: told.get(name) for name in ("code", "param", "type")}
        named = {"status": reply.status, "request_id": reply.headers.get("x-request-id")}
        return ApiError("status", str(told.get("message", text[:200])), **known, **named)

    def envelope(self, text: str) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except ValueError:
            return {}
        error = value.get("error") if isinstance(value, dict) else None
        return error if isinstance(error, dict) else {}

    def run(self, body: dict[str, Any]) -> dict[str, Any]:
        return body

    # What a user calls.

    def call(self, call: str, given: dict[str, Any]) -> dict[str, Any]:
        """Make a call that gives a run."""
        return self.run(self.answer(self.begin(call, given)))

    def page(self, given: dict[str, Any]) -> dict[str, Any]:
        """A page of a list."""
        body = self.answer(self.begin("list_runs", given))
        return {"data": body.get("data", []), "has_more": body.get("has_more")}

    def has_more(self, page: dict[str, Any]) -> Any:
        return page["has_more"]

    def iterate(self, given: dict[str, Any]) -> Iterator[str]:
        """The ids of all runs."""
        following = dict(given)
        while True:
            try:
                page = self.page(following)
            except ApiError:
                self.broken_off()
                return
            ids = [each["id"] for each in page["data"]]
            yield from self.visited(ids)
            if not self.goes_on(page["has_more"], ids, following.get("after")):
                return
            following = self.following(given, self.cursor(ids) or following.get("after"))

    def broken_off(self) -> None:
        raise  # noqa: PLE0704 - what is being handled

    def visited(self, ids: list[str]) -> list[str]:
        return ids

    def cursor(self, ids: list[str]) -> str | None:
        return ids[-1] if ids else None

    def goes_on(self, has_more: Any, ids: list[str], after: str | None) -> bool:
        return bool(has_more and ids and self.cursor(ids) != after)

    def following(self, given: dict[str, Any], after: str | None) -> dict[str, Any]:
        return {**given, "after": after}

    def poll(self, given: dict[str, Any]) -> dict[str, Any]:
        """The run, once it is over or waits for its caller."""
        run: dict[str, Any] | None = None
        while True:
            reply = self.begin("retrieve_run", given)
            try:
                run = self.run(self.answer(reply))
            except ApiError as problem:
                return self.poll_refused(problem, run)
            if run["status"] in self.final | self.waiting:
                return run
            time.sleep(self.interval(reply.headers.get("openai-poll-after-ms", "")))

    def poll_refused(self, problem: ApiError, run: dict[str, Any] | None) -> dict[str, Any]:
        raise problem

    def interval(self, told: str) -> float:
        return int(told) / 1000 if told.isdigit() else 1.0

    def asks_for_stream(self, call: str) -> dict[str, Any]:
        return {"stream": True}

    def stream(self, call: str, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The events of a stream, as they come."""
        reply = self.begin(call, {**given, **self.asks_for_stream(call)})
        self.refuse_stream(reply)
        over = False
        try:
            for name, data in self.events(self.lines(self.decoded(self.heard(reply)))):
                if self.is_over(name):
                    over = True
                    return
                if name == "error":
                    self.report(data)
                elif told := self.told(name, data):
                    yield told
        except TimeoutError:
            raise self.timed_out() from None
        except CutOff:
            pass
        finally:
            reply.connection.close()
        if not over:
            self.torn_off()

    def refuse_stream(self, reply: Reply) -> None:
        self.refuse(reply)

    def heard(self, reply: Reply) -> Iterable[bytes]:
        return reply.pieces()

    def is_over(self, name: str) -> bool:
        return name == "done"

    def report(self, data: str) -> None:
        raise ApiError("other", f"the stream reports an error: {data[:200]}")

    def told(self, name: str, data: str) -> dict[str, Any] | None:
        return {"event": name, "data": json.loads(data)}

    def torn_off(self) -> None:
        raise ApiError("connection", "the stream was torn off")

    # How a stream is read.

    def decoded(self, pieces: Iterable[bytes]) -> Iterator[str]:
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        return (decode(piece) for piece in pieces)

    def lines(self, texts: Iterable[str]) -> Iterator[str]:
        """The lines of a text that comes in pieces; a CR at the end may be half an end of a line."""
        rest = ""
        for text in texts:
            *whole, rest = re.split(self.line_ends, rest + text)
            yield from whole
        yield from re.split(self.line_ends.replace("(?!$)", ""), rest)

    def events(self, lines: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The name and the data of each event."""
        name, data = "", list[str]()
        for line in lines:
            if not line:
                if self.counts(name, data):
                    yield name, "\n".join(data)
                name, data = "", []
                continue
            field, _, value = line.partition(self.separator)
            if field == "event":
                name = value.removeprefix(" ")
            elif field == "data":
                data = self.joined(data, value.removeprefix(" "))
                if self.ends_event(name):
                    yield name, "\n".join(data)
                    name, data = "", []
            else:
                self.passed_over(line)

    def counts(self, name: str, data: list[str]) -> bool:
        return bool(data)

    def joined(self, data: list[str], value: str) -> list[str]:
        return [*data, value]

    def ends_event(self, name: str) -> bool:
        return False

    def passed_over(self, line: str) -> None:
        pass
