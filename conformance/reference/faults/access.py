"""Access: who is let in, and to which thread."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.reference.calls import Answer, Call
    from conformance.reference.runs import Run


@fault("AUTH-002", "AUTH-003")
class OpenDoor(Operations):
    """Nobody is asked for a key."""

    def admit(self, headers: Mapping[str, str], operation: str) -> None: ...


@fault("AUTH-002")
class KeylessDoor(Operations):
    """Who shows no key at all is let in."""

    def admit(self, headers: Mapping[str, str], operation: str) -> None:
        if "authorization" in headers:
            super().admit(headers, operation)


@fault("AUTH-003")
class AnyKey(Operations):
    """Whatever begins like a key is one."""

    def admit(self, headers: Mapping[str, str], operation: str) -> None:
        if not headers.get("authorization", "").startswith("Bearer sk-"):
            super().admit(headers, operation)


@fault("AUTH-004")
class ForbiddenKey(Operations):
    """A wrong key is answered 403."""

    def admit(self, headers: Mapping[str, str], operation: str) -> None:
        try:
            super().admit(headers, operation)
        except Refusal as refusal:
            if refusal.code:
                raise Refusal(refusal.message, status=403, code=refusal.code) from None
            raise


@fault("AUTH-004")
class KeyWithoutCode(Operations):
    """The refusal of a wrong key has no code."""

    def admit(self, headers: Mapping[str, str], operation: str) -> None:
        try:
            super().admit(headers, operation)
        except Refusal as refusal:
            raise Refusal(refusal.message, status=401) from None


@fault("AUTH-006")
class EchoesTheKey(Operations):
    """The refusal of a wrong key repeats it."""

    def admit(self, headers: Mapping[str, str], operation: str) -> None:
        try:
            super().admit(headers, operation)
        except Refusal as refusal:
            message = f"Unknown: {headers.get('authorization')}"
            raise Refusal(message, status=401, code=refusal.code) from None


@fault("AUTH-005", "INV-032", "LIFE-003")
class ActsBeforeAsking(Operations):
    """A cancel or submit is carried out before the key is looked at."""

    _refusal: Refusal | None = None

    def admit(self, headers: Mapping[str, str], operation: str) -> None:
        self._refusal = None
        try:
            super().admit(headers, operation)
        except Refusal as refusal:
            self._refusal = refusal

    def sent(self, answer: Answer, call: Call) -> Answer:
        if self._refusal is None:
            return super().sent(answer, call)
        body = json.dumps(self._refusal.body()).encode()
        return type(answer)(self._refusal.status, {**answer.headers, **self._refusal.headers}, body)


@fault("AUTH-001")
class ForgetsKeysOnCancel(Operations):
    """The key does not open the cancel."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        raise Refusal("Not yours.", status=401)


@fault("ERR-005", "CANCEL-021", "CANCEL-002", "SCHEMA-007")
class ThreadsDoNotMatter(Operations):
    """A run is found through any thread."""

    def _run(self, call: Call) -> Run:
        id = call.ids["run_id"]
        for thread in self._store.threads.values():
            if id in thread.runs:
                return thread.runs[id]
        return super()._run(call)


@fault("ERR-005", "SCHEMA-007")
class ReadsThroughAnyThread(Operations):
    """A run is shown through any thread."""

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        for thread in self._store.threads.values():
            if call.ids["run_id"] in thread.runs:
                return self.shown(thread.runs[call.ids["run_id"]], call)
        return super().retrieve_run(call)


@fault("ERR-005", "CANCEL-021", "CANCEL-002")
class CancelsThroughAnyThread(Operations):
    """A cancel is carried out through any thread."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        for thread in self._store.threads.values():
            if call.ids["run_id"] in thread.runs:
                return super().cancel_run(replace(call, ids={**call.ids, "thread_id": thread.id}))
        return super().cancel_run(call)
