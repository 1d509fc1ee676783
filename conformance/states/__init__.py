"""How a run is brought into a state on a target that offers nothing but the API."""

from typing import Final

#: States in which a run may still move.
ACTIVE: Final = ("queued", "in_progress", "requires_action", "cancelling")
#: States at which a run comes to rest by itself.
FINISHED: Final = ("completed", "failed", "incomplete", "expired")
#: Every state at which a run rests for good.
FINAL: Final = (*FINISHED, "cancelled")
ALL: Final = (*ACTIVE, *FINAL)
