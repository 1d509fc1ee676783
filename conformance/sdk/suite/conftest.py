"""The one fixture of the cases about clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.requirements import Side, catalogue

if TYPE_CHECKING:
    from conformance.sdk.conversation import Conversation
    from conformance.sdk.session import ClientSession


@pytest.fixture
def sdk(request: pytest.FixtureRequest, judging: ClientSession) -> Conversation:
    """The client that is judged, and the server that it talks to."""
    (id,) = request.node.get_closest_marker("requirement").args
    return judging.conversation(catalogue(Side.CLIENT)[id])
