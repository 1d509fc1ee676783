"""How texts of the catalogue and of the code are put into Markdown, and how pages refer to a requirement."""

from __future__ import annotations

import re

from conformance.requirements import catalogue

#: What GitHub or the site would take for markup. An underscore within a word is none.
_MARKUP = re.compile(r"([\\*\[\]<|]|(?<!\w)_|_(?!\w))")

_ID = re.compile(r"RUN-[A-Z]+-\d{3}")


def plain(text: str) -> str:
    """A text that is shown as it stands, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def reference(id: str, folder: str = "requirements/") -> str:
    """A link to a requirement, from a page beside the folder of the areas."""
    return f"[{id}]({folder}{catalogue()[id].area.key.lower()}.md#{id.lower()})"


def linked(text: str, folder: str = "requirements/") -> str:
    """A text that is shown as it stands, but for the requirements that it names, which are links."""
    return _ID.sub(lambda found: reference(found[0], folder), plain(text))
