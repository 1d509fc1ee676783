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
_ASKED: Final = {"model": "gpt-4o", "instructions": "Be brief.", "temperature": 0.5, "metadata": {"order": "7"}}
#: What a server may be asked for and decide otherwise, for each call that has any.
ASKED: Final[dict[str, dict[str, Any]]] = {
    "create_run": _ASKED,
    "create_thread_and_run": _ASKED,
    "modify_run": {"metadata": _ASKED["metadata"]},
}


def called(sdk: Conversation, call: str, **more: Any) -> Seen:
    """Have a call made that is granted, with as little as it needs and these arguments."""
    sdk.answers(granted(call))
    return sdk.call(call, **(CALLS[call] | more))


def body_of(request: Request) -> dict[str, Any]:
    """The object in the body of a request; what is none is another requirement's business."""
    if not isinstance(request.json, dict):
        raise Untested(f"the body is no JSON object, which SDK-REQ-008 is about: {request.body[:80]!r}")
    return request.json
