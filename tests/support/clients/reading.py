"""How a stream of events is read."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Reading:
    """From the pieces of a body to events."""

    line_ends = r"\r\n|\n|\r(?!$)"
    separator = ":"

    def decoded(self, pieces: Iterable[bytes]) -> Iterator[str]:
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        return (decode(piece) for piece in pieces)

    def lines(self, texts: Iterable[str]) -> Iterator[str]:
        """The lines of a text that comes in pieces; a CR at the end may be half an end of a line."""
        rest = ""
        for text in texts:
            *whole, rest = re.split(self.line_ends, rest + text)
            yield from whole
        yield from re.split(self.line_ends.replace("(?!$)", ""), rest)

    def events(self, lines: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The name and the data of each event."""
        name, data = "", list[str]()
        for line in lines:
            if not line:
                if self.counts(name, data):
                    yield name, "\n".join(data)
                name, data = "", []
                continue
            field, _, value = line.partition(self.separator)
            if field == "event":
                name = value.removeprefix(" ")
            elif field == "data":
                data = self.joined(data, value.removeprefix(" "))
                if self.ends_event(name):
                    yield name, "\n".join(data)
                    name, data = "", []
            else:
                self.passed_over(line)

    def counts(self, name: str, data: list[str]) -> bool:
        return bool(data)

    def joined(self, data: list[str], value: str) -> list[str]:
        return [*data, value]

    def ends_event(self, name: str) -> bool:
        return False

    def passed_over(self, line: str) -> None:
        pass
