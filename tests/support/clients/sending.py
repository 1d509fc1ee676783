"""How a call becomes a request, and how that is sent."""

from __future__ import annotations

import json
import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from support.clients.transport import Lost, Reply, sent

if TYPE_CHECKING:
    from collections.abc import Mapping

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


class Sending:
    """From a call to the head of its answer."""

    operations = OPERATIONS
    beta = "assistants=v2"
    body_type = "application/json"
    encoding = "utf-8"
    retried = frozenset({408, 429, 500, 502, 503, 504})
    backoff = 0.03

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

    def patience_with(self, method: str, url: str) -> float | None:
        return self.patience()

    def pause(self, reply: Reply | None) -> float:
        told = reply.headers.get("retry-after", "") if reply else ""
        if told.isdigit():
            return float(told)
        return max(self.until(told) - time.time(), 0) if told else self.backoff

    def until(self, date: str) -> float:
        return parsedate_to_datetime(date).timestamp()

    def again(self, body: bytes | None) -> bytes | None:
        return body

    def again_at(self, url: str) -> str:
        return url

    def may_retry(self, method: str, url: str, body: bytes | None) -> bool:
        return True

    def given_up(self, reply: Reply) -> None:
        pass

    def retries_lost(self) -> bool:
        return True

    def retries_late(self) -> bool:
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
            may_retry = attempt + 1 < self.tries() and self.may_retry(method, url, body)
            try:
                reply = self.followed(method, url, body, attempt)
            except TimeoutError:
                if not may_retry or not self.retries_late():
                    raise self.timed_out() from None
                time.sleep(self.pause(None))
            except Lost as problem:
                if not may_retry or not self.retries_lost():
                    return self.lost(problem)
                first = problem
                time.sleep(self.pause(None))
            else:
                if reply.status not in self.retried or not may_retry:
                    self.given_up(reply)
                    return self.last(first, reply)
                reply.connection.close()
                time.sleep(self.pause(reply))
            body, url = self.again(body), self.again_at(url)
        raise AssertionError("every way out is above")

    def followed(self, method: str, url: str, body: bytes | None, attempt: int) -> Reply:
        """Send a request once, and wherever it is sent on."""
        headers = self.headers(body, attempt)
        reply = sent(method, url, {**headers, **self.authorization()}, body, self.patience_with(method, url))
        if reply.status in REDIRECTS and (place := reply.headers.get("location")):
            there = urljoin(url, place)
            own = urlsplit(there)[:2] == urlsplit(url)[:2]
            return sent(method, there, {**headers, **self.carried(own=own)}, body, self.patience())
        return reply

    def carried(self, *, own: bool) -> dict[str, str]:
        return self.authorization() if own else {}
