"""What a right server may do, whatever it was asked, breaks nothing; what it is asked wrongly is not its fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.defects.steps import calls, step, steps
from support.journals import (
    ASSISTANT,
    T0,
    THREAD,
    USAGE,
    Told,
    broken,
    created,
    error_of,
    judgements,
    listed,
    modify,
    page_of,
    read,
    refused,
    run,
    submit,
    thread,
)

if TYPE_CHECKING:
    from support.journals import Story

ASKED = {"assistant_id": ASSISTANT}


def crashed(operation: str, **how: Any) -> Told:
    """A request that was answered with 500, in the documented form."""
    return Told(operation, error_of("server_error"), 500, **how)


def _two_threads() -> Story:
    other = Told("create_thread", {"id": "thread_two", "object": "thread"}, asked={})
    return [thread(), other, created()]


DAY = 86_400
#: What a server says that is a day ahead of the session's clock.
DATED = {"content-type": "application/json", "date": "Fri, 21 Nov 2025 00:00:00 GMT"}


def _dated(*story: Told, every: float) -> Story:
    """The same, with so many seconds between one exchange and the next."""
    for number, each in enumerate(story):
        each.at, each.duration = T0 + every * number, 0.1
    return [*story]


DELETED = Told("delete_thread", {"id": THREAD, "deleted": True})
OLD, NEW = run(id="run_old"), run(id="run_new", created_at=T0 + 1)

WRONGLY_ASKED = {
    "a thread that the target never made": [thread(), created(), crashed("list_runs", thread_id="thread_no")],
    "a run that the target never made": [thread(), created(), crashed("retrieve_run", run_id="run_no")],
    "a run of another thread": [*_two_threads(), crashed("retrieve_run", thread_id="thread_two")],
    "a thread that was deleted": [thread(), created(), DELETED, crashed("retrieve_run")],
    "a wrong key": [thread(), created(), crashed("retrieve_run", sent={"authorization": "Bearer wrong"})],
    "no key, where others have one": [thread(), created(), crashed("retrieve_run", sent={})],
    "no limit that there is": [thread(), created(), crashed("list_runs", query=(("limit", "101"),))],
    "two limits": [thread(), created(), crashed("list_runs", query=(("limit", "1"), ("limit", "2")))],
    "no order that there is": [thread(), created(), crashed("list_runs", query=(("order", "up"),))],
    "a parameter that nobody knows": [thread(), created(), crashed("list_runs", query=(("page", "2"),))],
    "a cursor": [thread(), created(), crashed("list_runs", query=(("after", "run_no"),))],
    "an assistant that the target never made": [
        thread(),
        created(),
        crashed("create_run", asked={"assistant_id": "asst_no"}),
    ],
    "a temperature that there is not": [thread(), created(), crashed("create_run", asked={**ASKED, "temperature": 3})],
    "metadata that are too long": [thread(), created(), crashed("modify_run", asked={"metadata": {"a": "b" * 513}})],
    "outputs without ids": [thread(), created(), crashed("submit_tool_outputs", asked={"tool_outputs": [{}]})],
    "a cancel, which has rows of its own": [thread(), created(), crashed("cancel_run")],
    "a body that is no object": [thread(), created(), crashed("create_run", asked=[])],
}

RIGHTLY_ASKED = {
    "create": [thread(), created(), crashed("create_run", asked=ASKED)],
    "retrieve": [thread(), created(), crashed("retrieve_run")],
    "list": [thread(), created(), crashed("list_runs", query=(("limit", "1"), ("order", "desc")))],
    "modify": [thread(), created(), crashed("modify_run", asked={"metadata": {"a": "b"}})],
    "submit": [
        thread(),
        created(),
        crashed("submit_tool_outputs", asked={"tool_outputs": [{"tool_call_id": "call_1", "output": "3"}]}),
    ],
    "another form of key": [
        Told("create_thread", {"id": THREAD}, asked={}, sent={"api-key": "[redacted]"}),
        Told("create_run", run("queued"), asked=ASKED, sent={"api-key": "[redacted]"}),
        crashed("retrieve_run", sent={"api-key": "[redacted]"}),
    ],
    "no key at all": [
        Told("create_thread", {"id": THREAD}, asked={}, sent={}),
        Told("create_run", run("queued"), asked=ASKED, sent={}),
        crashed("retrieve_run", sent={}),
    ],
}

FREE = {
    "steps of any age, with members of their own": [
        steps(step(metadata=None, expired_at=None), step(id="step_two", created_at=T0, usage=USAGE, colour="red"))
    ],
    "a step that waits, and one without calls yet": [
        read("requires_action"),
        steps(step("in_progress", calls(None)), step("in_progress", calls(None) | {"tool_calls": []}, id="step_two")),
    ],
    "an output that was submitted": [
        read("requires_action"),
        submit(),
        steps(step("completed", calls("3"))),
    ],
    "a tool of the service's own": [
        Told(
            "retrieve_step",
            step(details={"type": "tool_calls", "tool_calls": [{"id": "call_9", "type": "file_search"}]}),
        )
    ],
    "a step of another run": [
        read(),
        read(id="run_two"),
        Told("list_steps", page_of(step())),
        Told("retrieve_step", step(), run_id="run_two"),
        Told("list_steps", page_of(step()), thread_id="thread_two"),
    ],
    "an expiry that stays": [Told("retrieve_step", step(expires_at=T0 + 600))],
    "a stream that was asked for": [
        Told(
            "create_run",
            b"event: done\ndata: [DONE]\n\n",
            headers={"content-type": "text/event-stream"},
            asked={**ASKED, "stream": True},
        )
    ],
    "a content type with a character set": [
        Told("retrieve_run", run(), headers={"content-type": "Application/JSON;x=y"})
    ],
    "a date that is none": [
        Told("create_run", run("queued"), asked=ASKED, headers={"content-type": "application/json", "date": "today"})
    ],
    "members of its own": [read(reasoning_effort="low", tool_resources=None)],
    "a run that says the least": [
        read(
            instructions=None,
            tools=[],
            metadata=None,
            max_prompt_tokens=None,
            max_completion_tokens=None,
            truncation_strategy=None,
            tool_choice=None,
            response_format=None,
            temperature=None,
            top_p=None,
        )
    ],
    "an incomplete run with and without the time of its end": [
        read("incomplete", id="run_one"),
        read("incomplete", id="run_two", completed_at=None),
    ],
    "an order that was not asked for": [listed(OLD, NEW), listed(NEW, OLD, order="up")],
    "runs of one second in either order": [
        listed(run(id="run_a"), run(id="run_b"), order="asc"),
        listed(run(id="run_b"), run(id="run_a"), order="asc"),
    ],
    "a walk that ends with an empty page": [
        listed(NEW, limit="1", has_more=True),
        listed(OLD, limit="1", after="run_new", has_more=True),
        listed(limit="1", after="run_old"),
    ],
    "the same walk twice": [
        listed(NEW, limit="1", has_more=True),
        listed(OLD, limit="1", after="run_new"),
        listed(NEW, limit="1", has_more=True),
        listed(OLD, limit="1", after="run_new"),
    ],
    "a page of a walk asked for again": [
        listed(NEW, limit="1", has_more=True),
        listed(OLD, limit="1", after="run_new"),
        listed(OLD, limit="1", after="run_new"),
    ],
    "walks back and forth": [
        listed(NEW, limit="1", order="desc", has_more=True),
        listed(OLD, limit="1", order="desc", after="run_new"),
        listed(OLD, limit="1", order="asc", has_more=True),
        listed(NEW, limit="1", order="asc", after="run_old"),
    ],
    "a limit that is refused": [refused("list_runs"), listed(*(run(id=f"run_{n}") for n in range(20)))],
    "a limit that is not, with more runs than usual": [listed(*(run(id=f"run_{n}") for n in range(40)), limit="0")],
    "the head of a reply, which has no body": [Told("retrieve_run", b"", 405, method="HEAD")],
    "a page for what is no path of the API": [
        Told("create_thread", b"<h1>Not Found</h1>", 404, headers={"content-type": "text/html"}, method="PUT")
    ],
    "a run that is there only after a while": [
        *_dated(thread(), created(), refused(status=404), read("in_progress"), refused(status=404), every=0.5)
    ],
    "a run of a deleted thread": [thread(), created(), read("in_progress"), DELETED, refused(status=404)],
    "a clock that is a day ahead, as it says": [
        Told("create_run", run("queued"), asked=ASKED, at=T0 - DAY, headers=DATED),
        Told("retrieve_run", run("in_progress"), at=T0 - DAY + 5),
    ],
    "a creation that took a while": [
        Told("create_run", run("completed", tool_choice="auto"), asked=ASKED, at=T0 - 1, duration=9)
    ],
    "an expiry that is put off by outputs": [
        read("requires_action"),
        submit(expires_at=T0 + 700),
        read("in_progress", expires_at=T0 + 700),
    ],
    "a run that expires when it said, and is swept up later": [
        created(tool_choice="auto"),
        Told("retrieve_run", run("expired", tool_choice="auto"), at=T0 + 700),
    ],
    "numbers that are written with and without a fraction": [
        created(temperature=1, top_p=1.0),
        read("in_progress", temperature=1.0, top_p=1),
    ],
    "a wrong key, refused in a form of its own": [Told("retrieve_run", {"message": "no"}, 401)],
}


@pytest.mark.parametrize("story", WRONGLY_ASKED.values(), ids=WRONGLY_ASKED)
def test_a_crash_is_not_counted_where_the_request_was_wrong(story: Story) -> None:
    assert "RUN-ERR-011" not in broken(story)


@pytest.mark.parametrize("story", RIGHTLY_ASKED.values(), ids=RIGHTLY_ASKED)
def test_a_crash_is_counted_where_nothing_was_wrong(story: Story) -> None:
    assert broken(story) == {"RUN-ERR-011"}


@pytest.mark.parametrize("story", FREE.values(), ids=FREE)
def test_what_a_server_may_do_breaks_nothing(story: Story) -> None:
    assert broken(story) == set()


@pytest.mark.parametrize("status", [401, 403])
def test_an_error_for_a_key_is_another_row(status: int) -> None:
    said = judgements([refused(status=status), submit(), modify()])

    assert not said["errors_have_the_envelope"].measured
