"""A server that keeps nothing: any id names something, and whatever has the right types gets a whole answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference import validate
from conformance.reference.errors import Refusal
from conformance.reference.operations import Operations
from conformance.reference.pages import integer_of, page
from conformance.reference.runs import Pace, Run
from conformance.reference.settings import settings_of
from conformance.reference.store import Message, Thread, assistant_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.reference.calls import Answer, Call

#: What is asked where nobody asked anything.
_QUESTION = {"role": "user", "content": "Hello."}
#: What every assistant is; runs take its instructions, which strict clients expect to be a text.
_ASSISTANT = {"model": "gpt-4o", "instructions": "Be brief."}
#: Seconds since a run was created that is read; by then it has completed, whatever the pace.
_AGE = 60.0
#: How long the runs take that nobody created.
_PACE = Pace()


class Stateless(Operations):
    """Answers as a mock does: for any ids, and any key, without a memory."""

    #: It never waits in the middle of a request.
    is_prompt = True

    def admit(self, headers: Mapping[str, str], operation: str) -> None:
        """Let everybody in who has a key."""
        try:
            super().admit(headers, operation)
        except Refusal as refusal:
            if refusal.code != "invalid_api_key":
                raise

    def sent(self, answer: Answer, call: Call) -> Answer:
        """Forget what the request has brought about."""
        self._store.assistants.clear()
        self._store.threads.clear()
        return super().sent(answer, call)

    def list_assistants(self, call: Call) -> dict[str, Any]:
        """List one."""
        self._assistant(self._ids.new("asst", call.scope))
        return super().list_assistants(call)

    def cancel_run(self, call: Call) -> dict[str, Any]:
        """Cancel a run that is at work, whatever it was before."""
        call.json(validate.cancel_run, optional=True)
        run = self._at_work(call)
        run.cancel(call.now)
        return self.shown(run, call)

    def submit_tool_outputs(self, call: Call) -> dict[str, Any]:
        """Resume a run that waits for just these outputs."""
        body = call.json(validate.submit_anything)
        run = self._at_work(call)
        if body.get("stream"):
            call.stories.append(self._story(run, call))
        run.resume(call.now, {each.get("tool_call_id", ""): each.get("output", "") for each in body["tool_outputs"]})
        return self.shown(run, call)

    def retrieve_run_step(self, call: Call) -> dict[str, Any]:
        """Show the step in which a run wrote its answer, under the id that was asked for."""
        run = self._run(call)
        run.step_ids = (call.ids["step_id"], run.step_ids[1])
        return super().retrieve_run_step(replace(call, ids={**call.ids, "run_id": run.id}))

    def _page(self, items: Sequence[Mapping[str, Any]], call: Call, what: str) -> dict[str, Any]:
        """The whole list: no cursor is known, and no limit is out of range."""
        for name, value in call.query:
            if name == "limit":
                integer_of(value)
        return page(items, [(name, value) for name, value in call.query if name == "order"], what)

    def _assigned(self, id: str) -> dict[str, Any]:
        return self._assistant(id)

    def _assistant(self, id: str) -> dict[str, Any]:
        return self._store.assistants.setdefault(id, assistant_of(id, 0, _ASSISTANT))

    def _thread(self, call: Call) -> Thread:
        """A thread with a question on it, and with the run that the path names, or one."""
        id = call.ids["thread_id"]
        if id not in self._store.threads:
            thread = Thread(id, call.scope, call.now - _AGE, {})
            self._write(thread, _QUESTION, replace(call, now=thread.created))
            self._store.threads[id] = thread
            if call.operation != "create_run":
                run = self._old(call.ids.get("run_id") or self._ids.new("run", call.scope), call)
                thread.runs[run.id] = run
        return self._store.threads[id]

    def _message(self, call: Call) -> Message:
        """The question, under the id that was asked for."""
        id, thread = call.ids["message_id"], self._thread(call)
        return replace(thread.written[0], id=id, metadata=thread.changed.get(id, {}))

    def _new_thread(self, body: Mapping[str, Any], call: Call) -> Thread:
        asked = {"messages": [_QUESTION]} if call.operation == "create_thread_and_run" else {}
        return super()._new_thread({**asked, **body}, call)

    def _old(self, id: str, call: Call) -> Run:
        """A run that was created a while ago."""
        new = self._ids.new
        return Run(
            id=id,
            thread_id=call.ids["thread_id"],
            assistant_id=new("asst", call.scope),
            created=call.now - _AGE,
            settings=settings_of({}, assistant_of("", 0, _ASSISTANT)),
            prompt=_QUESTION["content"],
            message_id=new("msg", call.scope),
            call_id=new("call", call.scope),
            step_ids=(new("step", call.scope), new("step", call.scope)),
            pace=_PACE,
            metadata={},
        )

    def _at_work(self, call: Call) -> Run:
        """The same run, before it had completed."""
        run = self._run(call)
        run.plan = [event for event in run.plan if event.status in {"queued", "in_progress"}]
        return run
