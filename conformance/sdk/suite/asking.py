"""Every way in which a client comes to send a request, each with what is answered before it and what grants it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from conformance.outcomes import Untested
from conformance.sdk import bodies
from conformance.sdk.bodies import THREAD
from conformance.sdk.granting import granted
from conformance.sdk.script import HELD, reply
from conformance.sdk.suite.telling import CALLS, NEW_RUN, OF_RUN, OUTPUTS

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation, Seen
    from conformance.sdk.script import Reply

#: Headers of a refusal that say to ask again at once, in the forms that are in use.
AT_ONCE: Final = {"retry_after": "0", "retry_after_ms": "10"}
#: The time-out of a client that is to give up, and by when it must have noticed, in seconds.
IMPATIENCE, NOTICED = 0.25, HELD - 0.6
#: What never comes.
HANGING: Final = replace(reply(bodies.run()), after=HELD)
_OF_LIST: Final = {"thread_id": THREAD, "limit": 2, "order": "asc"}
_FIRST_PAGE: Final = reply(bodies.page("run_1", "run_2", has_more=True))
_PLAIN: Final = {
    **CALLS,
    "create_run": {**NEW_RUN, "metadata": {"order": "7"}},
    "list_runs": _OF_LIST,
}
_WORKING: Final = reply(bodies.run(), openai_poll_after_ms="10")


@dataclass(frozen=True)
class Asking:
    """A call, at the request that a case is about."""

    call: str
    arguments: dict[str, Any]
    grants: Reply
    #: What was answered before it.
    before: tuple[Reply, ...] = field(default=())
    #: What is sent of it is a read.
    reads: bool = False


def _plain(call: str, arguments: dict[str, Any]) -> Asking:
    return Asking(call, arguments, granted(call), reads=call in {"retrieve_run", "list_runs"})


ASKINGS: Final = {
    **{call: _plain(call, arguments) for call, arguments in _PLAIN.items()},
    "stream_run": _plain("stream_run", NEW_RUN),
    "stream_tool_outputs": _plain("stream_tool_outputs", OUTPUTS),
    "next_page": Asking("iterate_runs", _OF_LIST, granted("iterate_runs"), (_FIRST_PAGE,), reads=True),
    "poll": Asking("poll_run", OF_RUN, granted("poll_run"), reads=True),
    "poll_again": Asking("poll_run", OF_RUN, granted("poll_run"), (_WORKING,), reads=True),
}
READING: Final = [name for name, each in ASKINGS.items() if each.reads]
#: Those that are one request.
SINGLE: Final = [name for name, each in ASKINGS.items() if each.call not in {"iterate_runs", "poll_run"}]


def asked(sdk: Conversation, name: str, *answers: Reply, **set_up: Any) -> Seen:
    """Have it asked, and answered so before it is granted, also once more where a run is read again at the end."""
    asking = ASKINGS[name]
    sdk.answers(*asking.before, *answers, *[asking.grants] * (2 if asking.call == "poll_run" else 1))
    return sdk.call(asking.call, **asking.arguments, **set_up)


def expect_asked_again(sdk: Conversation, name: str, answer: Reply, **set_up: Any) -> None:
    """
    A client that may must ask again after this answer, and give what it is answered then.

    Raises:
        Violated: it does not.
        Untested: it is not given what is granted at once either.
    """
    seen = asked(sdk, name, answer, retries=1, **set_up)
    before = len(ASKINGS[name].before)
    if len(seen.requests) < before + 1:
        raise Untested(f"the client did not come to ask, which other requirements are about: {seen.answer}")
    again = seen.requests[before + 1 :]
    if (seen.error or not again) and asked(sdk, name).error:
        raise Untested("what is granted at once is not given either, which other requirements are about")
    told = f"{seen.answer}, after {len(seen.requests)} requests"
    seen.expect(again and not seen.error, "what was asked for, by asking again", told)


def need_time_out(sdk: Conversation, name: str = "retrieve_run") -> None:
    """
    A server that hangs must be given up, which is tried once a session.

    Raises:
        Untested: it is not, which is another requirement's business.
    """
    key = f"{name} is left to hang"
    if key not in sdk.general.kept:
        sdk.general.kept[key] = asked(sdk, name, replace(ASKINGS[name].grants, after=HELD), timeout=IMPATIENCE)
    seen: Seen = sdk.general.kept[key]
    if not seen.error or seen.seconds >= NOTICED:
        raise Untested("the client did not give up, which SDK-TIME-001 is about")


def second(seen: Seen) -> None:
    """There must be a second request, without which there is nothing to say."""
    if len(seen.requests) < 2:
        raise Untested("the client did not ask again, which other requirements are about", gates=False)
