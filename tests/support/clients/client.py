"""A faithful client of the Runs API: small, and made of parts that can be exchanged for wrong ones."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from support.clients.reading import Reading
from support.clients.sending import OPERATIONS, ApiError, Sending
from support.clients.transport import CutOff, Reply, unpacked, unpacked_pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["OPERATIONS", "ApiError", "Client"]


class Client(Sending, Reading):
    """Calls the API. Whatever is an attribute or a method of it is what a fault puts something else in the place of."""

    #: What a driver says that it does not have.
    lacks: Mapping[str, str] = {}
    final = frozenset({"completed", "failed", "cancelled", "expired", "incomplete"})
    waiting = frozenset({"requires_action"})

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
        raise self.refusal(reply, self.refused(reply).decode("utf-8", "replace"))

    def refused(self, reply: Reply) -> bytes:
        return unpacked(reply, reply.read())

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

    def expected(self, body: dict[str, Any]) -> dict[str, Any]:
        if "id" not in body:
            raise ApiError("other", "the answer is no run")
        return body

    def run(self, body: dict[str, Any]) -> dict[str, Any]:
        return body

    # What a user calls.

    def call(self, call: str, given: dict[str, Any]) -> dict[str, Any]:
        """Make a call that gives a run."""
        return self.run(self.expected(self.answer(self.begin(call, given))))

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
                run = self.run(self.expected(self.answer(reply)))
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
        return unpacked_pieces(reply, reply.pieces())

    def is_over(self, name: str) -> bool:
        return name == "done"

    def report(self, data: str) -> None:
        error = self.envelope(data) or self.parsed(data)
        known = {name: error.get(name) for name in ("code", "param", "type")}
        raise ApiError("other", f"the stream reports an error: {error.get('message')}", **known)

    def told(self, name: str, data: str) -> dict[str, Any] | None:
        return {"event": name, "data": json.loads(data)}

    def torn_off(self) -> None:
        raise ApiError("connection", "the stream was torn off")
