"""What a cancel does to what the run was doing: its steps, and the message that it was writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.outcomes import Untested
from conformance.suite import requirement
from conformance.suite.expectations import expect, need, need_page, shown
from conformance.suite.steps import step_status

if TYPE_CHECKING:
    from conformance.states.subjects import Interrupted

#: What the run was asked to count to.
LAST = "4000"


@requirement("RUN-CANCEL-024")
def test_a_cancelled_run_leaves_no_step_open(interrupted: Interrupted) -> None:
    """What the run was doing is cancelled with it, unless it was done before."""
    run = interrupted.run

    page = run.steps.list()

    statuses = [step_status(step) for step in need_page(page)]
    if not statuses:
        raise Untested(f"the run was cancelled before its first step: {page}", gates=False)
    other = [status for status in statuses if status not in {"cancelled", "completed"}]
    expected, actual = "every step cancelled, or completed before that", f"statuses {shown(statuses)}"
    expect(not other, expected, actual, interrupted.cancel, run.seen, page)


@requirement("RUN-CANCEL-025")
def test_what_a_cancelled_run_was_writing_is_incomplete(interrupted: Interrupted) -> None:
    """Whoever reads the conversation can tell a cut answer from a whole one."""
    run = interrupted.run

    messages = run.thread.messages()

    written = [each for each in need_page(messages) if each.get("run_id") == run.id]
    begun = interrupted.was_seen_writing and not written
    expect(not begun, "the message that it had begun", "no message of the run", interrupted.cancel, messages)
    if not written:
        raise Untested(f"the run was cancelled before it had written anything: {messages}", gates=False)
    answer = max(written, key=lambda each: len(str(each.get("content"))))
    need(LAST not in str(answer.get("content")), f"the answer was whole before the cancel took effect: {messages}")
    if "status" not in answer:
        raise Untested(f"messages do not say what became of them: {messages}", gates=False)
    status = answer["status"]
    expect(status == "incomplete", 'status "incomplete"', f"status {shown(status)}", interrupted.cancel, messages)
