"""For each invariant about what the members of a run say together, and over its life: defects that it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.journals import (
    ACTION,
    ERROR,
    T0,
    USAGE,
    Defect,
    Finding,
    cancel,
    created,
    drop,
    listed,
    modify,
    put,
    read,
    run,
    submit,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from support.journals import Story, Told

HOUR = 3600


def _in(status: str, **members: Any) -> Callable[[], Story]:
    return lambda: [read(status, **members)]


def _put(status: str, path: str, value: Any, expected: str, actual: str) -> Defect:
    return Defect(_in(status), put(path, value), expected, actual)


def _of_no_tool() -> Told:
    return created(tool_choice="auto")


def _soon(status: str) -> Callable[[], Story]:
    """A run that was created and cancelled, and is read ten seconds after its creation."""
    return lambda: [_of_no_tool(), *_cancel_if(status), timed(read(status, tool_choice="auto"), 10)]


def _cancel_if(status: str) -> Story:
    return [timed(cancel("cancelling", tool_choice="auto"), 9)] if status == "cancelled" else []


def _read_early(story: Story) -> None:
    timed(story[-1], 500)


def timed(told: Told, at: float) -> Told:
    """The same, sent so many seconds after the creation of the run."""
    told.at = T0 + at
    return told


def _pair() -> Story:
    return [listed(run("in_progress"), run(id="run_older", created_at=T0 - 60))]


RELATIONS: Mapping[str, Sequence[Defect | Finding]] = {
    "required_action_is_null_unless_required": [
        _put("completed", "required_action", ACTION, "null while completed", "submit_tool_outputs"),
        _put("in_progress", "required_action", ACTION, "null while in_progress", "submit_tool_outputs"),
    ],
    "required_action_is_set_when_required": [
        _put("requires_action", "required_action", None, "set once the run is requires_action", "null")
    ],
    "incomplete_details_is_null_unless_incomplete": [
        _put("completed", "incomplete_details", {"reason": "max_prompt_tokens"}, "null", "max_prompt_tokens"),
        _put("expired", "incomplete_details", {}, "null while expired", "{}"),
    ],
    "incomplete_run_has_a_reason": [
        _put("incomplete", "incomplete_details", None, "with a reason", "null"),
        _put("incomplete", "incomplete_details", {}, "with a reason", "{}"),
        _put("incomplete", "incomplete_details.reason", None, "with a reason", '{"reason": null}'),
    ],
    "failed_run_has_an_error": [_put("failed", "last_error", None, "last_error set", "null")],
    "error_belongs_to_a_failed_run": [_put("completed", "last_error", ERROR, "last_error null", "server_error")],
    "failed_run_has_failed_at": [_put("failed", "failed_at", None, "failed_at set", "null")],
    "failed_at_belongs_to_a_failed_run": [_put("completed", "failed_at", T0 + 9, "failed_at null", str(T0 + 9))],
    "cancelled_run_has_cancelled_at": [_put("cancelled", "cancelled_at", None, "cancelled_at set", "null")],
    "cancelled_at_belongs_to_a_cancelled_run": [
        _put("cancelling", "cancelled_at", T0 + 9, "null while cancelling", str(T0 + 9)),
        _put("completed", "cancelled_at", T0 + 9, "null while completed", str(T0 + 9)),
    ],
    "completed_run_has_completed_at": [_put("completed", "completed_at", None, "completed_at set", "null")],
    "completed_at_belongs_to_a_finished_run": [
        _put("failed", "completed_at", T0 + 9, "completed_at null while failed", str(T0 + 9))
    ],
    "active_run_has_no_end": [_put("in_progress", "completed_at", T0 + 9, "null while in_progress", str(T0 + 9))],
    "active_run_has_no_usage": [_put("in_progress", "usage", USAGE, "usage null", "total_tokens")],
    "completed_run_has_usage": [_put("completed", "usage", None, "usage set", "null")],
    "usage_of_a_run_without_result": [
        Finding(_in("failed"), "a run that is failed has usage with counts"),
        Finding(_in("expired"), "a run that is expired has usage null"),
        Finding(_in("failed", usage=dict.fromkeys(USAGE, 0)), "a run that is failed has usage of zero"),
    ],
    "total_tokens_is_the_sum": [_put("completed", "usage.total_tokens", 31, "20 + 10", "total_tokens 31")],
    "usage_keeps_the_limits": [
        _put("completed", "max_prompt_tokens", 19, "prompt_tokens at most 19", "prompt_tokens 20"),
        _put("incomplete", "max_completion_tokens", 9, "completion_tokens at most 9", "completion_tokens 10"),
    ],
    "started_after_creation": [_put("in_progress", "started_at", T0 - 1, "created_at not after", str(T0 - 1))],
    "ended_after_the_start": [
        _put("completed", "completed_at", T0 + 1, "started_at not after completed_at", str(T0 + 1)),
        _put("failed", "failed_at", T0 - 1, "started_at not after failed_at", str(T0 - 1)),
    ],
    "ended_after_creation": [
        Defect(lambda: [read("failed", started_at=None)], put("failed_at", T0 - 1), "created_at not after", str(T0 - 1))
    ],
    "expiry_lies_ahead": [_put("queued", "expires_at", T0, "expires_at after created_at", f"expires_at {T0}")],
    "active_run_expires": [_put("in_progress", "expires_at", None, "expires_at set", "null")],
    "expiry_of_a_final_run": [
        Finding(_in("completed"), "expires_at of a final run is null"),
        Finding(_in("expired"), "expires_at of a final run is kept"),
    ],
    "started_run_has_started_at": [
        _put(each, "started_at", None, f"started_at set once the run is {each}", "null")
        for each in ("in_progress", "requires_action", "completed", "incomplete")
    ],
    "new_run_has_not_started": [
        Defect(lambda: [created()], put("started_at", T0), "started_at null while queued", str(T0))
    ],
    "creation_is_now": [
        Defect(lambda: [created()], put("created_at", T0 - 2 * HOUR), "within 3600 s", "7200 s apart"),
        Defect(
            lambda: [created()],
            lambda story: story[0].headers.update(date="Fri, 21 Nov 2025 02:00:00 GMT"),
            "within 3600 s",
            "7200 s apart",
        ),
    ],
    "times_have_passed": [
        Defect(_soon("completed"), put("completed_at", T0 + HOUR), "completed_at at most 14 s", "completed_at 3600 s"),
        Defect(_soon("cancelled"), put("cancelled_at", T0 + 24 * HOUR), "cancelled_at at most", "cancelled_at 86400 s"),
        Defect(_soon("failed"), put("failed_at", T0 + 20), "failed_at at most 14 s", "failed_at 20 s after created_at"),
        Defect(_soon("in_progress"), put("started_at", T0 + 16), "started_at at most 14 s", "started_at 16 s after"),
    ],
    "expires_when_it_said": [
        Defect(
            lambda: [_of_no_tool(), timed(read("expired", tool_choice="auto"), 600)],
            _read_early,
            "600 s after created_at",
            "expired within 504 s",
        )
    ],
    "one_active_run": [
        Defect(_pair, put("data.1", run("in_progress", id="run_older")), "at most one", "active: run_abc, run_older")
    ],
}


def _cancelled() -> Story:
    return [read("in_progress"), cancel("cancelling"), read("cancelled")]


def _called() -> Story:
    return [created(), read("requires_action")]


def _at_once() -> Story:
    return [read("in_progress"), cancel("cancelled")]


def _ended(path: str, value: Any, actual: str) -> Defect:
    return Defect(_in("cancelled"), put(path, value), "null while cancelled", actual)


CANCELLING: Mapping[str, Sequence[Defect | Finding]] = {
    "reply_is_the_same_run": [
        Defect(_cancelled, put("id", "run_other", at=1), "id run_abc", "id run_other"),
        Defect(_cancelled, put("thread_id", "thread_other", at=1), "thread_id thread_abc", "thread_id thread_other"),
    ],
    "reply_keeps_the_identity": [
        Defect(_cancelled, put("assistant_id", "asst_other", at=1), 'assistant_id "asst_abc"', "asst_other"),
        Defect(_cancelled, put("created_at", T0 - 1, at=1), f"created_at {T0}", f"created_at {T0 - 1}"),
    ],
    "reply_says_that_it_is_cancelled": [
        Defect(_cancelled, put("status", "in_progress", at=1), "cancelling or cancelled", "status in_progress")
    ],
    "cancelling_reply_has_no_cancelled_at": [
        Defect(_cancelled, put("cancelled_at", T0 + 9, at=1), "null while cancelling", str(T0 + 9))
    ],
    "cancelled_after_it_started": [
        Defect(_in("cancelled"), put("cancelled_at", T0 + 1), "started_at not after cancelled_at", str(T0 + 1)),
        Defect(_in("cancelled"), put("started_at", T0 - 1), "created_at not after started_at", str(T0 - 1)),
        Defect(_in("cancelled", started_at=None), put("cancelled_at", T0 - 1), "created_at not after", str(T0 - 1)),
    ],
    "cancelled_run_ended_in_no_other_way": [
        _ended("completed_at", T0 + 9, str(T0 + 9)),
        _ended("failed_at", T0 + 9, str(T0 + 9)),
        _ended("incomplete_details", {"reason": "max_prompt_tokens"}, "max_prompt_tokens"),
        _ended("required_action", ACTION, "submit_tool_outputs"),
        Defect(
            lambda: [read("requires_action"), cancel("cancelled")],
            put("required_action", ACTION),
            "required_action null while cancelled",
            "submit_tool_outputs",
        ),
    ],
    "cancelled_run_has_no_error": [_put("cancelled", "last_error", ERROR, "last_error null", "server_error")],
    "cancel_changes_nothing_else": [
        Defect(_cancelled, put("metadata", {}, at=1), '{"ticket": "17"}', "metadata {}"),
        Defect(_cancelled, put("model", "gpt-5", at=1), '"gpt-4o"', '"gpt-5"'),
        Defect(_at_once, put("tools", []), "code_interpreter", "tools []"),
    ],
    "usage_of_a_cancelled_run": [
        Finding(_in("cancelled"), "a cancelled run has usage null"),
        Finding(_in("cancelled", usage=USAGE), "a cancelled run has usage with counts"),
    ],
}


def _twice(status: str) -> Callable[[], Story]:
    return lambda: [read(status), read(status)]


def _read_and_listed() -> Story:
    return [read(), listed(run()), read()]


def _served() -> Story:
    return [read("requires_action"), submit(), read("in_progress", started_at=T0 + 5)]


def _changes(name: str, value: Any, actual: str) -> Defect:
    return Defect(lambda: [read("in_progress"), read()], put(name, value), name, actual)


HISTORIES: Mapping[str, Sequence[Defect | Finding]] = {
    "statuses_follow_the_graph": [
        Defect(lambda: [read("queued"), read()], told(body=run("cancelled")), "after queued", "cancelled"),
        Defect(
            _twice("requires_action"), told(body=run("in_progress")), "after requires_action", "requires_action, then"
        ),
    ],
    "final_states_are_final": [
        Defect(_twice("completed"), told(body=run("in_progress")), "completed for good", "then in_progress"),
    ],
    "named_function_is_called": [
        Defect(_called, told(body=run("completed")), "requires_action before", "completed without having asked"),
    ],
    "cancelling_leads_to_an_end": [
        Defect(_cancelled, told(body=run("in_progress")), "a final state", "cancelling, then in_progress")
    ],
    "running_does_not_go_back_to_the_queue": [
        Defect(_twice("in_progress"), put("status", "queued"), "no return to the queue", "in_progress, then queued")
    ],
    "what_a_run_was_made_with_never_changes": [
        _changes("created_at", T0 - 1, str(T0 - 1)),
        _changes("assistant_id", "asst_other", "asst_other"),
        _changes("model", "gpt-5", "gpt-5"),
        _changes("instructions", None, "null"),
        _changes("tools", [], "tools []"),
        _changes("temperature", 0.5, "0.5"),
        _changes("top_p", None, "null"),
        _changes("max_prompt_tokens", 501, "501"),
        _changes("max_completion_tokens", None, "null"),
        _changes("truncation_strategy", {"type": "auto"}, "auto"),
        _changes("tool_choice", "auto", "auto"),
        _changes("response_format", "auto", "auto"),
        _changes("parallel_tool_calls", False, "false"),
    ],
    "ends_are_written_once": [
        Defect(_twice("completed"), put("completed_at", T0 + 10), f"completed_at {T0 + 9}", str(T0 + 10)),
        Defect(_twice("cancelled"), put("cancelled_at", T0 + 10), f"cancelled_at {T0 + 9}", str(T0 + 10)),
        Defect(_twice("incomplete"), put("completed_at", None), f"completed_at {T0 + 9}", "null"),
    ],
    "start_changes_only_on_resumption": [
        Defect(_twice("in_progress"), put("started_at", T0 + 5), f"started_at {T0 + 2}", str(T0 + 5)),
        Defect(_served, put("started_at", T0 + 1), f"started_at {T0 + 2} or later", str(T0 + 1)),
        Defect(_twice("expired"), put("started_at", None), f"started_at {T0 + 2}", "null"),
    ],
    "expiry_does_not_move": [
        Defect(_twice("in_progress"), put("expires_at", T0 + 660), f"expires_at {T0 + 600}", str(T0 + 660)),
        Defect(
            lambda: [read("in_progress"), cancel(), listed(run("cancelling"))],
            put("data.0.expires_at", T0 + 601),
            f"expires_at {T0 + 600}",
            str(T0 + 601),
        ),
    ],
    "reading_changes_nothing": [
        Defect(
            _twice("completed"),
            put("usage", {"prompt_tokens": 21, "completion_tokens": 10, "total_tokens": 31}),
            '"prompt_tokens": 20',
            '"prompt_tokens": 21',
        ),
        Defect(_twice("completed"), put("metadata", {}), '{"ticket": "17"}', "metadata {}"),
        Defect(_twice("completed"), put("tool_resources", {}), "the same members", "tool_resources"),
    ],
    "list_and_read_agree": [
        Defect(_read_and_listed, put("data.0.model", "gpt-5", at=1), '"gpt-4o"', '"gpt-5"'),
        Defect(_read_and_listed, put("data.0.completed_at", T0 + 10, at=1), str(T0 + 9), str(T0 + 10)),
        Defect(_read_and_listed, put("data.0.started_at", T0 + 3, at=1), str(T0 + 2), str(T0 + 3)),
        Defect(_read_and_listed, drop("data.0.temperature", at=1), "the same members", "temperature"),
        Defect(lambda: [modify(), listed(run())], put("data.0.metadata", {}), '{"ticket": "17"}', "metadata {}"),
    ],
    "required_action_is_cleared": [
        Defect(
            lambda: [read("requires_action"), submit()],
            put("required_action", ACTION),
            "required_action null",
            "set while queued",
        )
    ],
}

DEFECTS = {**RELATIONS, **CANCELLING, **HISTORIES}
