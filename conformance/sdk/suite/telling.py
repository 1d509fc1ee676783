"""What several cases tell a client and look for in what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.outcomes import Untested
from conformance.sdk.bodies import ASSISTANT, RUN, THREAD
from conformance.sdk.granting import granted

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation, Seen
    from conformance.wire.exchange import Request

OF_RUN: Final[dict[str, Any]] = {"thread_id": THREAD, "run_id": RUN}
NEW_RUN: Final[dict[str, Any]] = {"thread_id": THREAD, "assistant_id": ASSISTANT}
OUTPUTS: Final[dict[str, Any]] = {**OF_RUN, "tool_outputs": [{"tool_call_id": "call_abc123", "output": "rain"}]}
_MESSAGES: Final = [{"role": "user", "content": "Hello."}]
#: Every plain call with as little as it needs.
CALLS: Final[dict[str, dict[str, Any]]] = {
    "create_run": NEW_RUN,
    "retrieve_run": OF_RUN,
    "modify_run": {**OF_RUN, "metadata": {"order": "7"}},
    "cancel_run": OF_RUN,
    "submit_tool_outputs": OUTPUTS,
    "create_thread_and_run": {"assistant_id": ASSISTANT, "thread": {"messages": _MESSAGES}},
    "list_runs": {"thread_id": THREAD},
}
#: Those that give a run.
GIVING_A_RUN: Final = [call for call in CALLS if call != "list_runs"]


def called(sdk: Conversation, call: str, **more: Any) -> Seen:
    """Have a call made that is granted, with as little as it needs and these arguments."""
    sdk.answers(granted(call))
    return sdk.call(call, **(CALLS[call] | more))


def body_of(request: Request) -> dict[str, Any]:
    """The object in the body of a request; what is none is another requirement's business."""
    if not isinstance(request.json, dict):
        raise Untested(f"the body is no JSON object, which SDK-REQ-008 is about: {request.body[:80]!r}")
    return request.json


def told(value: Any) -> Any:
    """A JSON value without its null members, which a language need not keep apart from absent ones."""
    match value:
        case dict():
            return {name: told(each) for name, each in value.items() if each is not None}
        case list():
            return [told(each) for each in value]
    return value


def run_of(seen: Seen) -> dict[str, Any]:
    """The run that a call gives where it gives any; what keeps it from this one is what the case is about."""
    seen.expect(seen.answer.error is None, "the run")
    result: dict[str, Any] = seen.result
    return result


def need_plain_run(sdk: Conversation) -> None:
    """A run with nothing special in it is given; if not, that is another requirement's business."""
    if called(sdk, "retrieve_run").answer.error is not None:
        raise Untested("a plain run is not given, which SDK-RUN-001 is about")
