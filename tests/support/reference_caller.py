"""Somebody who calls the reference server, in process, with everything that a good request needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from conformance.reference import DEFAULT_KEY, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conformance.reference import Answer

AUTHORIZED = {"authorization": f"Bearer {DEFAULT_KEY}", "openai-beta": "assistants=v2"}
HEADERS = {**AUTHORIZED, "content-type": "application/json"}
LONG = {"role": "user", "content": "Count from 1 to 1000."}
FUNCTION = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
STATES = [
    "queued",
    "in_progress",
    "requires_action",
    "cancelling",
    "cancelled",
    "completed",
    "incomplete",
    "failed",
    "expired",
]


def strict(text: bytes | str) -> Any:
    """What a JSON text says; NaN and infinity are no JSON."""

    def refuse(literal: str) -> NoReturn:
        raise AssertionError(f"{literal} is no JSON")

    return json.loads(text, parse_constant=refuse)


def error(answer: Answer) -> dict[str, Any]:
    """The error of a refusal, whose envelope must be whole."""
    assert 400 <= answer.status < 500, (answer.status, answer.body)
    assert answer.headers["content-type"] == "application/json"
    told = strict(answer.body)
    assert told.keys() == {"error"}
    inner = told["error"]
    assert inner.keys() == {"message", "type", "param", "code"}
    assert isinstance(inner["message"], str)
    assert inner["message"]
    assert isinstance(inner["type"], str)
    assert all(inner[name] is None or isinstance(inner[name], str) for name in ("param", "code"))
    return dict(inner)


class Caller:
    """One scope on one server."""

    def __init__(self, server: Reference | None = None, scope: str = "", **options: Any) -> None:
        self.server, self.scope = server or Reference(**options), scope

    def send(
        self,
        method: str,
        path: str,
        body: Any = b"",
        *,
        query: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] = HEADERS,
    ) -> Answer:
        """Whatever it answers; a body that is not yet bytes is sent as JSON."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.server.handle(method, f"/v1{path}", list(query), headers, sent, self.scope)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What is granted to a GET."""
        return self._granted(self.send("GET", path, query=[(name, str(value)) for name, value in query.items()]))

    def post(self, path: str, body: Any = b"") -> dict[str, Any]:
        """What is granted to a POST."""
        return self._granted(self.send("POST", path, body))

    def delete(self, path: str) -> dict[str, Any]:
        """What is granted to a DELETE."""
        return self._granted(self.send("DELETE", path))

    def refused(self, method: str, path: str, body: Any = b"", *, status: int = 400, **query: Any) -> dict[str, Any]:
        """The error, where it must refuse."""
        answer = self.send(method, path, body, query=[(name, str(value)) for name, value in query.items()])
        assert answer.status == status, answer.body
        return error(answer)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.server.wait(seconds, self.scope)

    def assistant(self, **members: Any) -> str:
        """A new assistant."""
        return str(self.post("/assistants", {"model": "gpt-4o", **members})["id"])

    def thread(self, *messages: Mapping[str, Any]) -> str:
        """The path of a new thread, that says hello unless told otherwise."""
        spoken = messages or ({"role": "user", "content": "Hello."},)
        return f"/threads/{self.post('/threads', {'messages': spoken})['id']}"

    def create(self, thread: str = "", **members: Any) -> dict[str, Any]:
        """A new run, on a new thread unless told otherwise."""
        body = {"assistant_id": members.pop("assistant_id", None) or self.assistant(), **members}
        return self.post(f"{thread or self.thread()}/runs", body)

    def staged(self, state: str) -> dict[str, Any]:
        """A run in some state."""
        match state:
            case "queued":
                run, wait = self.create(), 0.0
            case "in_progress" | "cancelling" | "cancelled":
                run, wait = self.create(self.thread(LONG)), 1.0
            case "requires_action":
                run, wait = self.create(tools=[FUNCTION], tool_choice="required"), 2.0
            case "completed":
                run, wait = self.create(), 2.0
            case "incomplete":
                run, wait = self.create(self.thread(LONG), max_completion_tokens=16), 2.0
            case "failed":
                run, wait = self.create(model="reference-failing"), 2.0
            case _:
                run, wait = self.create(model="reference-stalling"), 600.0
        self.wait(wait)
        if state in {"cancelling", "cancelled"}:
            self.post(f"{path_of(run)}/cancel")
            self.wait(2.0 if state == "cancelled" else 0.0)
        now = self.get(path_of(run))
        assert now["status"] == state
        return now

    def _granted(self, answer: Answer) -> dict[str, Any]:
        assert answer.status == 200, answer.body
        assert answer.headers["content-type"] == "application/json"
        told = strict(answer.body)
        assert isinstance(told, dict)
        return told


def path_of(run: Mapping[str, Any]) -> str:
    """Where a run is."""
    return f"/threads/{run['thread_id']}/runs/{run['id']}"
