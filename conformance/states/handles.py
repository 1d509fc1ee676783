"""Handles of what was staged: a thread, a run, a listing."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from conformance.dialect import in_url
from conformance.outcomes import Untested
from conformance.states import ALL, FINAL
from conformance.states.lists import Listed, Steps, in_query
from conformance.states.waits import next_interval
from conformance.wire.calls import calls_in
from conformance.wire.exchange import JSON_TYPE, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.client import CancelForm, Client
    from conformance.states.waits import Waits

NOT_FOUND: Final = 404
REFUSED_KEY: Final = frozenset({401, 403})
#: Seconds after its expires_at by which a target that sweeps now and then has noticed that a run expired.
GRACE: Final = 30.0
#: In Unix seconds; what is later is no time, and may be more than a float can hold.
_LATEST: Final = 10**11

#: The bodies that clients send with a cancel: a JSON content type with nothing behind it (OpenAI's Python library),
#: no content type at all (its Node and Ruby libraries, Azure's), an empty object (hand-written clients).
CANCEL_FORMS: dict[CancelForm, dict[str, Any]] = {
    "json": {"content": b"", "content_type": JSON_TYPE},
    "bare": {"content": b"", "content_type": None},
    "object": {"json": {}},
}

#: The same in words.
FORM_NAMES: dict[CancelForm, str] = {
    "json": "as JSON with an empty body",
    "bare": "without a content type",
    "object": "with an empty object",
}


@dataclass
class Thread(Listed):
    """A thread on the target."""

    client: Client
    id: str
    what: ClassVar[str] = "runs"

    def list(self, **query: object) -> Exchange:
        """List its runs; keyword arguments are query parameters."""
        return self.client.call("list_runs", thread_id=self.id, query=in_query(query))

    def messages(self, order: str = "") -> Exchange:
        """List its messages, at most a hundred, in the order that is asked for."""
        ordered = [("order", order)] if order else []
        return self.client.call("list_messages", thread_id=self.id, query=[("limit", "100"), *ordered])

    def add_message(self, text: str, *, role: str = "user") -> Exchange:
        """Add a message, of the user unless told otherwise."""
        return self.client.call("create_message", thread_id=self.id, json={"role": role, "content": text})


@dataclass
class Run:
    """A run on the target, and the exchange that showed it in the state it was staged in."""

    client: Client
    waits: Waits
    seen: Exchange

    @property
    def body(self) -> dict[str, Any]:
        """The run as it was staged."""
        return run_of(self.seen)

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.body["id"])

    @property
    def thread_id(self) -> str:
        """The thread through which it is reached."""
        return self.seen.ids.get("thread_id") or str(self.body.get("thread_id"))  # a run that came with its thread

    @property
    def thread(self) -> Thread:
        """The thread through which it is reached."""
        return Thread(self.client, self.thread_id)

    @property
    def steps(self) -> Steps:
        """Its steps."""
        return Steps(self._call)

    def retrieve(self) -> Exchange:
        """Read it."""
        return self._call("retrieve_run")

    def cancel(self, form: CancelForm | None = None) -> Exchange:
        """Ask for it to be cancelled, in one of the forms that clients use, or in one that the target takes."""
        return self._call("cancel_run", **CANCEL_FORMS[form or self.client.cancel_form])

    def modify(self, metadata: dict[str, str]) -> Exchange:
        """Replace its metadata."""
        return self._call("modify_run", json={"metadata": metadata})

    def modify_by(self, body: object) -> Exchange:
        """Modify it by any JSON, which is sent as most clients do: in UTF-8, and nothing escaped."""
        content = json.dumps(body, ensure_ascii=False).encode()
        return self._call("modify_run", content=content, content_type=JSON_TYPE)

    def submit(self, outputs: dict[str, str] | None = None) -> Exchange:
        """Submit tool outputs, by tool call id; by default an output for every call that it was staged with."""
        if outputs is None:
            outputs = dict.fromkeys(self.tool_call_ids(), "42")
        listed = [{"tool_call_id": call, "output": output} for call, output in outputs.items()]
        return self.submit_body({"tool_outputs": listed})

    def submit_body(self, body: object, content_type: str = JSON_TYPE) -> Exchange:
        """Submit whatever it is: bytes as they are, under the name of a content type, anything else as JSON."""
        how = {"content": body, "content_type": content_type} if isinstance(body, bytes) else {"json": body}
        return self._call("submit_tool_outputs", **how)

    def tool_call_ids(self) -> Sequence[str]:
        """The ids of the tool calls that it was staged with; an invented one where it asked for none."""
        return calls_of(self.body) or ["call_conformance"]

    @property
    def waits_for_outputs(self) -> bool:
        """Whether it was staged with tool calls that have ids."""
        return bool(calls_of(self.body))

    def settle(self, wait: str = "finish") -> Exchange:
        """
        Read it until it is in a final state.

        Raises:
            Untested: it did not come to rest within the budget of the named wait.
        """
        return self.until(lambda run: run.get("status") in FINAL, wait, "came to rest")

    def pause(self, wait: str, *, since: Exchange | None = None) -> None:
        """Let the budget of the named wait pass, from now or since an exchange ended."""
        seconds = self.waits.budget(wait)
        if since is None:
            self.client.wait(seconds, wait)
        else:
            self.client.wait_since(since, seconds, wait)

    def outlive(self) -> Exchange:
        """
        Let time pass until it is over its own expires_at, and read it.

        Raises:
            Untested: it has none, or one beyond the budget of the wait.
        """
        seen, budget = self.retrieve(), self.waits.budget("expiry")
        expires_at = run_of(seen).get("expires_at")
        if not isinstance(expires_at, int) or expires_at > _LATEST:
            raise Untested(f"it has no expires_at: {seen}")
        if expires_at < seen.ended:
            raise Untested(f"its expires_at is long past, which RUN-INV-023 is about: {seen}")
        remaining = expires_at - seen.ended
        if remaining + GRACE > budget:
            needed = f"{remaining + GRACE:.0f} s of the wait named expiry"
            raise Untested(f"it expires in {remaining:.0f} s, which takes {needed}; it has {budget:g} s")
        self.client.wait(remaining - GRACE, "expiry")
        early = self.retrieve()  # the invariants judge whether it expired before its time
        self.client.wait(expires_at + GRACE - early.ended, "expiry")
        return self.retrieve()

    def until(
        self, holds: Callable[[dict[str, Any]], bool], wait: str, what: str, *, within: float = math.inf
    ) -> Exchange:
        """
        Read it until something holds.

        Args:
            holds: Decides on the run's JSON.
            wait: The name of the wait, which has the budget.
            what: Ends the sentence "the run never ...".
            within: Seconds that are enough, if they are less than the budget.

        Raises:
            Untested: it never held within the budget.
        """
        budget = min(within, self.waits.budget(wait))
        reply = self.retrieve()
        started, interval = reply.at, 0.0
        while self._is_late(reply, started) or not holds(self.itself(reply)):
            self._see_it_move(reply, started)
            if reply.ended - started > budget:
                raise Untested(f"the run never {what} within {budget:g} s: {reply}")
            hint = reply.response.headers.get("openai-poll-after-ms")
            interval = next_interval(wait, interval, reply.ended - started, hint)
            self.client.wait(interval, wait)
            reply = self.retrieve()
        return reply

    def _see_it_move(self, reply: Exchange, since: float) -> None:
        """A run that never leaves the queue gets nowhere, and one of unknown status nobody knows where."""
        status = reply.json.get("status") if reply.succeeded and isinstance(reply.json, dict) else None
        if reply.succeeded and status not in ALL and reply.ended - since > self.waits.in_limbo():
            self.waits.limbo_is_endless()
            raise Untested(f"the run has no documented status, which RUN-SCHEMA-009 is about: {reply}")
        if status in ALL and status != "queued":
            self.waits.queue_moves()
        elif status == "queued" and reply.ended - since > self.waits.in_queue():
            self.waits.queue_is_stuck()
            raise Untested(f"the run never left the queue within {reply.ended - since:.0f} s: {reply}")

    def _is_late(self, reply: Exchange, since: float) -> bool:
        """Whether it may only not be found yet; whether it should be is another requirement's business."""
        return reply.status == NOT_FOUND and reply.ended - since <= self.waits.budget("appear")

    def itself(self, reply: Exchange) -> dict[str, Any]:
        """
        The run in a reply that should show it.

        Raises:
            Untested: it shows none, or another one.
        """
        run = run_of(reply)
        if run["id"] != self.id:
            raise Untested(f"run {self.id} was asked for, and {reply} shows {run['id']}")
        return run

    def _call(self, operation: str, **options: Any) -> Exchange:
        reply = self.client.call(operation, thread_id=self.thread_id, run_id=self.id, **options)
        if reply.status in REFUSED_KEY and "key" not in options:
            raise Untested(f"the key was refused, which RUN-AUTH-001 is about: {reply}")
        return reply


@dataclass(frozen=True)
class Listing:
    """A thread with finished runs, oldest first."""

    thread: Thread
    runs: tuple[Run, ...]


def run_of(reply: Exchange) -> dict[str, Any]:
    """The run in a successful reply; another requirement owns a reply without one, hence `Untested`."""
    run = reply.json
    if reply.succeeded and isinstance(run, dict) and isinstance(run.get("id"), str) and run["id"]:
        return run
    raise Untested(f"{reply} returned no run")


def calls_of(run: dict[str, Any]) -> Sequence[str]:
    """The ids of the tool calls that a run waits for."""
    calls = calls_in(run)
    return [str(call["id"]) for call in calls] if all("id" in call for call in calls) else []


def id_of(reply: Exchange, what: str) -> str:
    """The id of something that a set-up created; without it the set-up broke off."""
    body = reply.json
    if reply.succeeded and isinstance(body, dict) and isinstance(body.get("id"), str):
        in_url(body["id"])  # or nothing can be done with it
        return str(body["id"])
    raise Untested(f"the set-up could not create {what}: {reply}")
