"""The operations, each from a routed call to the object that it returns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference import validate
from conformance.reference.errors import Refusal, invalid, not_found
from conformance.reference.runs import Run
from conformance.reference.settings import settings_of
from conformance.reference.steps import steps_of
from conformance.reference.streams import Story, framed
from conformance.reference.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from conformance.reference.calls import Answer, Call
    from conformance.reference.ids import Ids
    from conformance.reference.runs import Pace
    from conformance.reference.steps import Step
    from conformance.reference.store import Store, Thread

#: The states in which a run can be cancelled, by policy.
CANCELLABLE = {
    "documented": {"in_progress"},
    "strict": {"in_progress"},
    "observed": {"in_progress", "queued", "requires_action"},
}


_CHALLENGE = {"www-authenticate": 'Bearer realm="OpenAI API"'}
#: Seconds between the last moment that a stream does not tell and the first that it does.
_JUST_BEFORE = 0.001
#: Only of keys longer than this are the ends shown in a refusal.
_SHORT_KEY = 12


class Operations(Surroundings):
    """The runs and their steps, on what surrounds them."""

    def __init__(
        self, store: Store, ids: Ids, pace: Pace, cancel_policy: str, keys: Collection[str] = frozenset()
    ) -> None:
        self._store, self._ids, self._pace, self._keys = store, ids, pace, keys
        self._cancellable = CANCELLABLE[cancel_policy]

    # what every operation goes through

    def admit(self, headers: Mapping[str, str], operation: str) -> None:  # noqa: ARG002 - what a fault may look at
        """Let nobody in without a key that is known, whatever is to be done."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Refusal("An API key is needed, as a Bearer token.", status=401, headers=_CHALLENGE)
        if key not in self._keys:
            shown = f"{key[:3]}...{key[-2:]}" if len(key) > _SHORT_KEY else "..."
            raise Refusal(f"The API key {shown} is not known.", status=401, code="invalid_api_key", headers=_CHALLENGE)

    def need_beta(self, headers: Mapping[str, str]) -> None:
        """Insist on the header that every client sends."""
        if "assistants=v2" not in [each.strip() for each in headers.get("openai-beta", "").split(",")]:
            raise Refusal("The header 'OpenAI-Beta: assistants=v2' is needed.", code="invalid_beta")

    def shown(self, run: Run, call: Call) -> dict[str, Any]:
        """The run as a reply shows it, by itself or in a list."""
        return run.view(call.now)

    def sent(self, answer: Answer, call: Call) -> Answer:  # noqa: ARG002 - what a fault may look at
        """The answer as it leaves the server."""
        return answer

    def narrated(self, name: str, data: Any, run: Run) -> list[tuple[str, Any]]:  # noqa: ARG002 - what a fault may look at
        """What a stream says of what happens to a run, as the names of events and their data."""
        return [(name, data)]

    def left(self, run: Run, now: float) -> None:
        """Learn that nobody listens to the stream of a run any more."""

    def framed(self, name: str, data: Any) -> bytes:
        """An event as it travels."""
        return framed(name, data)

    # runs

    def create_run(self, call: Call) -> dict[str, Any]:
        """Create a run, unless another one locks the thread."""
        thread = self._thread(call)
        return self._begin(thread, call.json(validate.create_run), call)

    def create_thread_and_run(self, call: Call) -> dict[str, Any]:
        """Create a thread and a run on it, or nothing at all."""
        body = call.json(validate.create_thread_and_run)
        thread = self._new_thread(body.get("thread", {}), call)
        told = self._begin(thread, body, call)
        self._store.threads[thread.id] = thread
        for story in call.stories:
            story.begin_with("thread.created", thread.view())
        return told

    def _begin(self, thread: Thread, body: Mapping[str, Any], call: Call) -> dict[str, Any]:
        assistant = self._assigned(body["assistant_id"])
        settings = settings_of(body, assistant)
        if settings["model"] == "reference-rate-limited":
            raise Refusal(
                "Too many requests.",
                status=429,
                kind="requests",
                code="rate_limit_exceeded",
                headers={"retry-after": "1"},
            )
        if active := thread.active(call.now):
            raise Refusal(f"Thread {thread.id} already has an active run {active.id}.")
        if not (settings["instructions"] or thread.written or body.get("additional_messages")):
            raise Refusal("A run needs a user message on its thread, or instructions.", code="invalid_thread")
        for message in body.get("additional_messages") or ():
            self._write(thread, message, call)
        run = Run(
            id=self._ids.new("run", call.scope),
            thread_id=thread.id,
            assistant_id=assistant["id"],
            created=call.now,
            settings=settings,
            prompt=next((message.text for message in reversed(thread.written) if message.role == "user"), ""),
            message_id=self._ids.new("msg", call.scope),
            call_id=self._ids.new("call", call.scope),
            step_ids=(self._ids.new("step", call.scope), self._ids.new("step", call.scope)),
            pace=self._pace,
            metadata=body.get("metadata") or {},
        )
        thread.runs[run.id] = run
        if body.get("stream"):
            call.stories.append(self._story(run, call))
        return self.shown(run, call)

    def list_runs(self, call: Call) -> dict[str, Any]:
        """List runs."""
        return self._page([self.shown(run, call) for run in self._thread(call).runs.values()], call, "run")

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        """Read a run."""
        return self.shown(self._run(call), call)

    def modify_run(self, call: Call) -> dict[str, Any]:
        """Replace the metadata of a run that has come to rest."""
        run = self._run(call)
        body = call.json(validate.modify_run, optional=True)
        if not run.is_final(call.now):
            raise Refusal(f"Cannot update run with status '{run.status(call.now)}'.")
        if body.get("metadata") is not None:
            run.metadata = body["metadata"]
        return self.shown(run, call)

    def cancel_run(self, call: Call) -> dict[str, Any]:
        """Begin to cancel a run, where the policy permits it."""
        run = self._run(call)
        call.json(validate.cancel_run, optional=True)
        if (status := run.status(call.now)) not in self._cancellable:
            raise Refusal(f"Cannot cancel run with status '{status}'.")
        run.cancel(call.now)
        return self.shown(run, call)

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        """Resume a run with the outputs of its functions, all of them."""
        run = self._run(call)
        body = call.json(validate.submit_outputs)
        if (status := run.status(call.now)) != "requires_action":
            raise Refusal(f'Runs in status "{status}" do not accept tool outputs.')
        given = [output["tool_call_id"] for output in body["tool_outputs"]]
        if sorted(given) != sorted(run.awaited()):
            raise Refusal(f"Expected tool outputs for call_ids {run.awaited()}, got {given}")
        if body.get("stream"):
            call.stories.append(self._story(run, call))
        run.resume(call.now, {output["tool_call_id"]: output["output"] for output in body["tool_outputs"]})
        return self.shown(run, call)

    # their steps

    def shown_step(self, step: Step, call: Call) -> dict[str, Any]:  # noqa: ARG002 - what a fault may look at
        """The step as a reply shows it, by itself or in a list."""
        return step.view()

    def list_run_steps(self, call: Call) -> dict[str, Any]:
        """List the steps of a run."""
        steps = steps_of(self._run(call), call.now)
        return self._page([self.shown_step(step, call) for step in steps], call, "run step")

    def retrieve_run_step(self, call: Call) -> dict[str, Any]:
        """Read a step."""
        run, id = self._run(call), call.ids["step_id"]
        step = next((step for step in steps_of(run, call.now) if step.id == id), None)
        if step is None:
            raise not_found("run step", id)
        return self.shown_step(step, call)

    def _story(self, run: Run, call: Call) -> Story:
        return Story(run, call.now - _JUST_BEFORE, lambda moment: self.shown(run, replace(call, now=moment)))

    def _assigned(self, id: str) -> dict[str, Any]:
        """The assistant that a run is to be carried out by."""
        if not id.startswith("asst_"):
            raise invalid("assistant_id", f"'{id}'. Expected an ID that begins with 'asst'.")
        return self._assistant(id)

    def _run(self, call: Call) -> Run:
        thread, id = self._thread(call), call.ids["run_id"]
        if id not in thread.runs:
            raise not_found("run", id)
        return thread.runs[id]
