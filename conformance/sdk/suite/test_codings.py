"""Replies that are compressed in a way that the client offers to read."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from conformance.outcomes import Untested
from conformance.sdk import bodies
from conformance.sdk.script import reply
from conformance.sdk.suite.telling import OF_RUN
from conformance.suite import requirement

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.sdk.conversation import Conversation
    from conformance.sdk.script import Reply
    from conformance.wire.exchange import Request


def brotli(body: bytes) -> bytes:
    """A body of up to 64 KiB in the format of RFC 7932, as one block that is not compressed."""
    return ((len(body) - 1) << 4 | 1 << 20).to_bytes(3, "little") + body + b"\x03"


def zstandard(body: bytes) -> bytes:
    """A body of 256 bytes to 64 KiB in the format of RFC 8878, as one block that is not compressed."""
    head = b"\x28\xb5\x2f\xfd\x60" + (len(body) - 256).to_bytes(2, "little")
    return head + (len(body) << 3 | 1).to_bytes(3, "little") + body


#: The codings beside gzip, which nearly everybody offers.
CODINGS: Final[dict[str, Callable[[bytes], bytes]]] = {"deflate": zlib.compress, "br": brotli, "zstd": zstandard}


def offers(request: Request) -> frozenset[str]:
    """The codings that a client says that it reads."""
    offered = (each.partition(";") for each in request.headers.get("accept-encoding", "").lower().split(","))
    return frozenset(name.strip() for name, _, weight in offered if weight.replace(" ", "") not in {"q=0", "q=0.0"})


@requirement("SDK-RUN-012")
@pytest.mark.parametrize("coding", CODINGS)
def test_a_reply_is_read_in_every_coding_that_is_offered(sdk: Conversation, coding: str) -> None:
    """Who names a coding is answered in it, at the latest by the next gateway."""

    def compressed(request: Request) -> Reply:
        whole = reply(bodies.run())
        if coding not in offers(request):
            return whole
        packed = CODINGS[coding](whole.body)
        return replace(whole, headers={**whole.headers, "Content-Encoding": coding}, pieces=(packed,))

    sdk.answers(compressed)

    seen = sdk.call("retrieve_run", **OF_RUN)

    if coding not in offers(seen.sent):
        raise Untested(f"the client does not offer to read {coding}", gates=False)
    got = seen.answer.result if isinstance(seen.answer.result, dict) else {}
    right = not seen.error and got.get("id") == bodies.RUN
    seen.expect(right, f"the run, which was sent in {coding}, as the client offered")
