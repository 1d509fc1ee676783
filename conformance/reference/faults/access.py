"""Access: who is let in, and to which thread."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.pages import with_items
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.reference.calls import Answer, Call
    from conformance.reference.runs import Run
    from conformance.reference.store import Thread


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


@fault("AUTH-002")
class EmptyKey(Operations):
    """An empty Bearer token is a key."""

    def admit(self, headers: Mapping[str, str], operation: str) -> None:
        if headers.get("authorization", "").strip() != "Bearer":
            super().admit(headers, operation)


@fault("AUTH-003")
class AnyScheme(Operations):
    """Who shows something else than a Bearer token is let in."""

    def admit(self, headers: Mapping[str, str], operation: str) -> None:
        if headers.get("authorization", "Bearer").startswith("Bearer"):
            super().admit(headers, operation)


class Lenient(Operations):
    """A key is compared otherwise than as a whole."""

    def admit(self, headers: Mapping[str, str], operation: str) -> None:
        shown = headers.get("authorization", "").removeprefix("Bearer ")
        if not any(self.alike(shown, key) for key in self._keys):
            super().admit(headers, operation)

    def alike(self, shown: str, key: str) -> bool:
        """Whether what was shown is taken for the key."""
        raise NotImplementedError


@fault("AUTH-003")
class KeyAndMore(Lenient):
    """What begins with the key is let in."""

    def alike(self, shown: str, key: str) -> bool:
        return shown.startswith(key)


@fault("AUTH-003")
class EightCharacters(Lenient):
    """Only the first eight characters of a key are compared."""

    def alike(self, shown: str, key: str) -> bool:
        return shown[:8] == key[:8]


@fault("AUTH-003")
class KeyInAnyCase(Lenient):
    """A key is let in in capitals as well."""

    def alike(self, shown: str, key: str) -> bool:
        return shown.lower() == key.lower()


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


class AsksLater(Operations):
    """A request gets further than to its key, and is refused for that in the end."""

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
        headers = {**answer.headers, "content-type": "application/json", **self._refusal.headers}
        return type(answer)(self._refusal.status, headers, body)


@fault("AUTH-005", "INV-031", "INV-032", "LIFE-003")
class ActsBeforeAsking(AsksLater):
    """A request is carried out before the key is looked at."""


@fault("AUTH-004")
class FindsBeforeAsking(AsksLater):
    """What does not exist is not found, whoever asks; the key is looked at afterwards."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        return answer if answer.status == 404 else super().sent(answer, call)

    def _thread(self, call: Call) -> Thread:
        found = super()._thread(call)
        if self._refusal and "run_id" not in call.ids:
            raise self._refusal
        return found

    def _run(self, call: Call) -> Run:
        found = super()._run(call)
        if self._refusal:
            raise self._refusal
        return found


class ActsLater(AsksLater):
    """A request that is refused for its key is kept, and carried out by somebody who does not ask."""

    def _thread(self, call: Call) -> Thread:
        found = super()._thread(call)
        if self._refusal:
            self.kept(call)
            raise self._refusal
        return found

    def kept(self, call: Call) -> None:
        """Do something with it."""
        raise NotImplementedError


@fault("AUTH-005", "LIFE-003", "INV-031")
class SubmitsLater(ActsLater):
    """Outputs that are refused for their key take effect a second later."""

    def kept(self, call: Call) -> None:
        if call.operation == "submit_tool_outputs":
            run = super(AsksLater, self)._thread(call).runs[call.ids["run_id"]]
            if run.status(call.now) == "requires_action":
                run.resume(call.now + 1, {})


@fault("AUTH-005")
class CreatesLater(ActsLater):
    """A run whose creation is refused for its key is there half a second later."""

    def kept(self, call: Call) -> None:
        if call.operation == "create_run":
            refusal, self._refusal = self._refusal, None
            with suppress(Refusal):
                super().create_run(replace(call, now=call.now + 0.5))
            self._refusal = refusal

    def list_runs(self, call: Call) -> dict[str, Any]:
        runs, told = self._thread(call).runs, super().list_runs(call)
        return with_items(told, [run for run in told["data"] if runs[run["id"]].created <= call.now])


@fault("AUTH-001")
class ForgetsKeysOnCancel(Operations):
    """The key does not open the cancel."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        raise Refusal("Not yours.", status=401)


@fault("ERR-005", "CANCEL-021")
class ThreadsDoNotMatter(Operations):
    """A run is found through any thread."""

    def _run(self, call: Call) -> Run:
        id = call.ids["run_id"]
        for thread in self._store.threads.values():
            if id in thread.runs:
                return thread.runs[id]
        return super()._run(call)


@fault("ERR-005")
class ReadsThroughAnyThread(Operations):
    """A run is shown through any thread."""

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        for thread in self._store.threads.values():
            if call.ids["run_id"] in thread.runs:
                return self.shown(thread.runs[call.ids["run_id"]], call)
        return super().retrieve_run(call)


@fault("ERR-005", "CANCEL-021")
class CancelsThroughAnyThread(Operations):
    """A cancel is carried out through any thread."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        for thread in self._store.threads.values():
            if call.ids["run_id"] in thread.runs:
                return super().cancel_run(replace(call, ids={**call.ids, "thread_id": thread.id}))
        return super().cancel_run(call)


@fault("ERR-005", "LIFE-003")
class CancelsLaterThroughAnyThread(Operations):
    """A cancel through another thread is not found, and carried out a second later."""

    def cancel_run(self, call: Call) -> dict[str, Any]:
        for thread in self._store.threads.values():
            run = thread.runs.get(call.ids["run_id"])
            if run and thread.id != call.ids["thread_id"] and run.status(call.now) == "in_progress":
                run.cancel(call.now + 1)
        return super().cancel_run(call)


@fault("ERR-005")
class FoundThroughNoThread(Operations):
    """A run is found through a thread that never was."""

    def _run(self, call: Call) -> Run:
        if call.ids["thread_id"] not in self._store.threads:
            for thread in self._store.threads.values():
                if call.ids["run_id"] in thread.runs:
                    return thread.runs[call.ids["run_id"]]
        return super()._run(call)


@fault("ERR-004")
class KnownRunOfUnknownThread(Operations):
    """A known run through a thread that never was is a bad request."""

    def _run(self, call: Call) -> Run:
        threads = self._store.threads
        if call.ids["thread_id"] not in threads and any(call.ids["run_id"] in each.runs for each in threads.values()):
            raise Refusal("The run belongs to another thread.")
        return super()._run(call)


@fault("ERR-003")
class FoundByItsBeginning(Operations):
    """A run is found by the beginning of its id."""

    def _run(self, call: Call) -> Run:
        begun = [run for id, run in self._thread(call).runs.items() if id.startswith(call.ids["run_id"])]
        return begun[0] if len(begun) == 1 and len(call.ids["run_id"]) > 12 else super()._run(call)
