"""What reports call things, for people: one word and one sign for each outcome and verdict, never a colour alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.verdicts import Verdict

if TYPE_CHECKING:
    from conformance.reports.document import Report

SYMBOLS: Final = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.WARN: "!",
    Verdict.NOTE: "i",
    Verdict.KNOWN: "≈",
    Verdict.STALE: "✗",
    Verdict.FLAKY: "~",
    Verdict.UNSTABLE: "✗",
    Verdict.NOT_APPLICABLE: "–",  # noqa: RUF001 - a dash
    Verdict.UNTESTED: "?",
    Verdict.DISABLED: "–",  # noqa: RUF001 - a dash
    Verdict.ERROR: "⚠",
}
#: How bad a verdict is, to compare with.
RANK: Final = {
    Verdict.PASS: 0,
    Verdict.NOTE: 0,
    Verdict.STALE: 0,
    Verdict.NOT_APPLICABLE: 1,
    Verdict.DISABLED: 1,
    Verdict.FLAKY: 2,
    Verdict.KNOWN: 3,
    Verdict.WARN: 4,
    Verdict.UNTESTED: 5,
    Verdict.ERROR: 6,
    Verdict.UNSTABLE: 7,
    Verdict.FAIL: 8,
}
_KINDS: Final = {
    "replay": "replayed cassettes",
    "reference": "the embedded reference server",
    "url": "a server behind a URL",
    "sdk": "a client",
}


def kind_in_words(kind: str) -> str:
    """What kind of target it is."""
    return _KINDS[kind]


def headline(report: Report) -> str:
    """The outcome in a few words that say no more than was measured."""
    ended, coverage = report.ended, report.coverage
    if ended.outcome == "stale list":
        return "stale list of known failures"
    if ended.outcome not in {"conforms", "incomplete"}:
        return ended.outcome
    known = ended.counts.get(Verdict.KNOWN, 0) + ended.counts.get(Verdict.FLAKY, 0)
    partly = f"{coverage.measured} of {coverage.active} requirements" if coverage.measured < coverage.active else ""
    limits = ", ".join(filter(None, [partly, f"{known} accepted as broken" if known else ""]))
    return f"{ended.outcome} ({limits})" if limits else ended.outcome
