"""A thread and its run with one request: what is lost between the two, or mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal, missing, not_found
from conformance.reference.faults.mishearing import crash, said_in, with_body
from conformance.reference.faults.registry import enter, fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.calls import Call
    from conformance.reference.faults.mishearing import Said
    from conformance.reference.runs import Run
    from conformance.reference.store import Thread


def _mishears(name: str, does: str, *breaks: str, change: Callable[[Said], Any]) -> None:
    """Enter a fault that changes what was said in place before a thread and its run are created."""

    def create_thread_and_run(self: Operations, call: Call) -> dict[str, Any]:
        if (body := said_in(call)) is not None:
            change(body)
            call = with_body(call, body)
        told: dict[str, Any] = super(behaviour, self).create_thread_and_run(call)
        return told

    members = {"create_thread_and_run": create_thread_and_run, "__module__": change.__module__}
    behaviour: Any = type(name, (Operations,), members)
    enter(name, does, breaks, behaviour)


class Made(Operations):
    """A server that changes something about a thread that came with its run."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        told = super().create_thread_and_run(call)
        thread = self._store.threads[told["thread_id"]]
        run = thread.runs[told["id"]]
        self.spoil(thread, run)
        return self.shown(run, call)

    def spoil(self, thread: Thread, run: Run) -> None:
        """Change what was made."""
        raise NotImplementedError


@fault()
class NotTogether(Operations):
    """A thread and its run cannot be created together, which a target may lack."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        del call
        raise Refusal("Not allowed.", status=405)


@fault()
class NoThreadNamedRuns(Operations):
    """The path for a thread and its run is taken for a thread that does not exist, which a target may lack."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        del call
        raise Refusal("Unknown request URL: POST /v1/threads/runs.", status=404, code="unknown_url")


@fault("THREADRUN-001", "THREADRUN-003", "THREADRUN-008")
class RefusesTogether(Operations):
    """A thread and its run are refused."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        said = said_in(call) or {}
        raise Refusal("Not today.") if said.get("assistant_id") else missing("assistant_id")


@fault("THREADRUN-001")
class InventsTheThread(Operations):
    """The thread that a run came with does not exist."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        told = super().create_thread_and_run(call)
        del self._store.threads[told["thread_id"]]
        return told


@fault("THREADRUN-001")
class HidesTheThread(Operations):
    """The thread that a run came with cannot be read, though its runs can."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        told = super().create_thread_and_run(call)
        self._store.threads[told["thread_id"]].metadata["hidden"] = "yes"
        return told

    def retrieve_thread(self, call: Call) -> dict[str, Any]:
        if "hidden" in self._thread(call).metadata:
            raise not_found("thread", call.ids["thread_id"])
        return super().retrieve_thread(call)


@fault("THREADRUN-001", "THREADRUN-002", "THREADRUN-003", "THREADRUN-004", "THREADRUN-006", "THREADRUN-007")
class OneThreadForAll(Operations):
    """Every run that comes with its thread comes with the same one."""

    _first = ""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        told = super().create_thread_and_run(call)
        thread = self._store.threads[told["thread_id"]]
        if self._first not in self._store.threads:
            self._first = thread.id
            return told
        first, run = self._store.threads[self._first], thread.runs[told["id"]]
        del self._store.threads[thread.id]
        first.written += thread.written
        first.metadata = thread.metadata
        first.runs[run.id] = run
        run.thread_id = first.id
        return self.shown(run, call)


def _messages(right: Callable[[list[Said]], list[Said]]) -> Callable[[Said], None]:
    def change(said: Said) -> None:
        thread = said.get("thread")
        if isinstance(thread, dict) and isinstance(thread.get("messages"), list):
            thread["messages"] = right(thread["messages"])

    return change


_mishears(
    "loses-the-messages",
    "The messages of a thread that comes with its run are lost.",
    "THREADRUN-002",
    change=_messages(lambda _: []),
)
_mishears(
    "loses-a-message",
    "Of several messages the first one is lost.",
    "THREADRUN-002",
    change=_messages(lambda all_: all_[1:] or all_),
)
_mishears(
    "turns-the-messages",
    "The messages are added last one first.",
    "THREADRUN-002",
    change=_messages(lambda all_: all_[::-1]),
)
_mishears(
    "users-only",
    "The messages of a thread that comes with its run are all the user's.",
    "THREADRUN-002",
    change=_messages(lambda all_: [{**each, "role": "user"} for each in all_]),
)
_mishears(
    "messages-without-metadata",
    "The messages of a thread that comes with its run lose their metadata.",
    "THREADRUN-002",
    change=_messages(lambda all_: [{**each, "metadata": None} for each in all_]),
)


def _wants_a_thread(said: Said) -> None:
    if said.get("assistant_id") and "thread" not in said:
        raise missing("thread")


_mishears("wants-a-thread", "A request that describes no thread is refused.", "THREADRUN-003", change=_wants_a_thread)
_mishears(
    "begins-for-you",
    "A thread that nobody describes begins with a message.",
    "THREADRUN-003",
    change=lambda said: said.setdefault("thread", {"messages": [{"role": "user", "content": "Hello."}]}),
)
_mishears(
    "ignores-instructions-together",
    "The instructions of a run that comes with its thread are ignored.",
    "THREADRUN-006",
    change=lambda said: said.pop("instructions", None) if said.get("thread") else None,
)


@fault("THREADRUN-004", "THREADRUN-006")
class LabelsTheRunAsTheThread(Made):
    """The metadata of the thread is the run's as well."""

    def spoil(self, thread: Thread, run: Run) -> None:
        run.metadata = {**run.metadata, **thread.metadata}


@fault("THREADRUN-004")
class LabelsTheThreadAsTheRun(Made):
    """The metadata of the run is the thread's."""

    def spoil(self, thread: Thread, run: Run) -> None:
        thread.metadata = dict(run.metadata)


@fault("THREADRUN-004", "THREADRUN-006")
class LabelsTheRunNot(Made):
    """The metadata of a run that comes with its thread is lost."""

    def spoil(self, thread: Thread, run: Run) -> None:
        del thread
        run.metadata = {}


@fault("THREADRUN-004")
class LabelsTheThreadNot(Made):
    """The metadata of a thread that comes with its run is lost."""

    def spoil(self, thread: Thread, run: Run) -> None:
        del run
        thread.metadata = {}


class Helpful(Operations):
    """A server that helps out with an assistant."""

    nothing: tuple[Any, ...] = ()

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        body = said_in(call)
        if body and body.get("assistant_id", ...) in self.nothing and self._store.assistants:
            call = with_body(call, {**body, "assistant_id": next(iter(self._store.assistants))})
        return super().create_thread_and_run(call)


@fault("THREADRUN-005")
class ThreadsForNobody(Helpful):
    """A thread and run without an assistant get the first one there is."""

    nothing = (...,)


@fault("THREADRUN-005")
class ThreadsForNull(Helpful):
    """A thread and run whose assistant is null get the first one there is."""

    nothing = (None,)


@fault("THREADRUN-005")
class CrashesWithoutAssistant(Operations):
    """A thread and run without an assistant are a crash."""

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        body = said_in(call)
        if body and "assistant_id" not in body:
            raise crash()
        return super().create_thread_and_run(call)
