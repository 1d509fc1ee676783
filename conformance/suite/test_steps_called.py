"""The calls of a run in its steps: as the run asks for them, and with what was submitted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.suite import requirement, shared_run
from conformance.suite.expectations import expect, need, need_page, note, shown
from conformance.suite.steps import asked_by, calls_in, step_status, steps_while_waiting
from conformance.wire.values import ABSENT, same

if TYPE_CHECKING:
    from conformance.states.handles import Run
    from conformance.states.subjects import Called

#: What asks for the results of file search as well.
RESULTS = "step_details.tool_calls[*].file_search.results[*].content"


@requirement("RUN-STEP-010")
@shared_run("requires_action")
def test_a_call_is_the_same_in_the_step_as_in_the_run(run: Run) -> None:
    """Whoever reads the step reads what the function is called with."""
    page = steps_while_waiting(run)
    calls = calls_in(need_page(page))
    wanted = [call for call in asked_by(run) if call["id"] in calls]
    need(wanted, f"no step shows a call, which RUN-INV-036 is about: {page}")

    for call in wanted:
        function = calls[call["id"]].get("function")
        got = function if isinstance(function, dict) else {}
        for name in ("name", "arguments"):
            asked, said = call["function"].get(name, ABSENT), got.get(name, ABSENT)
            need(_makes_sense(name, asked, run), f"the run asks for a call in vain, which other rows judge: {run.seen}")
            right = same(_read(asked), _read(said))
            expect(right, f"{name} {shown(asked)}", f"{name} {shown(said)}", run.seen, page)


@requirement("RUN-INV-036")
@shared_run("requires_action")
def test_every_waiting_call_is_in_a_step(run: Run) -> None:
    """Whoever follows the steps finds all that the run waits for."""
    asked = [call["id"] for call in asked_by(run)]

    page = steps_while_waiting(run)

    told = all(isinstance(step.get("step_details"), dict) for step in need_page(page))
    need(told, f"a step has no details, which RUN-STEP-005 is about: {page}")
    calls = calls_in(need_page(page))
    expect(set(asked) <= set(calls), f"steps with calls {shown(asked)}", f"calls {shown([*calls])}", run.seen, page)


@requirement("RUN-STEP-011")
@shared_run("requires_action")
def test_a_step_whose_calls_wait_is_in_progress(run: Run) -> None:
    """The step is not done before its calls are."""
    page = steps_while_waiting(run)
    asked = {call["id"] for call in asked_by(run)}
    waiting = [step for step in need_page(page) if asked & calls_in([step]).keys()]
    need(waiting, f"no step shows a call, which RUN-INV-036 is about: {page}")

    for step in waiting:
        status = step_status(step)
        expect(status == "in_progress", 'status "in_progress"', f"status {shown(status)}", run.seen, page)


@requirement("RUN-TOOL-012")
def test_a_step_shows_the_output_as_it_was_submitted(called: Called) -> None:
    """What a function returned is part of the record, to the letter."""
    page = called.run.steps.list()
    calls = calls_in(need_page(page))
    need(calls, f"no step shows a call: {page}")

    for id, output in called.outputs.items():
        function = calls.get(id, {}).get("function")
        got = function.get("output", ABSENT) if isinstance(function, dict) else ABSENT
        expect(got == output, f"output {shown(output)}", _difference(output, got), page)


@requirement("RUN-STEP-021")
def test_the_results_of_a_search_may_be_asked_for(called: Called) -> None:
    """What becomes of the one value of include[]."""
    page = called.run.steps.list(**{"include[]": RESULTS})

    searched = any(call.get("type") == "file_search" for call in calls_in(need_page(page)).values())
    note(f"include[] is taken; there was {'a' if searched else 'no'} file search to show the results of")


def _read(text: Any) -> Any:
    """The JSON in a text, whose spacing says nothing; what is none stays what it is."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return text


def _makes_sense(name: str, asked: Any, run: Run) -> bool:
    """Whether a run asks for a function that it has, with arguments that are JSON."""
    if name == "name":
        return isinstance(asked, str) and asked in json.dumps(run.body.get("tools"), ensure_ascii=False)
    return isinstance(asked, str) and _read(asked) is not asked


def _difference(wanted: str, got: Any) -> str:
    """An output that is not as it should be: how it begins, and where it goes its own way."""
    if not isinstance(got, str):
        return f"output {shown(got)}"
    at = next((n for n, (one, other) in enumerate(zip(wanted, got, strict=False)) if one != other), len(got))
    rest = f"goes on with {shown(got[at : at + 20])}" if at < len(got) else "ends"
    return f"output {shown(got[:20])}..., which {rest} after {at} characters"
