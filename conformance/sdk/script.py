"""What the scripted server answers: replies as the real service would send them, and as networks spoil them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from conformance.wire.exchange import Request


JSON: Final = {"Content-Type": "application/json"}
EVENTS: Final = {"Content-Type": "text/event-stream; charset=utf-8"}
#: Names the request in every reply, as the real service does.
REQUEST_ID: Final = "req_0123456789abcdef0123456789abcdef"
#: What a server that holds an answer back waits in all, in seconds; nobody's time-out here is as long.
HELD: Final = 2.5


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer of the script."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    #: What is sent, piece by piece; a number is a pause in seconds.
    pieces: Sequence[bytes | float] = ()
    #: Whether each piece is sent as a chunk, instead of all of them after a Content-Length.
    chunked: bool = False
    #: Seconds before anything is sent.
    after: float = 0.0
    #: Whether the server hangs up without an answer.
    dropped: bool = False
    #: Whether the server hangs up before it has said that the body is over.
    torn: bool = False

    @property
    def body(self) -> bytes:
        """All pieces together."""
        return b"".join(piece for piece in self.pieces if isinstance(piece, bytes))


#: An answer, or what makes it of the request.
Scripted: TypeAlias = "Reply | Callable[[Request], Reply]"

DROPPED: Final = Reply(status=0, dropped=True)


def reply(value: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON value as the body; header names are given with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    body = to_json(value, indent=2)
    return Reply(status=status, headers={**JSON, "x-request-id": REQUEST_ID, **named}, pieces=(body,))


def raw(body: bytes, content_type: str, status: int = 200) -> Reply:
    """Any bytes as the body."""
    return Reply(status=status, headers={"Content-Type": content_type, "x-request-id": REQUEST_ID}, pieces=(body,))


def refusal(status: int, code: str | None = None, param: str | None = None, **headers: str) -> Reply:
    """A refusal in the API's envelope."""
    kind = "server_error" if status // 100 == 5 else "invalid_request_error"  # noqa: PLR2004 - the class of the code
    error = {"message": f"Refused with {status}.", "type": kind, "param": param, "code": code}
    return reply({"error": error}, status, **headers)


def stream(pieces: Iterable[bytes | float], *, torn: bool = False) -> Reply:
    """A stream of events in these pieces."""
    headers = {**EVENTS, "x-request-id": REQUEST_ID, "Cache-Control": "no-cache"}
    return Reply(headers=headers, pieces=tuple(pieces), chunked=True, torn=torn)


#: What is answered once the script is over; no client has a reason to ask again.
OVER: Final = reply(
    {
        "error": {
            "message": "The script of this case is over: the client sent more requests than there was reason for.",
            "type": "invalid_request_error",
            "param": None,
            "code": "script_over",
        }
    },
    410,
)
