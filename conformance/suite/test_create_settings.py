"""What a run is created with: that it is kept, what it has from the assistant, and what holds where nothing is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.outcomes import Untested
from conformance.suite import requirement
from conformance.suite.expectations import (
    expect,
    expect_no_crash,
    expect_refused,
    need,
    need_run,
    note,
    shown,
)
from conformance.suite.settings import (
    ASSISTANT,
    FURNITURE,
    NO_MODEL,
    USUAL,
    bare_of,
    expect_created,
    expect_shown,
    function,
    furnished_assistant,
    heir_of,
    model_of,
    need_created,
    need_documented,
)
from conformance.wire.values import members_apart, same

if TYPE_CHECKING:
    from conformance.states.handles import Run
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

#: What takes the place of the assistant's own.
INSTEAD: Final[dict[str, Any]] = {
    "instructions": "  Answer in three words,\n\tand mind ünïcödé ☃ 🎉. \n",
    "tools": [function("conformance_of_the_run")],
}
TWENTY: Final = [function(f"conformance_{number}") for number in range(20)]
BOUNDS: Final[dict[str, dict[str, float]]] = {
    "lowest": {"temperature": 0, "top_p": 1},
    "highest": {"temperature": 2, "top_p": 0},
}
BEYOND: Final[dict[str, dict[str, Any]]] = {
    "temperature-below": {"temperature": -0.1},
    "temperature-above": {"temperature": 2.1},
    "temperature-text": {"temperature": "hot"},
    "temperature-true": {"temperature": True},
    "top_p-below": {"top_p": -0.1},
    "top_p-above": {"top_p": 1.1},
    "top_p-array": {"top_p": [1]},
}
LIMITS: Final = ("max_prompt_tokens", "max_completion_tokens")
DEFAULTS: Final[dict[str, Any]] = {"truncation_strategy": {"type": "auto"}, "response_format": "auto"}


@pytest.fixture
def heir(shared: Shared) -> Exchange:
    """A run that says nothing, of an assistant with settings of its own."""
    return heir_of(shared)


@pytest.fixture
def wilful(shared: Shared) -> Exchange:
    """A run that says everything itself, of an assistant with settings of its own."""
    return shared.created("wilful", assistant_id=furnished_assistant(shared), **INSTEAD)


@pytest.fixture
def bare(shared: Shared) -> Exchange:
    """A run that says nothing, of the assistant that all runs have."""
    return bare_of(shared)


@pytest.fixture
def later_heir(wilful: Exchange, shared: Shared) -> Exchange:
    """A run that says nothing, created after one that said everything itself."""
    need(wilful.succeeded, f"no run has settings of its own, which other cases are about: {wilful}")
    return shared.created("later-heir", assistant_id=furnished_assistant(shared), without=USUAL)


@requirement("RUN-CREATE-006")
def test_a_run_has_the_model_of_its_assistant(heir: Exchange, shared: Shared) -> None:
    """Who names no model gets the assistant's, under this name or that of one of its versions."""
    _expect_model(heir, model_of(shared))


@requirement("RUN-CREATE-006")
def test_the_model_that_is_named_is_not_ignored(shared: Shared, some_run: Run) -> None:
    """A model that nobody has is refused, or what the run then says and fails for; another one does not step in."""
    reply = shared.created("no-model", model=NO_MODEL)
    need(reply.succeeded or reply.refused, f"the server crashed, which RUN-ERR-011 is about: {reply}")

    if reply.succeeded:
        _expect_model(reply, NO_MODEL, some_run.seen)


@requirement("RUN-CREATE-007")
def test_instructions_replace_those_of_the_assistant(wilful: Exchange, some_run: Run) -> None:
    """What a run is told counts, letter by letter, and not what its assistant was told."""
    expect_created(some_run, wilful, "instructions and tools")

    expect_shown(wilful, {"instructions": INSTEAD["instructions"]})


@requirement("RUN-CREATE-007")
def test_a_run_that_is_told_nothing_heeds_its_assistant(heir: Exchange) -> None:
    """Without instructions of its own, a run has those of its assistant."""
    expect_shown(heir, {"instructions": ASSISTANT["instructions"]})


@requirement("RUN-CREATE-007")
def test_what_a_run_is_told_is_for_that_run(later_heir: Exchange) -> None:
    """The next run of the assistant is told what the assistant is told."""
    expect_shown(later_heir, {"instructions": ASSISTANT["instructions"]})


@requirement("RUN-CREATE-010")
def test_the_tools_of_a_run_are_for_that_run(later_heir: Exchange) -> None:
    """The next run of the assistant has the assistant's."""
    expect_shown(later_heir, {"tools": ASSISTANT["tools"]})


@requirement("RUN-INV-029")
def test_a_run_goes_on_as_it_was_created_when_its_assistant_changes(stage: Stage) -> None:
    """A change of the assistant is for runs to come: the invariants see whether one that exists follows it."""
    assistant = stage.means.new_assistant(**ASSISTANT)
    run = stage.started(stage.thread(), assistant_id=assistant, without=USUAL, **stage.means.recipes.get("quick", {}))
    before = run.settle()
    changes = {"instructions": "Answer in four words.", "tools": [], "metadata": {"whose": "nobody"}}
    changed = stage.client.call("modify_assistant", assistant_id=assistant, json=changes)
    if not changed.succeeded:
        raise Untested(f"the target does not change assistants: {changed}", gates=False)

    after = run.retrieve()

    for name in ("instructions", "tools", "metadata", "model"):
        was, is_ = need_run(before).get(name), need_run(after).get(name)
        expect(same(was, is_), *members_apart([name], need_run(before), need_run(after)), before, changed, after)


@requirement("RUN-CREATE-010")
def test_tools_replace_those_of_the_assistant(wilful: Exchange, some_run: Run) -> None:
    """A run has the tools that it was given, and none of its assistant's."""
    expect_created(some_run, wilful, "instructions and tools")

    expect_shown(wilful, {"tools": INSTEAD["tools"]})


@requirement("RUN-CREATE-010")
def test_a_run_may_have_no_tools_at_all(shared: Shared, some_run: Run) -> None:
    """An empty list is a list: the run does without the tools of its assistant."""
    created = shared.created("no-tools", assistant_id=furnished_assistant(shared), tools=[])
    reply = expect_created(some_run, created, "no tools")

    expect(not need_run(reply).get("tools"), "tools []", f"tools {shown(need_run(reply).get('tools'))}", reply)


@requirement("RUN-CREATE-010")
def test_every_kind_of_tool_is_kept_with_its_options(shared: Shared) -> None:
    """Tools are kept with all that was said of them; a target may add to that."""
    reply = need_created(shared.created("tools", **FURNITURE["tools"]), "tools")

    expect_shown(reply, FURNITURE["tools"])


@requirement("RUN-CREATE-010")
def test_a_function_that_is_strict_stays_so(shared: Shared) -> None:
    """Arguments that fit the schema are what its caller relies on; some models do not have that."""
    reply = need_created(shared.created("json_schema", **FURNITURE["json_schema"]), "strict schemas")

    expect_shown(reply, {"tools": FURNITURE["json_schema"]["tools"]})


@requirement("RUN-CREATE-010")
def test_a_run_that_is_given_no_tools_has_those_of_its_assistant(heir: Exchange) -> None:
    """Without tools of its own, a run has those of its assistant."""
    expect_shown(heir, {"tools": ASSISTANT["tools"]})


@requirement("RUN-CREATE-011")
def test_twenty_tools_are_kept(shared: Shared, some_run: Run) -> None:
    """As many tools as a run may have."""
    reply = expect_created(some_run, shared.created("twenty-tools", tools=TWENTY), "20 tools")

    run = need_run(reply)
    need_documented(run, ("tools",), reply)
    kept = {(tool.get("function") or {}).get("name") for tool in run["tools"]}
    lost = [tool["function"]["name"] for tool in TWENTY if tool["function"]["name"] not in kept]
    expect(not lost, "all 20 tools", f"{len(run['tools'])} tools, without {', '.join(lost)}", reply)


@requirement("RUN-CREATE-014")
@pytest.mark.parametrize("bound", BOUNDS)
def test_temperature_and_top_p_reach_to_their_bounds(bound: str, shared: Shared, some_run: Run) -> None:
    """Both ends belong to the range; a model that takes no temperature at all is not judged by it."""
    reply = shared.created(bound, **BOUNDS[bound])
    if reply.refused:
        within = shared.created("within", temperature=0.5, top_p=0.5)
        need(within.succeeded, f"the model takes neither temperature nor top_p: {within}")
    expect_created(some_run, reply, shown(BOUNDS[bound]))

    expect_shown(reply, BOUNDS[bound])


@requirement("RUN-CREATE-014")
@pytest.mark.parametrize("beyond", BEYOND)
def test_temperature_and_top_p_end_at_their_bounds(beyond: str, stage: Stage, some_run: Run) -> None:
    """What is out of range is refused, and not put right in silence."""
    need_run(some_run.seen)

    expect_refused(stage.create_run(stage.thread(), **BEYOND[beyond]), because="since it is no such value")


@requirement("RUN-CREATE-015")
def test_the_smallest_token_limits_are_kept(shared: Shared, some_run: Run) -> None:
    """The documented minimum is itself permitted."""
    limits = dict.fromkeys(LIMITS, 256)
    reply = expect_created(some_run, shared.created("smallest-limits", **limits), "token limits of 256")

    expect_shown(reply, limits)


@requirement("RUN-CREATE-016")
def test_smaller_token_limits_are_refused_or_kept(shared: Shared) -> None:
    """Who accepts less than the minimum means it."""
    limits = dict.fromkeys(LIMITS, 255)
    reply = shared.created("too-small-limits", **limits)

    expect_no_crash(reply)
    if reply.succeeded:
        expect_shown(reply, limits)
    note(f"token limits of 255 are {'accepted' if reply.succeeded else 'refused'}")


@requirement("RUN-CREATE-017")
def test_the_shortest_truncation_is_kept(shared: Shared, some_run: Run) -> None:
    """A run may look at the last message alone."""
    wanted = {"truncation_strategy": {"type": "last_messages", "last_messages": 1}}
    reply = expect_created(some_run, shared.created("truncated", **wanted), "truncation to one message")

    expect_shown(reply, wanted)


@requirement("RUN-CREATE-017")
def test_truncation_is_automatic_where_nothing_is_said(bare: Exchange) -> None:
    """The default is auto; a target that shows null leaves it unsaid, which the schema permits."""
    _expect_default(bare, "truncation_strategy")


@requirement("RUN-CREATE-024")
def test_functions_may_be_called_in_parallel_where_nothing_is_said(bare: Exchange) -> None:
    """The default is true."""
    expect_shown(bare, {"parallel_tool_calls": True})


@requirement("RUN-CREATE-025")
@pytest.mark.parametrize("settings", ["json_object", "json_schema", "limits"])
def test_the_format_of_the_response_is_kept(settings: str, shared: Shared) -> None:
    """Clients parse the answer by the format that they asked for; some models do not have each of them."""
    reply = need_created(shared.created(settings, **FURNITURE[settings]), settings)

    expect_shown(reply, {"response_format": FURNITURE[settings]["response_format"]})


@requirement("RUN-CREATE-025")
def test_the_format_is_automatic_where_nothing_is_said(bare: Exchange) -> None:
    """The default is auto; a target that shows null leaves it unsaid, which the schema permits."""
    _expect_default(bare, "response_format")


@requirement("RUN-CREATE-032")
def test_reasoning_effort_is_refused_or_kept(shared: Shared) -> None:
    """A target that shows the effort shows the one that was asked for."""
    reply = shared.created("effort", reasoning_effort="low")

    expect_no_crash(reply)
    effort = need_run(reply).get("reasoning_effort") if reply.succeeded else None
    expect(effort in {None, "low"}, 'reasoning_effort "low"', f"reasoning_effort {shown(effort)}", reply)
    note(f"reasoning_effort is {'refused' if reply.refused else 'kept' if effort else 'not shown'}")


def _expect_model(reply: Exchange, wanted: str, *before: Exchange) -> None:
    model = need_run(reply).get("model")
    need(isinstance(model, str) and model, f"the run names no model, which RUN-SCHEMA-025 is about: {reply}")
    fits = (
        wanted in str(model) or str(model) in wanted
    )  # a version of it, or its name without that of a gateway's route
    expect(fits, f"model {shown(wanted)}", f"model {shown(model)}", *before, reply)


def _expect_default(reply: Exchange, name: str) -> None:
    if need_run(reply).get(name, reply) is not None:
        expect_shown(reply, {name: DEFAULTS[name]})
