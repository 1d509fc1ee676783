"""Which recorded request a request is, and how two differ; the host never matters, since recordings know none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.wire.values import NOT_JSON, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Characters of a part of a request in a message, and how many of them come before the difference in a longer one.
_SHOWN, _SHOWN_BEFORE = 100, 20


def same_request(one: Any, other: Any) -> bool:
    """Whether two of vcrpy's requests have the same method, path, query and body; JSON is compared as JSON."""
    return one.method == other.method and one.uri == other.uri and _same_body(one.body or b"", other.body or b"")


def closest(wanted: Any, recorded: Sequence[Any]) -> str:
    """Describe the recorded request that is most like the wanted one, and all that differs."""
    found = min(recorded, key=lambda request: len(_differences(wanted, request)))
    path, _ = _target(found)
    return f"{found.method} {path}, which has another {'; another '.join(_differences(wanted, found))}"


def _differences(wanted: Any, recorded: Any) -> list[str]:
    (path, query), (recorded_path, recorded_query) = _target(wanted), _target(recorded)
    parts = [
        ("method", wanted.method, recorded.method),
        ("path", path, recorded_path),
        ("query", query, recorded_query),
    ]
    if not _same_body(wanted.body or b"", recorded.body or b""):
        parts.append(("body", _as_text(wanted.body), _as_text(recorded.body)))
    return [_told(*part) for part in parts if part[1] != part[2]]


def _target(request: Any) -> tuple[str, str]:
    path, _, query = request.uri.partition("://")[2].partition("?")
    return path[path.find("/") :], query


def _told(part: str, wanted: str, recorded: str) -> str:
    long = max(len(wanted), len(recorded)) > _SHOWN
    start = max(0, _length_in_common(wanted, recorded) - _SHOWN_BEFORE) if long else 0
    return f"{part}: asked {_cut(wanted, start)}, recorded {_cut(recorded, start)}"


def _length_in_common(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))


def _cut(text: str, start: int) -> str:
    shown = text[start : start + _SHOWN]
    before, after = "..." if start else "", "..." if start + _SHOWN < len(text) else ""
    return f"{before}{shown}{after}" or "none"


def _same_body(one: bytes, other: bytes) -> bool:
    return one == other or _comparable(one) == _comparable(other)


def _comparable(body: bytes) -> str | bytes:
    """JSON in one canonical form, which unlike Python tells 1 from true and from 1.0; other bytes as they are."""
    try:
        parsed = parse(body)
        return body if parsed is NOT_JSON else json.dumps(parsed, sort_keys=True)
    except RecursionError:
        return body


def _as_text(body: bytes | None) -> str:
    comparable = _comparable(body or b"")
    return comparable if isinstance(comparable, str) else comparable.decode("utf-8", "backslashreplace")
