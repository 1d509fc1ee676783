"""Server-sent events: what a stream is made of."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from conformance.wire.values import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

STREAM_TYPE: Final = "text/event-stream"
#: The name and the data of the last event.
DONE, DONE_DATA = "done", "[DONE]"
#: What the standard calls an event that has no name.
NAMELESS: Final = "message"


@dataclass(frozen=True)
class Event:
    """One event of a stream; `at` is in seconds since the request left."""

    name: str
    data: str
    at: float

    @cached_property
    def json(self) -> Any:
        """The decoded data, or `NOT_JSON`."""
        return parse(self.data.encode())

    @property
    def value(self) -> Mapping[str, Any]:
        """The data where it is an object; anything else is an empty one."""
        return self.json if isinstance(self.json, dict) else {}

    @property
    def is_last(self) -> bool:
        """Whether it says that the stream is over, as by either of its two signs clients take it."""
        return self.name == DONE or self.data == DONE_DATA

    @property
    def shows_run(self) -> bool:
        """Whether its name says that it shows a run: `thread.run.` and a status."""
        return self.name.startswith("thread.run.") and not self.name.startswith("thread.run.step.")


def read(pieces: Iterable[tuple[bytes, float]]) -> Iterator[Event]:
    """
    The events in the pieces of a body, each as soon as it is complete.

    Args:
        pieces: Bytes, and when they came in seconds since the request left.
    """
    from httpx_sse import EventSource  # which brings httpx, and few sessions begin with a stream

    body = _Body(pieces)
    for each in EventSource(body).iter_sse():  # type: ignore[arg-type]
        if each.data:  # without data it is none, by the standard: a keep-alive, or a time to wait before asking again
            yield Event(each.event, each.data, body.came)


class _Body:
    """As much of a response as the parser looks at."""

    headers: Final = {"content-type": STREAM_TYPE}

    def __init__(self, pieces: Iterable[tuple[bytes, float]]) -> None:
        self._pieces = pieces
        #: When the last piece came.
        self.came = 0.0

    def iter_text(self) -> Iterator[str]:
        decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        for piece, came in self._pieces:
            self.came = came
            yield decode(piece)
