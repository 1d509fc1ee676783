"""Journals as a session with a faithful server leaves them, and small ways to spoil them."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

from conformance.invariants import invariants
from conformance.invariants.evidence import Evidence
from conformance.wire.exchange import Exchange, Request, Response
from conformance.wire.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.invariants import Judgement

T0 = 1_763_683_200
THREAD, RUN, ASSISTANT = "thread_abc", "run_abc", "asst_abc"

ADD = {"name": "add", "description": "Adds", "parameters": {"type": "object"}, "strict": False}
ACTION = {
    "type": "submit_tool_outputs",
    "submit_tool_outputs": {
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
            {"id": "call_2", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}},
        ]
    },
}
USAGE = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
ERROR = {"code": "server_error", "message": "Sorry, something went wrong."}

#: What sets a run in each state apart from one that waits in the queue.
_STATES: Mapping[str, Mapping[str, Any]] = {
    "queued": {},
    "in_progress": {"started_at": T0 + 2},
    "requires_action": {"started_at": T0 + 2, "required_action": ACTION},
    "cancelling": {"started_at": T0 + 2},
    "cancelled": {"started_at": T0 + 2, "expires_at": None, "cancelled_at": T0 + 9},
    "failed": {"started_at": T0 + 2, "expires_at": None, "failed_at": T0 + 9, "last_error": ERROR, "usage": USAGE},
    "completed": {"started_at": T0 + 2, "expires_at": None, "completed_at": T0 + 9, "usage": USAGE},
    "incomplete": {
        "started_at": T0 + 2,
        "expires_at": None,
        "completed_at": T0 + 9,
        "incomplete_details": {"reason": "max_completion_tokens"},
        "usage": USAGE,
    },
    "expired": {"started_at": T0 + 2, "expires_at": T0 + 600},
}


def run(status: str = "completed", **members: Any) -> dict[str, Any]:
    """A faithful run with something in every member that may hold something."""
    bare = {
        "id": RUN,
        "object": "thread.run",
        "created_at": T0,
        "thread_id": THREAD,
        "assistant_id": ASSISTANT,
        "status": status,
        "required_action": None,
        "last_error": None,
        "expires_at": T0 + 600,
        "started_at": None,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "incomplete_details": None,
        "model": "gpt-4o",
        "instructions": "Be brief.",
        "tools": [
            {"type": "code_interpreter"},
            {"type": "file_search", "file_search": {"max_num_results": 5, "ranking_options": {"score_threshold": 0.5}}},
            {"type": "function", "function": ADD},
        ],
        "metadata": {"ticket": "17"},
        "usage": None,
        "temperature": 1.0,
        "top_p": 1.0,
        "max_prompt_tokens": 500,
        "max_completion_tokens": 500,
        "truncation_strategy": {"type": "last_messages", "last_messages": 5},
        "tool_choice": {"type": "function", "function": {"name": "add"}},
        "parallel_tool_calls": True,
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}},
    }
    return deepcopy({**bare, **_STATES[status], **members})


def page_of(*runs: dict[str, Any], has_more: bool = False) -> dict[str, Any]:
    """A faithful page."""
    ends = {"first_id": runs[0]["id"] if runs else None, "last_id": runs[-1]["id"] if runs else None}
    return {"object": "list", "data": deepcopy(list(runs)), **ends, "has_more": has_more}


def error_of(kind: str = "invalid_request_error", code: str | None = None) -> dict[str, Any]:
    """A faithful error body."""
    return {"error": {"message": "No.", "type": kind, "param": None, "code": code}}


@dataclass
class Told:
    """One exchange to be; it follows the one before it in ten seconds, unless it says when it was."""

    operation: str
    body: Any
    status: int = 200
    run_id: str = RUN
    thread_id: str = THREAD
    query: tuple[tuple[str, str], ...] = ()
    asked: Any = None
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    sent: dict[str, str] = field(
        default_factory=lambda: {"authorization": "[redacted]", "openai-beta": "assistants=v2"}
    )
    at: float | None = None
    duration: float = 0.5
    scope: str = "story"
    #: Another method than the operation's.
    method: str = ""
    #: In what pieces a stream came, and why it did not come to its end.
    pieces: tuple[tuple[int, float], ...] = ()
    cut: str = ""

    def exchange(self, number: int) -> Exchange:
        """As the journal keeps it."""
        called = OPERATIONS[self.operation]
        path = "/v1" + called.path.format(
            thread_id=self.thread_id, run_id=self.run_id, step_id="step_abc", assistant_id=ASSISTANT
        )
        asked = b"" if self.asked is None else json.dumps(self.asked).encode()
        sent = {**self.sent, "content-type": "application/json"} if asked else self.sent
        at = T0 + 10 * (number - 1) if self.at is None else self.at
        response = Response(self.status, self.headers, _encoded(self.body), self.pieces, self.cut)
        return Exchange(
            number,
            self.scope,
            Request(self.method or called.method, path, self.query, sent, asked),
            response,
            at,
            self.duration,
        )


class Events(list[tuple[str, Any]]):
    """A body that is a stream: names and data; a text stands for itself."""


def _frame(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {data if isinstance(data, str) else json.dumps(data)}\n\n"


def _encoded(body: Any) -> bytes:
    if isinstance(body, Events):
        return "".join(_frame(*event) for event in body).encode()
    # No JSON text has an infinity, but one can have a number that is read as one.
    return body if isinstance(body, bytes) else json.dumps(body).replace("Infinity", "1e999").encode()


Story = list[Told]


def evidence(story: Story) -> Evidence:
    """What a session saw that had these exchanges."""
    return Evidence(told.exchange(number) for number, told in enumerate(story, 1))


def judgements(story: Story) -> dict[str, Judgement]:
    """What every invariant says, by its name."""
    seen = evidence(story)
    return {each.name: each.judge(seen) for each in invariants()}


def broken(story: Story) -> set[str]:
    """The ids of all requirements that a story breaks."""
    seen = evidence(story)
    return {each.requirement for each in invariants() if each.judge(seen).violations}


# Single exchanges


def created(**members: Any) -> Told:
    """A run is created."""
    return Told("create_run", run("queued", **members), asked={"assistant_id": ASSISTANT})


def read(status: str = "completed", **members: Any) -> Told:
    """A run is read."""
    return Told("retrieve_run", run(status, **members))


def cancel(status: str = "cancelling", **members: Any) -> Told:
    """A cancel is accepted."""
    return Told("cancel_run", run(status, **members))


def submit(status: str = "queued", **members: Any) -> Told:
    """Outputs of tools are accepted; a run that is queued again keeps its start."""
    outputs = [{"tool_call_id": id, "output": "3"} for id in ("call_1", "call_2")]
    return Told(
        "submit_tool_outputs", run(status, **{"started_at": T0 + 2, **members}), asked={"tool_outputs": outputs}
    )


def modify(status: str = "completed", **members: Any) -> Told:
    """Metadata are replaced."""
    body = run(status, **members)
    return Told("modify_run", body, asked={"metadata": body["metadata"]})


def listed(*runs: dict[str, Any], has_more: bool = False, **query: str) -> Told:
    """Runs are listed."""
    return Told("list_runs", page_of(*runs, has_more=has_more), query=tuple(query.items()))


def refused(operation: str = "retrieve_run", status: int = 400, **error: Any) -> Told:
    """A request is refused."""
    return Told(operation, error_of(**error), status)


def thread() -> Told:
    """A thread is made."""
    return Told("create_thread", {"id": THREAD, "object": "thread", "created_at": T0}, asked={})


# Ways to spoil a story; each spoils its last exchange unless told otherwise


def put(path: str, value: Any, at: int = -1) -> Callable[[Story], None]:
    """Give a member of a body another value."""

    def change(story: Story) -> None:
        holder, last = _place(story[at].body, path)
        holder[last] = value

    return change


def drop(path: str, at: int = -1) -> Callable[[Story], None]:
    """Take a member out of a body."""

    def change(story: Story) -> None:
        holder, last = _place(story[at].body, path)
        del holder[last]

    return change


def told(at: int = -1, **other: Any) -> Callable[[Story], None]:
    """Tell an exchange in another way."""

    def change(story: Story) -> None:
        for name, value in other.items():
            setattr(story[at], name, value)

    return change


def header(name: str, value: str, at: int = -1) -> Callable[[Story], None]:
    """Send a response header."""
    return lambda story: story[at].headers.update({name: value})


def _place(body: Any, path: str) -> tuple[Any, Any]:
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    return reduce(lambda value, step: value[step], way, body), last


@dataclass(frozen=True)
class Defect:
    """A faithful story, what spoils it, and words that the violation must have."""

    story: Callable[[], Story]
    change: Callable[[Story], None]
    expected: str
    actual: str


@dataclass(frozen=True)
class Finding:
    """A story, and what an invariant that judges nobody notes about it; None if it has nothing to say."""

    story: Callable[[], Story]
    note: str | None
