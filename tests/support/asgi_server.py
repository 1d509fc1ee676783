"""The served reference server without a socket: its ASGI application, with a client that is always there."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.reference import Reference, ScopedClock
from conformance.reference.asgi import application
from conformance.reference.control import Control
from support.reference_caller import HEADERS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Got:
    """What came back; without a status, nothing did."""

    status: int | None
    headers: dict[str, str]
    body: bytes
    #: Whether the connection was closed before the answer was complete.
    hung_up: bool

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Served:
    """An application, and the control of it."""

    def __init__(self, *, enabled: bool = True, loopback: bool = True, **options: Any) -> None:
        self.reference = Reference(**{"clock": ScopedClock(), "seed": "s", **options})
        self.control = Control(self.reference, enabled=enabled, loopback=loopback, mode="stateful")
        self.application = application(self.reference, 0, self.control)

    def send(
        self, method: str, target: str, body: Any = b"", headers: Mapping[str, str] = HEADERS, *, patience: float = 60
    ) -> Got:
        """Send a request from the host's root; who has no more patience goes away."""
        return asyncio.run(self.exchange(method, target, body, headers, patience))

    def api(self, method: str, path: str, body: Any = b"") -> Any:
        """What the API grants."""
        got = self.send(method, f"/v1{path}", body)
        assert (got.status, got.hung_up) == (200, False), got
        return got.json

    def driven(self, method: str, path: str, body: Any = b"") -> Any:
        """What a control route grants."""
        got = self.send(method, f"/_conformance/{path}", body, {})
        assert got.status == 200, got
        return got.json

    def refused(self, method: str, path: str, body: Any = b"", *, status: int = 400, **headers: str) -> Any:
        """The error of a control route."""
        got = self.send(method, f"/_conformance/{path}", body, headers)
        assert got.status == status, got
        return got.json["error"]

    def run(self, **members: Any) -> tuple[str, dict[str, Any]]:
        """A new run, and the path of its thread."""
        assistant = self.api("POST", "/assistants", {"model": "gpt-4o", "instructions": "Be brief."})["id"]
        thread = f"/threads/{self.api('POST', '/threads')['id']}"
        return thread, self.api("POST", f"{thread}/runs", {"assistant_id": assistant, **members})

    async def exchange(
        self, method: str, target: str, body: Any, headers: Mapping[str, str] = HEADERS, patience: float = 60
    ) -> Got:
        """The same, in a loop that runs."""
        headers = {"host": "localhost:8000", **headers}
        path, _, query = target.partition("?")
        closed, sent, asked = asyncio.Event(), [], [body if isinstance(body, bytes) else json.dumps(body).encode()]

        class Transport:
            close = staticmethod(closed.set)

        async def receive() -> dict[str, Any]:
            if asked:
                return {"type": "http.request", "body": asked.pop(), "more_body": False}
            await asyncio.wait_for(closed.wait(), patience)
            return {"type": "http.disconnect"}

        async def impatient() -> dict[str, Any]:
            try:
                return await receive()
            except TimeoutError:
                closed.set()
                return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            await asyncio.sleep(0)
            sent.append(message)

        scope = {
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "state": {"transport": Transport},
        }
        await self.application(scope, impatient, send)
        start: dict[str, Any] = sent[0] if sent else {"status": None, "headers": []}
        told = {name.decode(): value.decode() for name, value in start["headers"]}
        return Got(start["status"], told, b"".join(each.get("body", b"") for each in sent), closed.is_set())
