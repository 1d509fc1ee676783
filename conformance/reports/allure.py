"""Allure: epic, feature and story are suite, area and requirement; every exchange is attached, redacted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.requirements import Level
from conformance.wire.values import NOT_JSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conformance.redaction import Redactor
    from conformance.verdicts import Finding
    from conformance.wire.exchange import Exchange

#: Bytes of a body that are attached.
_LONGEST_BODY = 256 * 1024
_SEVERITY = {Level.MUST: "critical", Level.SHOULD: "normal", Level.MAY: "minor"}


def tell(finding: Finding, text: str, exchanges: Iterable[Exchange], redactor: Redactor) -> None:
    """
    Place the running item in the tree of clauses, and attach what it saw and what it came to.

    Args:
        finding: What it came to; a verdict that Allure has no word for becomes a tag.
        text: The text of a failure, or the reason of another verdict; it may be empty.
        exchanges: What it sent and what came back.
        redactor: Every attachment passes through it.
    """
    allure, row = _allure(), finding.requirement
    dynamic = allure.dynamic
    dynamic.epic("Runs conformance")
    dynamic.feature(f"{row.area.key} {row.area.name}")
    dynamic.story(f"{row.id} {row.title}")
    dynamic.severity(_SEVERITY[finding.level])
    dynamic.description(f"{finding.title}\n\n{row.why}\n\nBasis {row.basis}. Sources: {'; '.join(row.sources)}.")
    dynamic.tag(row.id, finding.level, row.area.key, str(finding.verdict))
    if text:
        allure.attach(redactor.text(text), str(finding.verdict), allure.attachment_type.TEXT)
    for exchange in exchanges:
        allure.attach(
            redactor.text(_told(exchange, redactor)), redactor.text(_name(exchange)), allure.attachment_type.TEXT
        )


def _name(exchange: Exchange) -> str:
    request = exchange.request
    return f"#{exchange.number} {request.method} {request.path} {exchange.status}, {exchange.duration * 1000:.0f} ms"


def _allure() -> Any:
    """The library, which has no types and is there only where `--alluredir` was given."""
    import allure

    return allure


def _told(exchange: Exchange, redactor: Redactor) -> str:
    request, response = exchange.request, exchange.response
    query = "&".join(f"{name}={value}" for name, value in request.query)
    return "\n".join(
        (
            f"{request.method} {request.path}{'?' + query if query else ''}",
            *_headers(redactor.headers(request.headers)),
            "",
            _body(request.json, request.body),
            "",
            f"{response.status}",
            *_headers(redactor.headers(response.headers)),
            "",
            _body(response.json, response.body),
        )
    )


def _headers(headers: Mapping[str, str]) -> Iterable[str]:
    return (f"{name}: {value}" for name, value in headers.items())


def _body(value: object, raw: bytes) -> str:
    if len(raw) > _LONGEST_BODY:
        return f"{raw[:_LONGEST_BODY].decode('utf-8', 'replace')}... ({len(raw)} bytes)"
    return raw.decode("utf-8", "replace") if value is NOT_JSON else json.dumps(value, indent=2, ensure_ascii=False)
