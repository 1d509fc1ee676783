"""One request and its reply, in the form in which vcrpy keeps them, without secrets and without what varies."""

from __future__ import annotations

from http.client import responses
from typing import TYPE_CHECKING, Any

from conformance.senders import Reply
from conformance.wire.exchange import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.redaction import Redactor
    from conformance.wire.exchange import Request

#: The host of every recorded request.
HOST = "https://target.invalid"

#: Response headers that vary from one recording to the next, or describe a transport that a replay does not have.
_VOLATILE = frozenset(
    {
        "age",
        "alt-svc",
        "connection",
        "content-encoding",
        "content-length",
        "date",
        "keep-alive",
        "openai-processing-ms",
        "server",
        "strict-transport-security",
        "transfer-encoding",
        "via",
    }
)
_VOLATILE_PREFIXES = ("cf-", "x-amz-", "x-envoy-", "x-ms-", "x-ratelimit-")
#: A requirement reads whether it is there; its value changes with every reply.
_REQUEST_ID = "x-request-id"
_SENT = frozenset({"accept", "content-type", "openai-beta"})


def stored_request(request: Request, redactor: Redactor) -> Any:
    """The request as vcrpy keeps it, under no real host and with only those headers that change its meaning."""
    from vcr.request import Request as Stored  # type: ignore[import-untyped]

    headers = {name: redactor.text(value) for name, value in request.headers.items() if name.lower() in _SENT}
    return Stored(request.method, HOST + redactor.text(request.target), redactor.body(request.body), headers)


def stored_response(reply: Reply, start: float, redactor: Redactor) -> dict[str, Any]:
    """The response as vcrpy keeps it, with its time in seconds since the beginning of the scope."""
    response = reply.response
    body = redactor.body(response.body)
    pieces = response.pieces if body == response.body else ()  # of another text nobody knows when its parts came
    headers = {name.lower(): value for name, value in redactor.headers(response.headers).items()}
    return {
        "status": {"code": response.status, "message": responses.get(response.status, "")},
        "headers": {name: [_steady(name, headers[name])] for name in sorted(headers) if not _is_volatile(name)},
        "body": {"string": body},
        "offset": round(reply.at - start, 3),
        "duration": round(reply.duration, 3),
        **({"pieces": [list(piece) for piece in pieces]} if pieces else {}),
        **({"cut": redactor.text(response.cut)} if response.cut else {}),
    }


def replayed(stored: Mapping[str, Any], start: float) -> Reply:
    """The reply that was stored, at the time at which it came."""
    headers = {name: values[0] for name, values in stored["headers"].items()}
    pieces = tuple((size, came) for size, came in stored.get("pieces", ()))
    response = Response(stored["status"]["code"], headers, stored["body"]["string"], pieces, stored.get("cut", ""))
    return Reply(response, round(start + stored["offset"], 3), stored["duration"])


def _is_volatile(name: str) -> bool:
    return name in _VOLATILE or name.startswith(_VOLATILE_PREFIXES)


def _steady(name: str, value: str) -> str:
    return "req_recorded" if name == _REQUEST_ID else value
