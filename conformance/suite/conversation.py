"""Messages that runs are created with, and how those on a thread are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What runs are asked besides, with what is easily lost: roles, metadata, parts, and what is beyond ASCII.
MESSAGES: Final[list[dict[str, Any]]] = [
    {"role": "user", "content": "My name is Zoë ☃.", "metadata": {"Part": "first"}},
    {"role": "assistant", "content": "Hello, Zoë."},
    {"role": "user", "content": [{"type": "text", "text": "What is my name?"}]},
]


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, whether it is in parts or not; nothing where it has none."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    return "".join(_text_in(part) for part in parts)


def _text_in(part: Any) -> str:
    """A text, or the one that a part has somewhere within."""
    while isinstance(part, dict):
        part = part.get("text", part.get("value"))
    return part if isinstance(part, str) else ""
