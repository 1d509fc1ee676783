"""`report.html`: one file that a manager and an engineer can read, with nothing from elsewhere in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from conformance.reports.summary import ATTENTION
from conformance.reports.words import SYMBOLS, headline, kind_in_words
from conformance.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.reports.document import Report, Requirement

_FOLDER = Path(__file__).parent / "html"
#: The verdicts whose items are told in full; of the others the reason says all.
_IN_FULL = frozenset({Verdict.FAIL, Verdict.STALE, Verdict.UNSTABLE, Verdict.WARN, Verdict.FLAKY, Verdict.KNOWN})
_BEGINS, _ENDS = frozenset("{["), frozenset("}]")
#: A text, a sign, or another value of JSON.
_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
#: How an exchange is named in a text.
_NUMBER = re.compile(r"#\d+")
#: The verdicts on items that leave something open in a requirement that was measured.
_OPEN = frozenset({Verdict.UNTESTED, Verdict.ERROR})
_QUIET = {
    Verdict.NOT_APPLICABLE: "not applicable",
    Verdict.DISABLED: "disabled",
    Verdict.PASS: "passed",
}


def page(report: Report) -> str:
    """
    The whole page.

    Whatever the report holds is escaped; should that fail, the policy of the page lets no script run but its own.
    """
    style, script = _read("report.css"), _read("report.js")
    groups = {verdict: _of(report, verdict) for verdict in (*ATTENTION, *_QUIET)}
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            headline=headline(report),
            sentence=_rest(report),
            kind=kind_in_words(report.target.kind),
            style=Markup(style),  # noqa: S704 - ours
            script=Markup(script),  # noqa: S704 - ours
            hashes={"style": _hash(style), "script": _hash(script)},
            columns=[verdict for verdict in Verdict if report.ended.counts.get(verdict)],
            groups=[(verdict, rows) for verdict, rows in groups.items() if rows],
            headings=ATTENTION | _QUIET,
            symbols=SYMBOLS,
            in_full=_IN_FULL,
            open=_OPEN,
            by_reason=_by_reason,
            exchanges={each.number: each for each in report.exchanges},
            readable=_readable,
        )
    )


def _rest(report: Report) -> str:
    """What the verdict says beyond the outcome, which stands above it."""
    if report.ended.outcome == "interrupted":
        return f"verdict: {report.ended.sentence}"
    rest = report.ended.sentence.removeprefix(report.ended.outcome).removeprefix(": ").strip()
    return rest[1:-1] if rest.startswith("(") and rest.endswith(")") else rest


def _of(report: Report, verdict: Verdict) -> Sequence[Requirement]:
    return [each for each in report.requirements if each.verdict is verdict]


def _by_reason(rows: Sequence[Requirement], verdict: Verdict) -> Mapping[str, Sequence[Requirement]]:
    """The requirements of a group by the first reason that they give, whatever exchanges it is about."""
    told: dict[str, list[tuple[str, Requirement]]] = {}
    for row in rows:
        reason = next(item.reason for item in row.items if item.verdict is verdict)
        told.setdefault(_NUMBER.sub("#…", reason), []).append((reason, row))
    return {
        together if len({reason for reason, _ in these}) > 1 else these[0][0]: [row for _, row in these]
        for together, these in told.items()
    }


def _readable(body: str) -> str:
    """A body as people read it: JSON on several lines. Its texts stay as they were sent; decoded they may do harm."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return body
    told, depth = list[str](), 0
    for part in _PART.findall(body):
        ends, after = part in _ENDS, told[-1] if told else ""
        depth -= ends
        if after and ((ends and after not in _BEGINS) or (after in {*_BEGINS, ","} and not ends)):
            told.append("\n" + "  " * depth)
        told.append(": " if part == ":" else part)
        depth += part in _BEGINS
    return "".join(told)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _read(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


@cache
def _environment() -> Environment:
    settings: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "undefined": StrictUndefined}
    return Environment(autoescape=True, loader=FileSystemLoader(_FOLDER), **settings)
