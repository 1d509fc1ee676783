"""The one function that everything written to disk passes through."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

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
#: What terminals obey, or do not show.
_CONTROL = re.compile("[\0-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\r(?!\n)")
#: What stands around each character of an encoding that is wider than a byte.
_WIDE = re.compile("[\0\ufffd]")
_ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
#: A shorter secret would redact half of every text.
_SHORTEST_SECRET = 4
#: A shorter piece of base64 turns up in texts by chance.
_SHORTEST_PIECE = 8
#: What is almost a secret of at least so many characters is one as well: in other letter case, or with another end.
_SHORTEST_KEY, _END = 8, 2
#: The beginning of a secret, at least so many of its characters, is one where a text was cut.
_BEGINNING = 12
#: How many places a longer secret can be cut at, beyond its beginning.
_CUTS = 40


class Redactor:
    """Takes secrets, and what almost is one, out of texts and headers, in every form in which they travel."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        telling = {each for secret in secrets if len(secret) >= _SHORTEST_SECRET for each in _giving_away(str(secret))}
        longest_first = sorted(telling, key=lambda each: (-len(each), each))
        forms = [form for secret in longest_first for form in _forms(secret)]
        self._secret = re.compile("|".join(dict.fromkeys(forms))) if forms else None

    def text(self, text: str) -> str:
        """The text with every form of every secret replaced, and without what no file and no terminal could take."""
        shown = _CONTROL.sub(lambda found: ascii(found[0])[1:-1], self._redacted(text))
        return shown.encode("utf-8", "backslashreplace").decode("utf-8")

    def body(self, body: bytes) -> bytes:
        """The same for bytes, which may be no text."""
        return self._redacted(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def _redacted(self, text: str) -> str:
        if not self._secret:
            return text
        text = self._secret.sub(REDACTED, text)
        if "\0" in text and self._secret.search(narrow := _WIDE.sub("", text)):
            text = self._secret.sub(REDACTED, narrow)
        if "%" in text and self._secret.search(plain := unquote(text)):
            text = self._secret.sub(REDACTED, plain)
        return text

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers without those that carry credentials, and with secrets taken out of the others."""
        kept = {name: value for name, value in headers.items() if not _is_credential(name)}
        return {self.text(name): self.text(value) for name, value in kept.items()}


def _is_credential(name: str) -> bool:
    return name.lower() in _CREDENTIALS or name.lower().startswith(_CREDENTIAL_PREFIXES)


def _giving_away(secret: str) -> Iterator[str]:
    yield secret
    if len(secret) >= _SHORTEST_KEY:
        yield from (secret.swapcase(), secret.lower(), secret.upper(), secret[:-_END])


def _forms(secret: str) -> Iterator[str]:
    """Patterns of the secret as it is, escaped for URLs, JSON and HTML however often, in UTF-16, and in base64."""
    yield _beginning([_escaped(char) for char in secret], _BEGINNING)
    raw = secret.encode("utf-8", "surrogateescape")
    for every in ("{:02x}", "%(?:25)*{:02x}", r"\\+u00{:02x}"):
        yield f"(?i:{_beginning([every.format(byte) for byte in raw], _BEGINNING)})"
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):  # a prefix such as "user:" shifts the text within the groups of three bytes
            first, whole = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
            if whole - first >= _SHORTEST_PIECE:
                piece = encode(bytes(before) + raw).decode()[first:whole]
                yield _beginning([re.escape(char) for char in piece], _BEGINNING * 4 // 3)


def _beginning(pieces: Sequence[str], least: int) -> str:
    """A pattern of at least so many of the pieces, and of as many more as follow."""
    rest = pieces[least:]
    step = -(-len(rest) // _CUTS) or 1
    more = ["".join(rest[at : at + step]) for at in range(0, len(rest), step)]
    return "".join(pieces[:least]) + "".join(f"(?:{each}" for each in more) + ")?" * len(more)


def _escaped(char: str) -> str:
    if char.isascii() and char.isalnum():
        return char
    units = char.encode("utf-16-be", "surrogatepass").hex()
    in_json = "".join(rf"\\+u(?i:{units[at : at + 4]})" for at in range(0, len(units), 4))
    in_url = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in char.encode("utf-8", "surrogateescape"))
    in_html = rf"&(?:amp;)*(?:#0*{ord(char)}|#x0*(?i:{ord(char):x})|{_ENTITIES.get(char, '#')});"
    return rf"(?:\\*{re.escape(char)}|{in_json}|{in_url}|{in_html}{'|[+]' if char == ' ' else ''})"
