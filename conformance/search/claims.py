"""What the model says of a reply: the requirement that it measured, and how that is broken, if it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.outcomes import Violation

if TYPE_CHECKING:
    from conformance.wire.exchange import Exchange


@dataclass(frozen=True)
class Claim:
    """One requirement, measured once."""

    requirement: str
    violation: Violation | None


def claim(requirement: str, holds: object, expected: str, actual: str, *exchanges: Exchange) -> Claim:
    """Something must hold; the exchanges show whether it does, the telling one last."""
    return Claim(requirement, None if holds else Violation(expected, actual, exchanges))


def told(reply: Exchange) -> str:
    """The status code of a reply in words."""
    return f"status {reply.status}"
