"""The query parameters that operations document; the real service ignored all others."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from conformance.reference.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PAGE = ("limit", "order", "after", "before")
_INCLUDE = ("include[]", "include")
_KNOWN: Mapping[str, Sequence[str]] = {
    "list_assistants": _PAGE,
    "list_messages": (*_PAGE, "run_id"),
    "list_runs": _PAGE,
    "list_run_steps": (*_PAGE, *_INCLUDE),
    "retrieve_run_step": _INCLUDE,
    "create_run": _INCLUDE,
}


def remarks(operation: str, query: Sequence[tuple[str, str]]) -> list[str]:
    """What is to be said of the names of query parameters: a sentence on each that the operation does not document."""
    known = _KNOWN.get(operation, ())
    return [_said(name, known) for name in dict.fromkeys(name for name, _ in query) if name not in known]


def need_known(operation: str, query: Sequence[tuple[str, str]]) -> None:
    """
    Insist on query parameters that the operation documents.

    Raises:
        Refusal: one is not.
    """
    for name, _ in query:
        if said := remarks(operation, [(name, "")]):
            raise Refusal(said[0], param=name, code="unknown_parameter")


def _said(name: str, known: Sequence[str]) -> str:
    alike = get_close_matches(name, known, 1)
    meant = f" Is '{alike[0]}' meant?" if alike else ""
    return f"Unknown query parameter: '{name}'.{meant}"
