"""The text of a broken requirement: the same in the terminal, in JUnit and in Allure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.outcomes import Violation
    from conformance.verdicts import Finding
    from conformance.wire.exchange import Exchange, Request

#: Exchanges of a history that are shown before the telling one.
_HISTORY = 6
#: Violations of one item that are shown in full.
_SHOWN = 5
#: Request headers that reproduce a call; the key's comes from the environment.
_KEPT_HEADERS = ("content-type", "openai-beta")


def failure_text(finding: Finding, *, target: str, url: str, key_env: str = "OPENAI_API_KEY") -> str:
    """
    Tell a stranger what was broken, how it showed, and what to do about it.

    Args:
        finding: What the item came to; it has violations.
        target: The target in words.
        url: The base URL without its path, for the command that reproduces it.
        key_env: The environment variable that holds the key.
    """
    row = finding.requirement
    title = f"{finding.level} {row.title.split(' ', 1)[1]}"
    lines = [f"{row.id}  {title}", _entry("target", target)]
    for number, violation in enumerate(finding.violations[:_SHOWN]):
        lines += [""] * (number > 0) + _violation(violation, url, key_env)
    if more := len(finding.violations) - _SHOWN:
        lines += [_entry("and", f"{more} more of the same requirement")] if more > 0 else []
    lines += [
        _entry("why", row.why),
        _entry("source", f"{'; '.join(row.sources)}; basis {row.basis}"),
    ]
    return "\n".join(lines)


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


def curl(request: Request, url: str, key_env: str = "OPENAI_API_KEY") -> str:
    """The command that sends a request again; the key stays in the environment."""
    query = "&".join(f"{name}={value}" for name, value in request.query)
    parts = ["curl", "-X", request.method, shlex.quote(url + request.path + (f"?{query}" if query else ""))]
    if "authorization" in request.headers:
        parts += ["-H", f'"Authorization: Bearer ${key_env}"']
    parts += [
        part
        for name in _KEPT_HEADERS
        if name in request.headers
        for part in ("-H", f'"{_capitalised(name)}: {request.headers[name]}"')
    ]
    if request.body:
        parts += ["--data-raw", shlex.quote(request.body.decode("utf-8", "replace"))]
    return " ".join(parts)


def _violation(violation: Violation, url: str, key_env: str) -> list[str]:
    lines = [_entry("expected", violation.expected), _entry("actual", violation.actual)]
    if violation.exchanges:
        lines.append(_entry("history", history(violation.exchanges)))
        lines.append(_entry("reproduce", curl(violation.exchanges[-1].request, url, key_env)))
    return lines


def _entry(name: str, text: str) -> str:
    return f"  {name:<10} {text}"


def _capitalised(name: str) -> str:
    return "OpenAI-Beta" if name == "openai-beta" else name.title()
