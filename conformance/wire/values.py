"""JSON values from a stranger: read without trust, compared as JSON, shown in a few words."""

from __future__ import annotations

import json
from typing import Any, Final

#: Levels of arrays and objects beyond which a text is no JSON to us, so that nothing here ever recurses too deeply.
_DEEPEST: Final = 100
_LONGEST: Final = 120


class NotJson:
    """Stands for a body that is no JSON text, so that `None` can mean the JSON null."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "(not JSON)"


class Absent:
    """Stands for a member that is not there, so that `None` can mean the JSON null."""

    def __repr__(self) -> str:
        return "absent"


NOT_JSON: Final = NotJson()
ABSENT: Final = Absent()


def parse(body: bytes) -> Any:
    """Decode a JSON text; anything that is none, however hostile, is `NOT_JSON`."""
    try:
        value = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return NOT_JSON
    # Few texts have enough brackets to be too deep, so few are looked at.
    if body.count(b"[") + body.count(b"{") > _DEEPEST and _is_deeper(value, _DEEPEST):
        return NOT_JSON
    return value


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; unlike in Python, true is not 1, and 1.0 is not 1."""
    if one is other:
        return True
    if one is ABSENT or other is ABSENT:
        return False
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def shown(value: object) -> str:
    """A JSON value in a few words."""
    if value is ABSENT or value is NOT_JSON:
        return repr(value)
    return cut(json.dumps(value, ensure_ascii=False, default=str))


def cut(text: str, longest: int = _LONGEST) -> str:
    """The text, or as much of its beginning as fits."""
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _no_number(literal: str) -> Any:
    """JSON knows no NaN and no infinity."""
    raise ValueError(literal)


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)
