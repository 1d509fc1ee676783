"""The one function that everything written to disk passes through."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

REDACTED = "[redacted]"

_CREDENTIALS = frozenset(
    {
        "api-key",
        "authorization",
        "cookie",
        "openai-organization",
        "openai-project",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
    }
)
_CREDENTIAL_PREFIXES = ("x-litellm-", "x-portkey-")
#: A shorter secret would redact half of every text.
_SHORTEST_SECRET = 4
#: A shorter piece of base64 turns up in texts by chance.
_SHORTEST_PIECE = 8
#: What is almost a secret of at least so many characters is one as well: in other letter case, or with another end.
_SHORTEST_KEY, _END = 8, 2


class Redactor:
    """Takes secrets, and what almost is one, out of texts and headers, in every form in which they travel."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        telling = {each for secret in secrets if len(secret) >= _SHORTEST_SECRET for each in _giving_away(str(secret))}
        longest_first = sorted(telling, key=lambda each: (-len(each), each))
        forms = [form for secret in longest_first for form in _forms(secret)]
        self._secret = re.compile("|".join(dict.fromkeys(forms))) if forms else None

    def text(self, text: str) -> str:
        """The text with every form of every secret replaced, and without what no file could take."""
        return self._redacted(text).encode("utf-8", "backslashreplace").decode("utf-8")

    def body(self, body: bytes) -> bytes:
        """The same for bytes, which may be no text."""
        return self._redacted(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def _redacted(self, text: str) -> str:
        return self._secret.sub(REDACTED, text) if self._secret else text

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers without those that carry credentials, and with secrets taken out of the others."""
        return {name: self.text(value) for name, value in headers.items() if not _is_credential(name)}


def _is_credential(name: str) -> bool:
    return name.lower() in _CREDENTIALS or name.lower().startswith(_CREDENTIAL_PREFIXES)


def _giving_away(secret: str) -> Iterator[str]:
    yield secret
    if len(secret) >= _SHORTEST_KEY:
        yield from (secret.swapcase(), secret[:-_END])


def _forms(secret: str) -> Iterator[str]:
    """Patterns of the secret as it is, escaped for URLs and JSON however often, and in base64."""
    yield "".join(map(_escaped, secret))
    raw = secret.encode("utf-8", "surrogateescape")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield re.escape(encode(raw).decode().rstrip("="))
        for before in range(3):  # a prefix such as "user:" shifts the text within the groups of three bytes
            first, whole = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
            if whole - first >= _SHORTEST_PIECE:
                yield re.escape(encode(bytes(before) + raw).decode()[first:whole])


def _escaped(char: str) -> str:
    if char.isascii() and char.isalnum():
        return char
    units = char.encode("utf-16-be", "surrogatepass").hex()
    in_json = "".join(rf"\\+u(?i:{units[at : at + 4]})" for at in range(0, len(units), 4))
    in_url = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in char.encode("utf-8", "surrogateescape"))
    return rf"(?:\\*{re.escape(char)}|{in_json}|{in_url}{'|[+]' if char == ' ' else ''})"
