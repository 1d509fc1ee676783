"""vcrpy's JSON document, with bodies in pieces that a diff shows one by one; vcrpy takes the module as serializer."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Behind every line, and in compact JSON before every member of an object.
_BETWEEN_PIECES = re.compile(r'(?<=\n)|(?<=,)(?= ?")')


def serialize(cassette: Mapping[str, Any]) -> str:
    """Write a cassette."""
    return json.dumps(_with_bodies(cassette, _written), indent=1) + "\n"


def deserialize(text: str) -> dict[str, Any]:
    """
    Read a cassette.

    Raises:
        ValueError, TypeError, KeyError: it is none.
    """
    return _with_bodies(json.loads(text), _read)


def _with_bodies(cassette: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    changed = []
    for each in cassette["interactions"]:
        request, response = each["request"], each["response"]
        body = {**response["body"], "string": change(response["body"]["string"])}
        changed.append(
            {"request": {**request, "body": change(request["body"])}, "response": {**response, "body": body}}
        )
    return {**cassette, "interactions": changed}


def _written(body: str | bytes | None) -> Any:
    """One piece as it is, several as a list, and what is no text as base64."""
    if isinstance(body, bytes):
        return {"base64": base64.b64encode(body).decode()}
    pieces = [piece for piece in _BETWEEN_PIECES.split(body or "") if piece]
    return pieces if len(pieces) > 1 else body


def _read(written: Any) -> Any:
    if isinstance(written, dict):
        return base64.b64decode(written["base64"])
    return "".join(written) if isinstance(written, list) else written
