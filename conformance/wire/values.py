"""JSON values from a stranger: read without trust, compared as JSON, shown in a few words."""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Levels of arrays and objects beyond which a text is no JSON to us, so that nothing here ever recurses too deeply.
_DEEPEST: Final = 100
#: Bodies of up to so many bytes, arrays and objects are decoded once, however often they come; so many are kept.
_SMALL: Final = 8_192
_KEPT: Final = 4_096
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
    """
    Decode a JSON text; a body that is not JSON, or that parsers read differently, is `NOT_JSON`.

    Equal bodies return the same object, so the value must not be changed.
    """
    return _parse_small(body) if is_small(body) else _parse(body)


def is_small(body: bytes) -> bool:
    """Whether a body takes little memory once it is decoded, so that it may be kept."""
    return len(body) <= _SMALL and body.count(b"{") + body.count(b"[") <= _DEEPEST


def _parse(body: bytes) -> Any:
    try:
        return _decoded(body)
    except (ValueError, RecursionError):
        return NOT_JSON


_parse_small = lru_cache(maxsize=_KEPT)(_parse)


def why_not_json(body: bytes) -> str:
    """What keeps a body from being a JSON text, in a few words; nothing if it is one."""
    try:
        _decoded(body)
    except (ValueError, RecursionError) as problem:
        return str(problem)
    return ""


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: unlike in Python true is not 1, while 1.0 is the number 1."""
    if one is other:
        return True
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
    return cut(_text(value))


def shown_apart(one: object, other: object) -> tuple[str, str]:
    """Two JSON values in a few words each, so that it shows where they begin to differ."""
    return apart(_text(one), _text(other))


def members_apart(names: Iterable[str], wanted: Mapping[str, Any], got: Mapping[str, Any]) -> tuple[str, str]:
    """Some members as they should be and as they are, each cut around the place where it differs."""
    told = [(name, *shown_apart(wanted.get(name, ABSENT), got.get(name, ABSENT))) for name in names]
    return ", ".join(f"{name} {one}" for name, one, _ in told), ", ".join(f"{name} {other}" for name, _, other in told)


def cut(text: str, longest: int = _LONGEST) -> str:
    """The text, or as much of its beginning as fits."""
    return text if len(text) <= longest else text[: longest - 3] + "..."


def apart(one: str, other: str, longest: int = _LONGEST) -> tuple[str, str]:
    """
    Two texts, or as much as fits of what is around the first place where they differ.

    Args:
        one: A text.
        other: Another one.
        longest: How many characters each may have, beside the dots at its beginning.
    """
    if len(one) <= longest and len(other) <= longest:
        return one, other
    pairs = enumerate(zip(one, other, strict=False))
    differ = next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))
    # No word loses its beginning, by which a secret would be known.
    start = one.rfind(" ", 0, differ - longest // 3) + 1 if differ > longest // 3 else 0
    dots = "..." if start else ""
    return dots + cut(one[start:], longest), dots + cut(other[start:], longest)


def _text(value: object) -> str:
    if value is ABSENT or value is NOT_JSON:
        return repr(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _decoded(body: bytes) -> Any:
    # From text, since Python would guess the encoding of bytes: JSON that travels is UTF-8, without a mark before it.
    text = body.decode()
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark (BOM)")
    value = _DECODER.decode(text)
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


_DECODER: Final = json.JSONDecoder(parse_constant=_no_number, object_pairs_hook=_members)


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)
