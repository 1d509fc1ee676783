"""What the validation of a body is made of: checks of a value, each naming the place where it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal, invalid, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    #: Takes the name of a place and the value there, and refuses what is wrong.
    Check = Callable[[str, Any], None]

_LARGEST_INTEGER = 2**31 - 1
_KINDS = {bool: "a boolean", int: "an integer", float: "a number", str: "a string", dict: "an object", list: "an array"}


def of_type(*types: type) -> Check:
    """One of the JSON types; true is no integer."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            wanted, got = " or ".join(_KINDS[each] for each in types), _KINDS.get(type(value), "null")
            problem = f"expected {wanted}, but got {got} instead."
            raise Refusal(f"Invalid type for '{name}': {problem}", param=name, code="invalid_type")

    return check


def number(low: float, high: float) -> Check:
    """A number within bounds, both included."""

    def check(name: str, value: Any) -> None:
        of_type(int, float)(name, value)
        if not low <= value <= high:
            side = "below_min" if value < low else "above_max"
            raise invalid(name, f"expected a value from {low} to {high}, but got {value}.", f"decimal_{side}_value")

    return check


def integer(low: int, high: int = _LARGEST_INTEGER) -> Check:
    """An integer within bounds, both included."""

    def check(name: str, value: Any) -> None:
        of_type(int)(name, value)
        if value < low:
            raise invalid(name, f"expected a value >= {low}, but got {value}.", "integer_below_min_value")
        if value > high:
            raise invalid(name, f"expected a value <= {high}, but got {value}.", "integer_above_max_value")

    return check


def one_of(*values: str) -> Check:
    """One of some words."""

    def check(name: str, value: Any) -> None:
        of_type(str)(name, value)
        if value not in values:
            raise invalid(name, f"'{value}' is none of {', '.join(values)}.")

    return check


def text(longest: int) -> Check:
    """A string of limited length."""

    def check(name: str, value: Any) -> None:
        of_type(str)(name, value)
        if len(value) > longest:
            raise invalid(name, f"a string of at most {longest} characters was expected.", "string_above_max_length")

    return check


def items(check_item: Check, most: int | None = None) -> Check:
    """An array of such items."""

    def check(name: str, value: Any) -> None:
        of_type(list)(name, value)
        if most is not None and len(value) > most:
            raise invalid(name, f"at most {most} items were expected, but got {len(value)}.", "array_above_max_length")
        for index, item in enumerate(value):
            check_item(f"{name}[{index}]", item)

    return check


def members(checks: Mapping[str, Check], *required: str, nullable: tuple[str, ...] = ()) -> Check:
    """A closed object: its members, which of them must be there, and which may be null."""

    def check(name: str, value: Any) -> None:
        of_type(dict)(name or "body", value)
        prefix = f"{name}." if name else ""
        for member in required:
            if member not in value:
                raise missing(prefix + member)
        for member, inner in value.items():
            if member not in checks:
                param = prefix + member
                raise Refusal(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
            if inner is not None or member not in nullable:
                checks[member](prefix + member, inner)

    return check
