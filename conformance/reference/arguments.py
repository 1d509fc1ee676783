"""What a model would call a function with: arguments that are valid for the declared parameters."""

from __future__ import annotations

import json
import math
from typing import Any, TypeGuard

#: In characters; a string is made no longer, whatever is declared.
_LONGEST = 1000


def arguments_for(parameters: Any) -> str:
    """
    The arguments as JSON text.

    Types, constants, enumerations, alternatives, inclusive bounds and lengths are heeded; exclusive bounds, patterns,
    references and a number of items above one are not.
    """
    return json.dumps(_object(parameters), separators=(",", ":"))


def _object(schema: Any) -> dict[str, Any]:
    declared = schema if isinstance(schema, dict) else {}
    properties, required = declared.get("properties"), declared.get("required")
    values = {name: _value(each) for name, each in properties.items()} if isinstance(properties, dict) else {}
    undescribed = {name: "1" for name in required if isinstance(name, str)} if isinstance(required, list) else {}
    return {**undescribed, **values}


def _value(schema: Any) -> Any:
    """A value that is valid for a schema; a schema that makes no sense gets a string."""
    if not isinstance(schema, dict):
        return "1"
    if "const" in schema:
        return schema["const"]
    if enum := _first(schema.get("enum")):
        return enum[0]
    if alternative := _first(schema.get("anyOf")) or _first(schema.get("oneOf")):
        return _value(alternative[0])
    kind = schema.get("type", "object" if "properties" in schema else "string")
    return _of_kind((_first(kind) or [kind])[0], schema)


def _of_kind(kind: Any, schema: dict[str, Any]) -> Any:
    match kind:
        case "object":
            return _object(schema)
        case "array":
            return [_value(schema.get("items"))] if schema.get("minItems") else []
        case "integer" | "number":
            return _number(schema.get("minimum"), schema.get("maximum"), whole=kind == "integer")
        case "boolean":
            return True
        case "null":
            return None
    least, most = schema.get("minLength"), schema.get("maxLength")
    length = min(max(least, 1), _LONGEST) if isinstance(least, int) else 1
    return "" if most == 0 else "1" * length


def _number(low: Any, high: Any, *, whole: bool) -> float:
    if _is_number(low):
        return math.ceil(low) if whole else low
    if _is_number(high) and high < 1:
        return math.floor(high) if whole else high
    return 1


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _first(value: Any) -> list[Any]:
    return value[:1] if isinstance(value, list) else []
