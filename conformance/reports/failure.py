"""The text of a broken requirement: the same in the terminal, in JUnit and in Allure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.wire.values import NOT_JSON, cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from conformance.outcomes import Violation
    from conformance.verdicts import Finding
    from conformance.wire.exchange import Exchange, Request

#: Exchanges of a history that are shown before the telling one.
_HISTORY = 6
#: Violations of one item that are shown in full.
SHOWN = 5
_ASCII = 128
#: Characters of a body that are shown.
_LONGEST_BODY = 200
#: Request headers that reproduce a call, as people write them; curl adds the others by itself.
_KEPT_HEADERS = {"content-type": "Content-Type", "openai-beta": "OpenAI-Beta"}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a failure happened, and how somebody else gets there."""

    #: The target in words.
    target: str
    #: Scheme, host and port for the command that reproduces it.
    origin: str
    #: The header that carries the key.
    key_header: str = "authorization"
    #: The key itself, which is never shown but as its environment variable.
    key: str | None = None
    key_env: str = "OPENAI_API_KEY"


def failure_text(finding: Finding, place: Place, *, until: date) -> str:
    """
    Tell a stranger what was broken, how it showed, and what to do about it.

    Args:
        finding: What the item came to; it has violations.
        place: Where it happened.
        until: The day that is proposed as the end of accepting it.
    """
    row = finding.requirement
    lines = [
        f"{row.id}  {finding.title}",
        _entry("target", place.target),
        _entry("case", finding.item.rpartition("/")[2]),
    ]
    for number, violation in enumerate(finding.violations[:SHOWN]):
        lines += [""] * (number > 0)
        lines += _violation(violation, place)
    if (more := len(finding.violations) - SHOWN) > 0:
        lines.append(_entry("and", f"{more} more of the same requirement"))
    return "\n".join(
        (
            *lines,
            _entry("why", row.why),
            _entry("source", f"{'; '.join(row.sources)}; basis {row.basis}"),
            _entry("accept", f'{row.id} = {{ reason = "...", until = "{until}" }}   in known-failures.toml'),
        )
    )


def history(exchanges: Sequence[Exchange]) -> str:
    """Exchanges in a line, with the time that passed between those of one scope."""
    told = []
    previous = None
    for exchange in exchanges[-_HISTORY:]:
        if previous and previous.scope == exchange.scope:
            told.append(f"+{max(exchange.at - previous.ended, 0) * 1000:.0f} ms")
        told.append(str(exchange))
        previous = exchange
    return "   ".join(told)


def curl(request: Request, place: Place) -> str:
    """The command that sends a request again; the target's own key stays in the environment."""
    target = place.origin + request.target
    method = ["-I"] if request.method == "HEAD" else ["-X", request.method]
    return " ".join(["curl", *method, shlex.quote(target), *_headers(request, place), *_body(request)])


def _headers(request: Request, place: Place) -> Iterator[str]:
    header, value = place.key_header, request.headers.get(place.key_header)
    if value is not None:
        name = "-".join(part.capitalize() for part in header.split("-"))
        own = place.key is not None and place.key in value
        yield "-H"
        # Within double quotes the shell fills in the key; a wrong key is part of the test and no secret.
        yield (
            f'"{name}: {value.replace(place.key or "", f"${place.key_env}")}"'
            if own
            else shlex.quote(f"{name}: {value}")
        )
    for header, name in _KEPT_HEADERS.items():
        if header in request.headers:
            yield from ("-H", f'"{name}: {request.headers[header]}"')
    if request.body and "content-type" not in request.headers:
        yield from ("-H", "Content-Type:")  # which curl would invent


def _body(request: Request) -> Iterator[str]:
    if not request.body:
        return
    try:
        yield from ("--data-raw", shlex.quote(request.body.decode()))
    except UnicodeDecodeError:
        escaped = "".join(
            chr(byte) if chr(byte).isalnum() and byte < _ASCII else f"\\x{byte:02x}" for byte in request.body
        )
        yield from ("--data-raw", f"$'{escaped}'")


def _violation(violation: Violation, place: Place) -> list[str]:
    lines = [_entry("expected", violation.expected), _entry("actual", violation.actual)]
    if violation.exchanges:
        lines.append(_entry("history", history(violation.exchanges)))
        if body := _told_body(violation.exchanges[-1]):
            lines.append(_entry("body", body))
        lines.append(_entry("reproduce", curl(violation.exchanges[-1].request, place)))
    return lines


def _told_body(exchange: Exchange) -> str:
    """What a reply that is no success, or no JSON, has to say, on one line."""
    if exchange.succeeded and exchange.json is not NOT_JSON:
        return ""
    text = " ".join(exchange.response.body[: 4 * _LONGEST_BODY].decode("utf-8", "replace").split())
    return cut("".join(char if char.isprintable() else "?" for char in text), _LONGEST_BODY)


def _entry(name: str, text: str) -> str:
    return f"  {name:<10} {text}"
