"""Every call, with as little and with as much as it can have, and what a server that grants it answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from conformance.outcomes import Untested, Violated, Violation
from conformance.sdk import bodies
from conformance.sdk.bodies import ASSISTANT, THREAD
from conformance.sdk.granting import granted
from conformance.sdk.protocol import DriverBroke
from conformance.sdk.script import reply
from conformance.sdk.suite.telling import CALLS, NEW_RUN, OF_RUN, OUTPUTS

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation, Seen
    from conformance.sdk.script import Reply
    from conformance.sdk.sent import Judge

#: A path of a base URL that is neither the API's own nor a single segment.
OTHER_BASE: Final = "/gateway/assistants/v2"
#: Texts that are easily changed on their way.
ODD: Final = '  Say "Grüße",\r\n東京 🌍 \\ é </script> & %20 + \u2028 \t'
_TOOLS: Final = [
    {"type": "code_interpreter"},
    {
        "type": "function",
        "function": {
            "name": "weatherIn",
            "description": "",
            "parameters": {
                "type": "object",
                "properties": {"cityName": {"type": "string"}, "city_name": {}},
                "required": [],
            },
        },
    },
]
_MESSAGE: Final = {"role": "user", "content": ODD, "metadata": {"orderId": "", "order_id": ODD}}
_METADATA: Final = {"orderId": "1", "order_id": "x" * 512, "empty": "", "k" * 64: ODD, "number": "0.10", "null": "null"}
#: Members of a create, all of them with values that are easily changed or taken for none.
_CREATED: Final[dict[str, Any]] = {
    "model": "vendor/model:7b",
    "instructions": ODD,
    "tools": _TOOLS,
    "metadata": _METADATA,
    "temperature": 0.123,
    "top_p": 0,
    "max_prompt_tokens": 1234567,
    "max_completion_tokens": 256,
    "truncation_strategy": {"type": "last_messages", "last_messages": 3},
    "tool_choice": {"type": "function", "function": {"name": "weatherIn"}},
    "parallel_tool_calls": False,
    "response_format": {"type": "json_object"},
}
_RUN: Final = {**NEW_RUN, **_CREATED, "additional_instructions": "", "additional_messages": [_MESSAGE, _MESSAGE]}
_OUTPUTS: Final = {
    **OF_RUN,
    "tool_outputs": [
        {"tool_call_id": "call_1", "output": '{"city": "Oslo",  "n": 1.0}'},
        {"tool_call_id": "call_2", "output": ""},
        {"tool_call_id": "call_3", "output": ODD},
    ],
}
#: Every call with as little as it needs.
LEAST: Final[dict[str, dict[str, Any]]] = {
    **CALLS,
    "create_thread_and_run": {"assistant_id": ASSISTANT},
    "iterate_runs": {"thread_id": THREAD},
    "poll_run": OF_RUN,
    "stream_run": NEW_RUN,
    "stream_tool_outputs": OUTPUTS,
}
#: The requirement whose cases are about bodies with much in them.
MOST_ROW: Final = "SDK-REQ-008"
#: The calls that have a body, with all that it can say.
MOST: Final[dict[str, dict[str, Any]]] = {
    "create_run": _RUN,
    "modify_run": {**OF_RUN, "metadata": _METADATA},
    "submit_tool_outputs": _OUTPUTS,
    "create_thread_and_run": {
        "assistant_id": ASSISTANT,
        "thread": {"messages": [_MESSAGE], "metadata": _METADATA},
        **_CREATED,
    },
    "stream_run": _RUN,
    "stream_tool_outputs": _OUTPUTS,
}


def script(call: str) -> list[Reply]:
    """What a server answers that grants a call; a walk has two pages, and a wait two polls."""
    match call:
        case "iterate_runs":
            return [
                reply(bodies.page("run_1", "run_2", has_more=True)),
                reply(bodies.page("run_3")),
                reply(bodies.page()),
            ]
        case "poll_run":
            return [reply(bodies.run(), openai_poll_after_ms="10"), *[reply(bodies.run("completed"))] * 2]
    return [granted(call)]


def grant(sdk: Conversation, call: str, *, base: str = "/v1", **arguments: Any) -> Seen:
    """Have a call made with these arguments, and grant it."""
    sdk.answers(*script(call))
    return sdk.call(call, base=base, **arguments)


def survey(sdk: Conversation) -> None:
    """
    Have every call made once in a session, with little in it and with much, whatever was selected.

    The base URL is one that nobody expects; what a case has made already is not made again.

    Raises:
        DriverBroke: the driver did not keep to the protocol in one of them; all others were made nevertheless.
    """
    if "the survey" in sdk.general.kept:
        return
    sdk.general.kept["the survey"] = True
    made = [(each.asked.call, each.asked.arguments) for each in sdk.all_made]
    broke = list[DriverBroke]()
    for row, base, calls in (("", OTHER_BASE, LEAST), (MOST_ROW, "/v1", MOST)):
        for call, arguments in calls.items():
            if row and (call, arguments) in made:
                continue
            try:
                grant(replace(sdk, row=row), call, base=base, **arguments)
            except Untested:
                continue  # the client has no such call
            except DriverBroke as problem:
                broke.append(problem)
    if broke:
        raise broke[0]


def expect(seen: Seen, judge: Judge) -> None:
    """
    What was sent for a call must be right, as one judge sees it.

    Raises:
        Violated: it is not.
        Untested: there was nothing to judge.
    """
    judged = list(judge(seen.made))
    if wrong := [each for each in judged if each]:
        raise Violated(*(Violation(each.expected, each.actual, (each.exchange,), calls=seen.calls) for each in wrong))
    seen.need_sent()
    if not judged:
        raise Untested(f"what was sent is no such request, which other requirements are about: {seen.sent.target}")
