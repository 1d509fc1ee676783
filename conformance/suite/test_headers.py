"""The headers of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.suite import requirement
from conformance.suite.expectations import expect, note, shown

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.states.handles import Thread


@requirement("RUN-HDR-002")
def test_the_beta_header_is_asked_for_by_name(client: Client, other_thread: Thread) -> None:
    """A target that insists on the header says so with the code that clients know; many do not insist."""
    reply = client.call("list_runs", thread_id=other_thread.id, headers={"OpenAI-Beta": None})

    if reply.succeeded:
        note(f"requests without the OpenAI-Beta header are answered: {reply}")
    error = reply.json.get("error") if isinstance(reply.json, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    expect(
        reply.refused and code == "invalid_beta",
        'an answer, or a refusal (4xx) with error.code "invalid_beta"',
        f"status {reply.status}, error.code {shown(code)}",
        reply,
    )
