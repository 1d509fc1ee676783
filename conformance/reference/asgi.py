"""The reference server as an ASGI application, with what goes wrong on the way where that is asked for."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from conformance.reference.calls import Answer
from conformance.reference.control import PREFIX
from conformance.reference.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from conformance.reference.app import Reference
    from conformance.reference.control import Control
    from conformance.reference.control.journal import Entry
    from conformance.reference.control.rules import Rule
    from conformance.reference.operations import Operations

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

#: In bytes; a longer body is refused.
LARGEST_BODY = 1024 * 1024
#: How many streams are told at the same time; most of the time each of them waits.
_STREAMS = 128


def application(reference: Reference, latency: float = 0.0, control: Control | None = None) -> Application:
    """
    Give the ASGI application.

    Args:
        reference: What answers.
        latency: Seconds that every answer of the API is held back.
        control: What answers below `/_conformance/`, and what keeps the journal; without it nothing does.
    """
    return _Application(reference, latency, control)


class _Application:
    def __init__(self, reference: Reference, latency: float, control: Control | None) -> None:
        self._reference, self._latency, self._control = reference, latency, control
        self._telling = ThreadPoolExecutor(_STREAMS, "stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None:
            return
        if self._control and scope["path"].startswith(PREFIX):
            await _send(self._control.answer(*_request(scope, body)), scope, receive, send)
            return
        entry, rule = self._noted(scope, body)
        if self._latency and not await _stays(receive, self._latency):
            return
        if not (rule and rule.drops_unheard):
            given = await self._given(scope, body, rule)
            if rule and rule.holds_back and not await _stays(receive, rule.holds_back):
                return
            if not (rule and rule.drops):
                if entry and self._control:
                    self._control.journal.answered(entry, given)
                await _send(given, scope, receive, send, self._telling, rule.cuts_after if rule else None)
                return
        await _hang_up(scope, receive)

    def _noted(self, scope: Scope, body: bytes) -> tuple[Entry | None, Rule | None]:
        """What the journal keeps of a request, and the fault that it meets."""
        control = self._control
        if control is None or not control.enabled:
            return None, None
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        rule = control.rules.take(method, path) if control.rules else None
        at, query, headers = self._reference.now(""), scope["query_string"], scope["headers"]
        return control.journal.add(at, method, path, query, headers, body, rule), rule

    async def _given(self, scope: Scope, body: bytes, rule: Rule | None) -> Answer:
        if len(body) > LARGEST_BODY:
            return _too_large()
        acting = rule.acting if rule else None
        if acting or self._reference.may_wait:  # in a thread, so that requests can meet in the middle of others
            return await asyncio.to_thread(_handled, self._reference, scope, body, acting)
        return _handled(self._reference, scope, body, None)


async def _send(
    given: Answer,
    scope: Scope,
    receive: Receive,
    send: Send,
    telling: ThreadPoolExecutor | None = None,
    cut: int | None = None,
) -> None:
    headers = [(name.encode(), value.encode()) for name, value in given.headers.items()]
    if given.frames is None and scope["method"] != "HEAD":
        headers.append((b"content-length", str(len(given.body)).encode()))
    await send({"type": "http.response.start", "status": given.status, "headers": headers})
    if given.frames is not None:
        if not await _stream(given.frames, receive, send, telling, cut):
            await _hang_up(scope, receive)
            return
    elif cut is not None and given.body:
        await send({"type": "http.response.body", "body": given.body[: len(given.body) // 2], "more_body": True})
        await _hang_up(scope, receive)
        return
    await send({"type": "http.response.body", "body": given.body})


async def _stream(
    frames: Generator[bytes], receive: Receive, send: Send, telling: ThreadPoolExecutor | None, cut: int | None
) -> bool:
    """
    Send frame after frame as they come, until the last one, or until the client goes away.

    Returns:
        Whether that was all; false if it was cut after so many frames, in the middle of the next.
    """
    loop = asyncio.get_running_loop()
    leaving = asyncio.ensure_future(receive())
    whole, sent = True, 0
    while not leaving.done() and (frame := await loop.run_in_executor(telling, next, frames, None)) is not None:
        if not frame:  # nothing at all would end the body
            continue
        whole = sent != cut
        frame = frame if whole else frame[: len(frame) // 2]
        await send({"type": "http.response.body", "body": frame, "more_body": True})
        if not whole:
            break
        sent += 1
    leaving.cancel()
    await loop.run_in_executor(telling, frames.close)
    return whole


async def _stays(receive: Receive, seconds: float) -> bool:
    """Let time pass, and say whether the client is still there."""
    leaving = asyncio.ensure_future(receive())
    await asyncio.wait({leaving}, timeout=seconds)
    if leaving.done():
        return bool(leaving.result()["type"] != "http.disconnect")
    leaving.cancel()
    return True


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection, and wait until it is."""
    scope["state"]["transport"].close()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or as much as shows that it is too large; None if the client went away."""
    body = bytearray()
    while len(body) <= LARGEST_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return bytes(body)


def _request(scope: Scope, body: bytes) -> tuple[str, str, list[tuple[str, str]], dict[str, str], bytes]:
    return (
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body,
    )


def _handled(reference: Reference, scope: Scope, body: bytes, acting: Operations | None) -> Answer:
    return reference.handle(*_request(scope, body), acting=acting)


def _too_large() -> Answer:
    refusal = Refusal(f"The body of the request is over {LARGEST_BODY} bytes.", status=413)
    headers = {"content-type": "application/json", "connection": "close"}
    return Answer(refusal.status, headers, json.dumps(refusal.body(), indent=2).encode())
