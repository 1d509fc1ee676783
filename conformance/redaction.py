"""The one function that everything written to disk passes through."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

REDACTED = "[redacted]"

_CREDENTIALS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "api-key",
        "x-api-key",
        "cookie",
        "set-cookie",
        "openai-organization",
        "openai-project",
    }
)
_CREDENTIAL_PREFIXES = ("x-portkey-", "x-litellm-")
#: A shorter secret would redact half of every text.
_SHORTEST_SECRET = 4


class Redactor:
    """Takes secrets out of texts and headers, in every form in which they travel."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        forms: set[str] = set()
        for secret in secrets:
            if len(secret) >= _SHORTEST_SECRET:
                encoded = base64.b64encode(secret.encode()).decode()
                forms |= {str(secret), quote(secret, safe=""), json.dumps(str(secret))[1:-1], encoded.rstrip("=")}
        self._forms = sorted(forms, key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text with every form of every secret replaced."""
        for form in self._forms:
            text = text.replace(form, REDACTED)
        return text

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers with the credentials blanked, and secrets taken out of the others."""
        return {
            name: REDACTED if _is_credential(name) else self.text(value) for name, value in headers.items()
        }


def _is_credential(name: str) -> bool:
    return name.lower() in _CREDENTIALS or name.lower().startswith(_CREDENTIAL_PREFIXES)
