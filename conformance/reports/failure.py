"""The text of a broken requirement: the same in the terminal, in JUnit, in Allure and in the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.reports.reproduction import commands
from conformance.wire.values import NOT_JSON, cut

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from conformance.outcomes import Violation
    from conformance.reports.commands import Place
    from conformance.requirements import Requirement
    from conformance.verdicts import Finding
    from conformance.wire.exchange import Exchange

#: Exchanges of a history that are shown, the telling one among them.
HISTORY = 6
#: Violations of one item that are shown in full.
SHOWN = 5
#: Characters of a body that are shown.
_LONGEST_BODY = 200


@dataclass(frozen=True)
class Told:
    """What is told of one violation; what there is nothing to tell of is empty."""

    expected: str
    actual: str
    history: str
    body: str
    #: The lines of a command, or of a script.
    reproduce: tuple[str, ...]


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
        _entry(place.role, place.target),
        _entry("case", case_name(finding.item)),
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
            _entry("accept", accept(row, until)),
        )
    )


def history(exchanges: Sequence[Exchange]) -> str:
    """Exchanges in a line, with the time that passed between those of one scope."""
    told = []
    previous = None
    for exchange in exchanges[-HISTORY:]:
        if previous and previous.scope == exchange.scope:
            told.append(f"+{max(exchange.at - previous.ended, 0) * 1000:.0f} ms")
        told.append(str(exchange))
        previous = exchange
    return "   ".join(told)


def told(violation: Violation, place: Place) -> Told:
    """What is told of a violation, wherever it is told."""
    exchanges = violation.exchanges
    return Told(
        violation.expected,
        violation.actual,
        history(exchanges),
        _told_body(exchanges[-1]) if exchanges else "",
        tuple(commands(violation, place)),
    )


def accept(row: Requirement, until: date) -> str:
    """How a broken requirement is accepted as known."""
    return f'{row.id} = {{ reason = "...", until = "{until}" }}   in known-failures.toml'


def case_name(item: str) -> str:
    """The file and the name of an item, without folders."""
    file, colons, name = item.partition("::")
    return file.rpartition("/")[2] + colons + name


def _violation(violation: Violation, place: Place) -> list[str]:
    parts = told(violation, place)
    lines = [_entry("expected", parts.expected), _entry("actual", parts.actual)]
    lines += [_entry("history", parts.history)] if parts.history else []
    lines += [_entry("body", parts.body)] if parts.body else []
    return lines + [_entry("" if number else "reproduce", line) for number, line in enumerate(parts.reproduce)]


def _told_body(exchange: Exchange) -> str:
    """What a reply that is no success, or no JSON, has to say, on one line."""
    if exchange.succeeded and exchange.json is not NOT_JSON:
        return ""
    text = exchange.response.body[: 4 * _LONGEST_BODY].decode("utf-8", "replace").replace("\0", "")
    line = "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))
    return cut(line, _LONGEST_BODY)


def _entry(name: str, text: str) -> str:
    return f"  {name:<10} {text}"
