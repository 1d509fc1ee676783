"""Doors: what is asked for or refused on the way that everybody takes, and forgotten on another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.mishearing import crash, said_in
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.reference.calls import Call
    from conformance.reference.store import Thread

_STEPS = ("list_run_steps", "retrieve_run_step")


class Ajar(Operations):
    """A server that asks nobody for a key at some operations."""

    open: tuple[str, ...] = ()

    def admit(self, headers: Mapping[str, str], operation: str) -> None:
        if operation not in self.open:
            super().admit(headers, operation)


@fault("AUTH-002", "AUTH-003")
class StepsForAnybody(Ajar):
    """Nobody is asked for a key who asks for steps."""

    open = _STEPS


@fault("AUTH-002", "AUTH-003")
class OneStepForAnybody(Ajar):
    """The list of steps wants a key, and a step by itself does not."""

    open = _STEPS[1:]


@fault("AUTH-002", "AUTH-003")
class ThreadAndRunForAnybody(Ajar):
    """A run is created together with its thread for whoever has no key."""

    open = ("create_thread_and_run",)


class AsksInside(Operations):
    """A server that looks at the key only once it knows what is asked for."""

    _stranger: Refusal | None = None

    def admit(self, headers: Mapping[str, str], operation: str) -> None:
        self._stranger = None
        try:
            super().admit(headers, operation)
        except Refusal as refusal:
            if operation not in {"list_runs", "create_run"}:
                raise
            self._stranger = refusal

    def list_runs(self, call: Call) -> dict[str, Any]:
        self.need_key(call)
        return super().list_runs(call)

    def create_run(self, call: Call) -> dict[str, Any]:
        self.need_key(call)
        return super().create_run(call)

    def need_key(self, call: Call) -> None:
        """Refuse a stranger, unless this is one of the ways that were forgotten."""
        if self._stranger and not self.forgets(call):
            raise self._stranger

    def forgets(self, call: Call) -> bool:
        """Whether a stranger is let through."""
        raise NotImplementedError


@fault("AUTH-002", "AUTH-003")
class PagesForAnybody(AsksInside):
    """A list of runs wants a key, and one with a limit does not."""

    def forgets(self, call: Call) -> bool:
        return bool(call.query)


@fault("AUTH-002", "AUTH-003")
class StreamsForAnybody(AsksInside):
    """A create wants a key, and one that is streamed does not."""

    def forgets(self, call: Call) -> bool:
        return call.operation == "create_run" and bool((said_in(call) or {}).get("stream"))


class StepsAstray(Operations):
    """A server that answers in a way of its own where steps are asked for of what does not exist."""

    def list_run_steps(self, call: Call) -> dict[str, Any]:
        try:
            return super().list_run_steps(call)
        except Refusal as refusal:
            if refusal.status == 404:
                return self.astray(call, refusal)
            raise

    def astray(self, call: Call, refusal: Refusal) -> dict[str, Any]:
        """Answer, or refuse otherwise."""
        raise NotImplementedError


@fault("ERR-003")
class StepsOfNoRunCrash(StepsAstray):
    """The steps of an unknown run are a crash."""

    def astray(self, call: Call, refusal: Refusal) -> dict[str, Any]:
        raise crash() if call.ids["thread_id"] in self._store.threads and _is_run(call) else refusal


@fault("ERR-003")
class NoRunHasNoSteps(StepsAstray):
    """The list of the steps of an unknown run is empty."""

    def astray(self, call: Call, refusal: Refusal) -> dict[str, Any]:
        if call.ids["thread_id"] in self._store.threads and _is_run(call):
            return self._page([], call, "run step")
        raise refusal


@fault("ERR-004")
class StepsOfNoThreadCrash(StepsAstray):
    """The steps of a run on an unknown thread are a crash."""

    def astray(self, call: Call, refusal: Refusal) -> dict[str, Any]:
        raise refusal if call.ids["thread_id"] in self._store.threads else crash()


@fault("ERR-006")
class StepsOfOddIdsCrash(StepsAstray):
    """The steps of what can be no run are a crash."""

    def astray(self, call: Call, refusal: Refusal) -> dict[str, Any]:
        raise refusal if _is_run(call) else crash()


def _is_run(call: Call) -> bool:
    prefix, _, own = call.ids["run_id"].rpartition("_")
    return prefix == "run" and own.isascii() and own.isalnum() and len(own) <= 24


class Threads(Operations):
    """A server that finds threads by more than their ids."""

    def _thread(self, call: Call) -> Thread:
        for id, thread in self._store.threads.items():
            if call.operation == "list_runs" and self.alike(id, call.ids["thread_id"]):
                return thread
        return super()._thread(call)

    def alike(self, id: str, asked: str) -> bool:
        """Whether this is taken for the id."""
        raise NotImplementedError


@fault("ERR-004")
class ThreadsByTheirBeginning(Threads):
    """A thread is found by the beginning of its id."""

    def alike(self, id: str, asked: str) -> bool:
        return id.startswith(asked) and len(asked) > 15


@fault("ERR-004")
class ThreadsInAnyCase(Threads):
    """A thread is found by its id in capitals as well."""

    def alike(self, id: str, asked: str) -> bool:
        return id.lower() == asked.lower()
