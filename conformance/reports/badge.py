"""`badge.svg`: the outcome in a few words."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from conformance.reports.words import headline

if TYPE_CHECKING:
    from conformance.reports.document import Report

_LABEL: Final = "runs conformance"
_COLOURS: Final = {"conforms": "#2c6e32", "does not conform": "#b3261e", "stale list": "#b3261e"}
_OTHER: Final = "#6b5200"
#: About as wide as a letter is, and what stands beside a text.
_LETTER, _PADDING = 6.6, 7


def badge(report: Report) -> str:
    """The badge, as SVG; it says the outcome in words, and to those who hear it."""
    told = headline(report)
    whole = escape(f"{_LABEL}: {told}")
    left, right = _width(_LABEL), _width(told)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{whole}">
<title>{whole}</title>
<clipPath id="round"><rect width="{left + right}" height="20" rx="3"/></clipPath>
<g clip-path="url(#round)">
<rect width="{left}" height="20" fill="#3d3d3d"/>
<rect x="{left}" width="{right}" height="20" fill="{_COLOURS.get(report.ended.outcome, _OTHER)}"/>
</g>
<g fill="#fff" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11">
{_text(_LABEL, 0, left)}
{_text(told, left, right)}
</g>
</svg>
"""


def _text(text: str, at: int, width: int) -> str:
    inner = width - 2 * _PADDING
    return (
        f'<text x="{at + _PADDING}" y="14" textLength="{inner}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
    )


def _width(text: str) -> int:
    return round(len(text) * _LETTER) + 2 * _PADDING
