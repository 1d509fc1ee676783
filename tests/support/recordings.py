"""Recorded bodies as evidence: reading them, and telling their shapes apart."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from conformance.wire.exchange import Exchange, Request, Response
from support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

HERE = Path(__file__).parent
SYNTHETIC = HERE / "bodies.ndjson"
PROFILES = {"v1": "openai-v1", "v2": "openai"}
#: A run that is seen twice in a second was further along the second time.
_PROGRESS = ("queued", "in_progress", "requires_action", "cancelling")


@dataclass(frozen=True)
class Recorded:
    """One body, and the exchange that it came in."""

    version: str
    exchange: Exchange


def places() -> list[Path]:
    """The files of recordings of the real service; a public checkout has none."""
    named = os.environ.get("RUNS_CONFORMANCE_EVIDENCE")
    where = Path(named) if named else ROOT.parent / "shared" / "evidence"
    return sorted(where.glob("*.ndjson")) if where.is_dir() else [where] if where.is_file() else []


def read(paths: Iterable[Path]) -> list[Recorded]:
    """All bodies of runs, steps, lists, errors and streams, in the order in which they were sent."""
    entries = [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines() if line]
    bodies = [(entry, body) for entry in entries for body in _bodies(entry)]
    bodies.sort(key=lambda pair: _place_in_time(*pair))
    return [Recorded(entry["api_version"], _exchange(n, entry, body)) for n, (entry, body) in enumerate(bodies, 1)]


def shape(recorded: Recorded) -> tuple[Any, ...]:
    """What tells one shape from another: version, status code, status, and the members with null or their type."""
    body, operation = recorded.exchange.json, recorded.exchange.operation
    items = body.get("data", ()) if operation and operation.returns == "step_list" else ()
    outlines = {(item["status"], _outline(item)) for item in items}
    return recorded.version, recorded.exchange.status, body.get("status"), _outline(body), frozenset(outlines)


def _outline(value: Any, depth: int = 2) -> Any:
    if isinstance(value, dict) and depth:
        return tuple(sorted((name, _outline(inner, depth - 1)) for name, inner in value.items()))
    if isinstance(value, list):
        return "empty array" if not value else "array"
    return type(value).__name__


def _bodies(entry: Mapping[str, Any]) -> Iterator[Any]:
    match entry["kind"]:
        case "sse-stream":
            events = entry["body"] if isinstance(entry["body"], list) else []
            yield events
            runs = [event["data"] for event in events if isinstance(event.get("data"), dict)]
            yield from (run for run in runs if run.get("object") == "thread.run")
        case _:
            yield entry["body"]


def _place_in_time(entry: Mapping[str, Any], body: Any) -> tuple[float, int]:
    status = body.get("status") if isinstance(body, dict) else None
    return _moment(entry), _PROGRESS.index(status) if status in _PROGRESS else len(_PROGRESS)


def _moment(entry: Mapping[str, Any]) -> float:
    try:
        return parsedate_to_datetime(entry["recorded_at"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return 0.0


def _exchange(number: int, entry: Mapping[str, Any], body: Any) -> Exchange:
    request, sent_body = entry.get("request") or "", (entry.get("request_body") or "").encode()
    kind, content = "application/json", json.dumps(body).encode()
    if isinstance(body, list):
        kind, content, sent_body = "text/event-stream; charset=utf-8", b"".join(map(_frame, body)), b'{"stream": true}'
    elif entry["kind"] in {"run-in-list", "run-in-sse", "sse-stream"} or not request:
        request = f"GET /v1/threads/{body['thread_id']}/runs/{body['id']}"
    method, _, target = request.partition(" ")
    parts = urlsplit(target)
    sent = {"authorization": "Bearer ...", "content-type": "application/json", "openai-beta": "assistants"}
    return Exchange(
        number,
        f"{entry.get('repo')}/{entry.get('path')}",
        Request(method, parts.path, tuple(parse_qsl(parts.query)), sent, sent_body),
        Response(int(entry.get("http_status") or 200), {"content-type": kind}, content),
        _moment(entry),
        0.0,
    )


def _frame(event: Mapping[str, Any]) -> bytes:
    """An event as the real service sent it: its data on one line, without spaces."""
    data = event["data"]
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    return f"event: {event['event']}\ndata: {text}\n\n".encode()
