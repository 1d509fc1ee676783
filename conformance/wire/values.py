"""JSON values from a stranger: read without trust, compared as JSON, shown in a few words."""

from __future__ import annotations

import json
from collections import Counter
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
    """Decode a JSON text; anything that is none, or is not the same to every reader, is `NOT_JSON`."""
    try:
        return _decoded(body)
    except (ValueError, RecursionError):
        return NOT_JSON


def why_not_json(body: bytes) -> str:
    """What keeps a body from being a JSON text, in a few words; nothing if it is one."""
    try:
        _decoded(body)
    except (ValueError, RecursionError) as problem:
        return str(problem)
    return ""


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: unlike in Python true is not 1, while 1.0 is the number 1."""
    if isinstance(one, str):
        return bool(one == other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def contains(whole: Any, part: Any) -> bool:
    """Whether a JSON value holds another one: members may have been added to objects, and nothing else."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(contains(whole.get(name, ABSENT), value) for name, value in part.items())
    if isinstance(whole, list) and isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return same(whole, part)


def shown(value: object) -> str:
    """A JSON value in a few words."""
    if value is ABSENT or value is NOT_JSON:
        return repr(value)
    return cut(json.dumps(value, ensure_ascii=False, default=str))


def cut(text: str, longest: int = _LONGEST) -> str:
    """The text, or as much of its beginning as fits."""
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _decoded(body: bytes) -> Any:
    # From text, since Python would guess the encoding of bytes: JSON that travels is UTF-8, without a mark before it.
    value = json.loads(body.decode(), parse_constant=_no_number, object_pairs_hook=_members)
    # Few texts have enough brackets to be too deep, so few are looked at.
    if body.count(b"[") + body.count(b"{") > _DEEPEST and _is_deeper(value, _DEEPEST):
        raise ValueError("it is nested too deeply")
    return value


def _no_number(literal: str) -> Any:
    """JSON knows no NaN and no infinity."""
    raise ValueError(f"{literal} is no number of JSON")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless it says something twice: some readers take the first, others the last."""
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = next(name for name, number in Counter(name for name, _ in pairs).items() if number > 1)
        raise ValueError(f"the member {cut(twice)} is there twice")
    return members


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)
