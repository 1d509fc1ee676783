"""How a request is put for a target: its prefix, headers, parameters and key."""

from __future__ import annotations

import json as jsonlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from conformance.outcomes import Untested
from conformance.wire.exchange import JSON_TYPE, Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNSET: Final[Any] = object()
#: Characters of an escaped path or parameter beyond which no server can be expected to read it.
_LONGEST: Final = 8000


class Dialect:
    """Puts requests."""

    def __init__(
        self,
        *,
        base_path: str = "/v1",
        headers: Mapping[str, str] | None = None,
        query: Sequence[tuple[str, str]] = (),
        key: str | None = None,
        key_header: tuple[str, str] = ("authorization", "Bearer {key}"),
    ) -> None:
        """
        Learn what every request has.

        Args:
            base_path: What all paths begin with.
            headers: Those of every request.
            query: The parameters of every request.
            key: The target's key.
            key_header: The name of its header, and a template of its value.
        """
        self.base_path = base_path.rstrip("/")
        # An empty header takes back one that an extended profile has.
        self._headers = {name.lower(): value for name, value in (headers or {}).items() if value}
        self._query = tuple(query)
        self._key, self._key_header = key, key_header
        self._usual = {"accept": JSON_TYPE, **self._headers}
        if key is not None:
            self._usual |= self._carrying(key)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        json: Any = UNSET,
        content: bytes = b"",
        content_type: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        key: str | None = UNSET,
    ) -> Request:
        """
        Put a request.

        Args:
            method: The HTTP method.
            path: Percent-encoded, beginning with a slash, below the base path.
            query: Parameters in order; a name may come twice.
            json: A value to send as a JSON body.
            content: A raw body, instead of `json`.
            content_type: The content type of a raw body, or of an empty one; None sends none.
            headers: Headers that replace the usual ones; None removes one.
            key: Another key than the target's; None sends none.

        Raises:
            Untested: a parameter cannot be part of a URL.
        """
        for _, parameter in query:
            in_url(parameter)
        if key is UNSET:
            sent = dict(self._usual)
        else:
            sent = {"accept": JSON_TYPE, **self._headers, **(self._carrying(key) if key is not None else {})}
        if json is not UNSET:
            content, content_type = jsonlib.dumps(json).encode(), JSON_TYPE
        if content_type is not None:
            sent["content-type"] = content_type
        for name, value in (headers or {}).items():
            sent.pop(name.lower(), None)
            if value is not None:
                sent[name.lower()] = value
        return Request(method, self.base_path + path, (*query, *self._query), sent, content)

    def _carrying(self, key: str) -> Mapping[str, str]:
        """The header that carries a key."""
        name, template = self._key_header
        return {name.lower(): template.format(key=key)}


def path_to(template: str, **ids: str) -> str:
    """
    Fill ids into a path such as `/threads/{thread_id}`, escaped.

    Raises:
        Untested: one of them cannot be part of a URL, so that what it names cannot be asked for.
    """
    return template.format(**{name: in_url(value) for name, value in ids.items()})


@lru_cache(maxsize=4096)
def in_url(value: str) -> str:
    """
    Escape an id or a parameter, most of which come from the target.

    Raises:
        Untested: it cannot be part of a URL.
    """
    try:
        escaped = quote(value, safe="")
    except UnicodeError:
        raise Untested(f"{ascii(value)[:100]} cannot be part of a URL") from None
    if len(escaped) > _LONGEST:
        raise Untested(f"{ascii(value)[:100]}... has {len(value)} characters, too many for a URL")
    return escaped
