"""What the cases about creating stand on: what a target has and is asked, what contains what, and who cleans up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.client import Client
from conformance.dialect import Dialect
from conformance.outcomes import Untested, Violated
from conformance.reference import DEFAULT_KEY, Reference
from conformance.reference.faults import FAULTS
from conformance.senders import InProcessSender
from conformance.states.handles import Run
from conformance.states.means import Means
from conformance.states.stage import LABEL, LONG_PROMPT, Stage
from conformance.states.visit import explore, leave
from conformance.states.waits import Waits
from conformance.suite.conversation import text_of
from conformance.suite.settings import expect_shown
from conformance.wire.journal import Journal
from conformance.wire.values import contains

if TYPE_CHECKING:
    from conformance.reference.operations import Operations

TOGETHER = "create-thread-and-run"


def staged(*faults: str, **options: Any) -> Stage:
    broken: list[type[Operations]] = [FAULTS[name].behaviour for name in faults]
    headers = {"OpenAI-Beta": "assistants=v2"}
    sender = InProcessSender(Reference(faults=broken))
    return Stage(
        Means(Client(sender, Journal(), dialect=Dialect(headers=headers, key=DEFAULT_KEY), **options), Waits({}))
    )


@pytest.mark.parametrize(
    ("whole", "part"),
    [
        ({"a": 1, "b": 2}, {"a": 1.0}),
        ({"a": {"b": [{"c": 1, "d": None}]}}, {"a": {"b": [{"c": 1}]}}),
        ([], []),
        ("text", "text"),
        ({"a": None}, {"a": None}),
    ],
)
def test_more_members_are_no_matter(whole: object, part: object) -> None:
    assert contains(whole, part)


@pytest.mark.parametrize(
    ("whole", "part"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({}, {"a": None}),
        ({"a": True}, {"a": 1}),
        ([1, 2], [1]),
        ([2, 1], [1, 2]),
        ([{"a": 1}], {"a": 1}),
        (None, {}),
    ],
)
def test_less_or_something_else_is(whole: object, part: object) -> None:
    assert not contains(whole, part)


@pytest.mark.parametrize(
    "content",
    [
        "Hello.",
        [{"type": "text", "text": {"value": "Hello.", "annotations": []}}],
        [{"type": "text", "text": "Hello."}],
    ],
)
def test_a_text_is_found_in_any_form(content: object) -> None:
    assert text_of({"content": content}) == "Hello."


@pytest.mark.parametrize("message", [{}, {"content": None}, {"content": [None, {"text": 1}, {"image": {}}]}])
def test_no_text_is_none(message: dict[str, Any]) -> None:
    assert text_of(message) == ""


@pytest.mark.parametrize(
    ("fault", "lacking"), [("", set()), ("not-together", {TOGETHER}), ("no-thread-named-runs", {TOGETHER})]
)
def test_a_target_may_lack_a_thread_and_run(fault: str, lacking: set[str]) -> None:
    assert explore(staged(*filter(None, [fault]))) == lacking


@pytest.mark.parametrize("fault", ["refuses-together", "threads-for-nobody"])
def test_a_target_that_refuses_or_grants_too_much_does_not_lack_it(fault: str) -> None:
    assert explore(staged(fault)) == frozenset()


def test_what_is_declared_absent_is_not_asked_for() -> None:
    stage = staged(without={TOGETHER})

    assert explore(stage) == frozenset()
    assert not any(each.request.path.endswith("/threads/runs") for each in stage.client.journal)


def test_a_thread_that_came_with_its_run_is_left_to_nobody() -> None:
    stage = staged()
    thread = {"messages": [{"role": "user", "content": LONG_PROMPT}]}
    run = Run(stage.client, stage.means.waits, stage.create_thread_and_run(thread=thread))
    run.until(lambda body: body["status"] == "in_progress", "start", "worked")

    leave(stage, stage.client.journal, (), at_once=1)

    paths = [each.request.path for each in stage.client.journal if each.scope == "clean-up"]
    assert f"/v1/threads/{run.thread_id}/runs/{run.id}/cancel" in paths
    assert f"/v1/threads/{run.thread_id}" in paths


def test_what_is_usually_sent_can_be_left_out() -> None:
    stage = staged()

    stage.create_run(stage.thread(), without=("metadata",), instructions="Say hello.", query=[("x", "y")])

    (asked,) = (each.request for each in stage.client.journal if each.request.query)
    assert asked.json == {"assistant_id": stage.assistant_id, "instructions": "Say hello."}
    assert asked.query == (("x", "y"),)


def test_a_run_that_is_refused_costs_nothing() -> None:
    stage = staged()

    assert stage.create_run(stage.thread(), without=("assistant_id",)).refused
    assert stage.create_thread_and_run(without=("assistant_id",)).refused
    assert stage.means.runs == 0
    assert stage.create_thread_and_run().json["metadata"] == LABEL
    assert stage.means.runs == 1


def test_what_is_not_shown_or_malformed_is_not_accused_twice() -> None:
    stage = staged()
    reply = stage.create_run(stage.thread(), temperature=0)

    expect_shown(reply, {"temperature": 0, "metadata": LABEL})
    with pytest.raises(Violated, match="got temperature 0"):
        expect_shown(reply, {"temperature": 1})
    with pytest.raises(Untested, match="does not show invented"):
        expect_shown(reply, {"invented": 1})


def test_the_reference_server_creates_a_thread_and_run_or_neither() -> None:
    stage = staged()
    body = {"assistant_id": stage.assistant_id, "thread": {"metadata": {"a": "b"}}, "metadata": {"c": "d"}}

    made = stage.client.call("create_thread_and_run", json=body)

    thread = stage.client.call("retrieve_thread", thread_id=made.json["thread_id"])
    assert (made.json["metadata"], thread.json["metadata"]) == ({"c": "d"}, {"a": "b"})
    for wrong in ({"thread": None}, {"thread": {"x": 1}}, {"additional_messages": []}, {"assistant_id": "asst_x"}):
        assert stage.client.call("create_thread_and_run", json={**body, **wrong}).refused


def test_the_reference_server_changes_assistants_and_none_of_their_runs() -> None:
    stage = staged()
    run = stage.started(stage.thread())
    changes = {"instructions": "Answer in verse.", "tools": []}

    changed = stage.client.call("modify_assistant", assistant_id=stage.assistant_id, json=changes)

    assert changed.json["instructions"] == "Answer in verse."
    assert run.retrieve().json["instructions"] == run.body["instructions"] == "Answer in one word."
    assert stage.client.call("modify_assistant", assistant_id=stage.assistant_id, json={"x": 1}).refused
    assert stage.client.call("modify_assistant", assistant_id="asst_x", json={}).status == 404
