"""What a server answers that grants a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.sdk import bodies
from conformance.sdk.bodies import DONE, RUN, event
from conformance.sdk.protocol import RESULTS
from conformance.sdk.script import reply, stream

if TYPE_CHECKING:
    from conformance.sdk.script import Reply

_STORY: Final = (("thread.run.created", bodies.run("queued")), ("thread.run.completed", bodies.run("completed")))


def granted(call: str) -> Reply:
    """The reply of a server that grants a call at once."""
    match RESULTS[call]:
        case "events":
            return stream([*(event(*each) for each in _STORY), DONE])
        case "page" | "ids":
            return reply(bodies.page(RUN))
    return reply(bodies.run("completed" if call == "poll_run" else "in_progress"))
