"""Metadata that a run is created with: stripped, mangled, cut, or put right in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference.errors import invalid
from conformance.reference.faults.mishearing import mishears
from conformance.reference.faults.registry import shows

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.reference.faults.mishearing import Said

    Pairs = dict[str, Any]


def _pairs(right: Callable[[Pairs], Pairs]) -> Callable[[Said], None]:
    """Replace metadata that is an object."""

    def change(said: Said) -> None:
        if isinstance(given := said.get("metadata"), dict):
            said["metadata"] = right(given)

    return change


def _keys(right: Callable[[str], str]) -> Callable[[Said], None]:
    """Replace each key."""
    return _pairs(lambda given: {right(key): value for key, value in given.items()})


def _values(right: Callable[[str], str]) -> Callable[[Said], None]:
    """Replace each value that is a text."""
    return _pairs(lambda given: {key: right(each) if isinstance(each, str) else each for key, each in given.items()})


def _refuses(wrong: Callable[[Pairs], bool]) -> Callable[[Said], None]:
    """Refuse metadata of a kind."""

    def change(said: Said) -> None:
        if isinstance(given := said.get("metadata"), dict) and wrong(given):
            raise invalid("metadata", "that is too much.")

    return change


mishears(
    "fifteen-pairs",
    "Metadata of sixteen pairs is refused.",
    "CREATE-013",
    change=_refuses(lambda given: len(given) == 16),
)
mishears(
    "drops-the-sixteenth",
    "Of sixteen pairs the last one is lost.",
    "CREATE-013",
    change=_pairs(lambda given: dict([*given.items()][:15]) if len(given) == 16 else given),
)
mishears(
    "drops-the-seventeenth",
    "Of seventeen pairs the last one is lost.",
    "CREATE-013",
    change=_pairs(lambda given: dict([*given.items()][:16])),
)
mishears(
    "keys-of-63",
    "A key of 64 characters is refused.",
    "CREATE-013",
    change=_refuses(lambda given: any(len(key) == 64 for key in given)),
)
mishears(
    "values-of-511",
    "A value of 512 characters is refused.",
    "CREATE-013",
    change=_refuses(lambda given: any(len(str(each)) == 512 for each in given.values())),
)
mishears(
    "cuts-keys",
    "A key is cut at 64 characters.",
    "CREATE-013",
    change=_pairs(lambda given: {key[:64]: value for key, value in given.items()}),
)
mishears(
    "cuts-values",
    "A value is cut at 512 characters.",
    "CREATE-013",
    change=_values(lambda text: text[:512]),
)
mishears(
    "cuts-values-short",
    "A value is cut at 500 characters, if it is no longer than it may be.",
    "CREATE-013",
    change=_values(lambda text: text[:500] if len(text) <= 512 else text),
)
mishears(
    "counts-bytes",
    "Keys and values have so many bytes, and not characters.",
    "CREATE-013",
    change=_refuses(
        lambda given: any(len(str(value).encode("utf-8", "replace")) > 512 for value in given.values()),
    ),
)
mishears(
    "writes-values-as-text",
    "A value of metadata that is no text is made one.",
    "CREATE-013",
    change=_pairs(lambda given: {key: str(value) for key, value in given.items()}),
    seen="version 1 of the real service",
)
mishears(
    "drops-what-is-no-text",
    "A value of metadata that is no text is dropped.",
    "CREATE-013",
    change=_pairs(lambda given: {key: value for key, value in given.items() if isinstance(value, str)}),
)
mishears(
    "drops-what-is-no-object",
    "Metadata that is no object is ignored.",
    "CREATE-013",
    change=lambda said: said.update(metadata=given if isinstance(given := said.get("metadata"), dict) else {}),
)


def _strip(said: Said) -> None:
    if isinstance(given := said.get("metadata"), dict) and len(given) <= 16 and all(map(_fits, given.items())):
        del said["metadata"]


def _fits(pair: tuple[str, Any]) -> bool:
    key, value = pair
    return len(key) <= 64 and isinstance(value, str) and len(value) <= 512


def _without_empty(said: Said) -> None:
    if isinstance(given := said.get("metadata"), dict):
        said["metadata"] = {key: value for key, value in given.items() if value != ""}


def _narrow(text: str) -> str:
    return "".join(char if ord(char) < 0x10000 else "?" for char in text)


mishears(
    "strips-metadata",
    "Metadata of a create is stripped from the request on its way.",
    "CREATE-012",
    "CREATE-013",
    change=_strip,
    seen="LiteLLM",
)
mishears("lowers-keys", "The keys of metadata are put in lower case.", "CREATE-012", change=_keys(str.lower))
mishears(
    "keys-without-spaces",
    "Spaces in the keys of metadata are replaced.",
    "CREATE-012",
    "CREATE-013",
    change=_keys(lambda key: key.replace(" ", "_")),
)
mishears(
    "mangles-metadata",
    "Metadata is UTF-8, and read as if it were Latin-1.",
    "CREATE-012",
    "CREATE-013",
    change=_values(lambda text: text.encode("utf-8", "replace").decode("latin-1")[:512]),
)
mishears(
    "narrow-characters",
    "Characters of metadata beyond 16 bits are lost.",
    "CREATE-012",
    change=_values(_narrow),
)
mishears(
    "only-ascii",
    "Characters of metadata beyond ASCII are lost.",
    "CREATE-012",
    "CREATE-013",
    change=_values(lambda text: text.encode("ascii", "replace").decode()),
)
mishears("trims-metadata", "Spaces around the values of metadata are trimmed.", "CREATE-012", change=_values(str.strip))
mishears("drops-the-empty", "Empty values of metadata are dropped.", "CREATE-012", change=_without_empty)
mishears(
    "escapes-metadata",
    "Metadata is made safe for a web page.",
    "CREATE-012",
    change=_values(lambda text: text.replace("&", "&amp;").replace("<", "&lt;")),
)
mishears(
    "joins-lines",
    "Lines in the values of metadata are joined.",
    "CREATE-012",
    change=_values(lambda text: text.replace("\n", " ")),
)
mishears(
    "numbers-in-metadata",
    "Values of metadata that look like numbers are written as such.",
    "CREATE-012",
    change=_values(lambda text: str(int(text)) if text.isascii() and text.isdigit() else text),
)
mishears(
    "signs-metadata",
    "A pair of the server's own is added to the metadata of every run.",
    "CREATE-012",
    change=lambda said: (
        said.update(metadata={**(said.get("metadata") or {}), "via": "gateway"})
        if isinstance(said.get("metadata", {}), dict | None) and len(said.get("metadata") or {}) < 16
        else None
    ),
)
shows(
    "lists-without-metadata",
    "Runs are listed without their metadata.",
    "CREATE-012",
    "MODIFY-001",
    "INV-029",
    "INV-033",
    "CANCEL-029",
    change=lambda told, _, call: told.update(metadata={}) if call.operation == "list_runs" else None,
)
shows(
    "reads-without-metadata",
    "Runs are read without their metadata.",
    "CREATE-012",
    "MODIFY-001",
    "THREADRUN-004",
    "INV-029",
    "INV-033",
    "CANCEL-029",
    "STREAM-016",
    "STREAM-025",
    change=lambda told, _, call: told.update(metadata={}) if call.operation == "retrieve_run" else None,
)
shows(
    "echoes-nothing",
    "The reply to a create shows no metadata, which is there later.",
    "CREATE-012",
    "CREATE-013",
    "INV-029",
    "STREAM-016",
    change=lambda told, _, call: told.update(metadata={}) if call.operation == "create_run" else None,
)
