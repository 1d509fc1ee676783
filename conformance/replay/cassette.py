"""One cassette a scope: where it lies, how requests match, and how an interaction is stored."""

from __future__ import annotations

import base64
import hashlib
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vcr.cassette import Cassette
from vcr.record_mode import RecordMode
from vcr.request import Request as StoredRequest
from vcr.serializers import jsonserializer

from conformance.client import Reply
from conformance.wire.exchange import NOT_JSON, Request, Response, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Recordings know no host.
HOST = "https://target.invalid"

_LONGEST_NAME = 100
#: Headers that vary from one recording to the next, or that describe a transport which a replay does not have.
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
_VOLATILE_PREFIXES = ("cf-", "x-envoy-", "x-amz-", "x-ms-", "x-ratelimit-")
#: Its presence is what a requirement is about, and its value changes with every reply.
_REQUEST_ID = "x-request-id"
_SENT = frozenset({"accept", "content-type", "openai-beta"})


def path_of(folder: Path, scope: str) -> Path:
    """Where the cassette of a scope lies: readable, stable, and safe on every file system."""
    *parents, name = scope.split("/", 2)
    safe = re.sub(r"[^a-z0-9_.]+", "-", name, flags=re.IGNORECASE).strip("-")[:_LONGEST_NAME]
    if safe != name:
        safe += f"-{hashlib.sha256(scope.encode()).hexdigest()[:6]}"
    return folder.joinpath(*parents, f"{safe}.json")


def load(path: Path) -> Any:
    """Load a cassette for playing."""
    return Cassette.load(
        path=path, serializer=jsonserializer, record_mode=RecordMode.NONE, match_on=(_same_request,)
    )


def blank(path: Path) -> Any:
    """Make a cassette for recording."""
    return Cassette(path=path, serializer=jsonserializer, record_mode=RecordMode.ALL, match_on=(_same_request,))


def stored_request(request: Request) -> StoredRequest:
    """The request as vcrpy keeps it: without a host, and without any header but those that change its meaning."""
    query = "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in request.query)
    uri = HOST + request.path + (f"?{query}" if query else "")
    headers = {name: value for name, value in request.headers.items() if name in _SENT}
    return StoredRequest(request.method, uri, request.body, headers)


def stored_response(reply: Reply, offset: float, headers: Mapping[str, str]) -> dict[str, Any]:
    """The response as vcrpy keeps it, with its time relative to the beginning of the scope, in seconds."""
    body = reply.response.body
    try:
        kept = {"string": body.decode()}
    except UnicodeDecodeError:
        kept = {"string": "", "base64": base64.b64encode(body).decode()}
    status = reply.response.status
    return {
        "status": {"code": status, "message": HTTPStatus(status).phrase if status in set(HTTPStatus) else ""},
        "headers": {name: [_steady(name, value)] for name, value in sorted(headers.items()) if not _is_volatile(name)},
        "body": kept,
        "offset": round(offset, 3),
        "duration": reply.duration,
    }


def replayed(stored: Mapping[str, Any], start: float) -> Reply:
    """The reply that was stored, at the time at which it came."""
    body = stored["body"]
    raw = base64.b64decode(body["base64"]) if "base64" in body else body["string"]
    headers = {name: values[0] for name, values in stored["headers"].items()}
    response = Response(stored["status"]["code"], headers, raw if isinstance(raw, bytes) else str(raw).encode())
    return Reply(response, round(start + stored["offset"], 3), stored["duration"])


def differences(wanted: StoredRequest, kept: StoredRequest) -> list[str]:
    """How two requests differ, a sentence a part."""
    found = []
    if wanted.method != kept.method:
        found.append(f"method {wanted.method}, recorded {kept.method}")
    if wanted.parsed_uri.path != kept.parsed_uri.path:
        found.append(f"path {wanted.parsed_uri.path}, recorded {kept.parsed_uri.path}")
    if wanted.parsed_uri.query != kept.parsed_uri.query:
        found.append(f"query {wanted.parsed_uri.query!r}, recorded {kept.parsed_uri.query!r}")
    if not _same_body(wanted, kept):
        found.append(f"body {_short(wanted.body)}, recorded {_short(kept.body)}")
    return found


def _same_request(one: StoredRequest, other: StoredRequest) -> bool:
    return one.method == other.method and one.uri == other.uri and _same_body(one, other)


def _same_body(one: StoredRequest, other: StoredRequest) -> bool:
    mine, theirs = one.body or b"", other.body or b""
    if mine == theirs:
        return True
    parsed = parse_json(mine)
    return parsed is not NOT_JSON and bool(parsed == parse_json(theirs))


def _is_volatile(name: str) -> bool:
    return name in _VOLATILE or name.startswith(_VOLATILE_PREFIXES)


def _steady(name: str, value: str) -> str:
    return "req_recorded" if name == _REQUEST_ID else value


def _short(body: bytes | None) -> str:
    text = (body or b"").decode("utf-8", "replace")
    return text if len(text) <= 200 else text[:197] + "..."
