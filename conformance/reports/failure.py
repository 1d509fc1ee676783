"""The text of a broken requirement: the same in the terminal, in JUnit and in Allure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.reports.commands import curl, script
from conformance.reports.reproduction import sequence_of
from conformance.wire.values import NOT_JSON, cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from conformance.outcomes import Violation
    from conformance.reports.commands import Place
    from conformance.verdicts import Finding
    from conformance.wire.exchange import Exchange

#: Exchanges of a history that are shown before the telling one.
_HISTORY = 6
#: Violations of one item that are shown in full.
SHOWN = 5
#: Characters of a body that are shown.
_LONGEST_BODY = 200


def failure_text(finding: Finding, place: Place, *, until: date, journal: Iterable[Exchange] = ()) -> str:
    """
    Tell a stranger what was broken, how it showed, and what to do about it.

    Args:
        finding: What the item came to; it has violations.
        place: Where it happened.
        until: The day that is proposed as the end of accepting it.
        journal: All exchanges of the session, for those that made what a violation is about.
    """
    row = finding.requirement
    lines = [
        f"{row.id}  {finding.title}",
        _entry("target", place.target),
        _entry("case", finding.item.rpartition("/")[2]),
    ]
    for number, violation in enumerate(finding.violations[:SHOWN]):
        lines += [""] * (number > 0)
        lines += _violation(violation, place, journal)
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


def _violation(violation: Violation, place: Place, journal: Iterable[Exchange]) -> list[str]:
    lines = [_entry("expected", violation.expected), _entry("actual", violation.actual)]
    if violation.exchanges:
        lines.append(_entry("history", history(violation.exchanges)))
        if body := _told_body(violation.exchanges[-1]):
            lines.append(_entry("body", body))
        first, *more = _commands(violation, place, journal)
        lines += [_entry("reproduce", first), *(_entry("", line) for line in more)]
    return lines


def _commands(violation: Violation, place: Place, journal: Iterable[Exchange]) -> list[str]:
    """What shows the violation once more, a line each."""
    sequence = sequence_of(violation, journal, lasting=place.lasting)
    sent = script(sequence, place) if sequence else [curl(violation.exchanges[-1].request, place)]
    return [f"{place.serving}   # in another shell; its --help tells the key", *sent] if place.serving else sent


def _told_body(exchange: Exchange) -> str:
    """What a reply that is no success, or no JSON, has to say, on one line."""
    if exchange.succeeded and exchange.json is not NOT_JSON:
        return ""
    text = exchange.response.body[: 4 * _LONGEST_BODY].decode("utf-8", "replace").replace("\0", "")
    line = "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))
    return cut(line, _LONGEST_BODY)


def _entry(name: str, text: str) -> str:
    return f"  {name:<10} {text}"
