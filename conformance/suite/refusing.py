"""A run that is asked for much that must be refused, and changes by none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.states.handles import Run
    from conformance.states.shared import Shared


def refusing(shared: Shared) -> Run:
    """A completed run that no case changes but by what should have been refused; each looks at it anew."""
    return shared.once("refusing", lambda: shared.stage.run("completed"))
