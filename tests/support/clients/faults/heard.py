"""What a client can do to the events that it hears: tear them, mend them, give them another name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.clients.client import ApiError, Client
from support.clients.faults.given import each_text
from support.clients.faults.registry import fault

if TYPE_CHECKING:
    from collections.abc import Iterator


def split_lines(self: Client, texts: Any) -> Iterator[str]:
    for line in Client.lines(self, texts):
        yield from line.splitlines() or [""]


def short_lines(self: Client, texts: Any) -> Iterator[str]:
    return (line[:65_536] for line in Client.lines(self, texts))


def sticky(self: Client, lines: Any) -> Iterator[tuple[str, str]]:
    before = ""
    for name, data in Client.events(self, lines):
        before = name or before
        yield before, data


def kept_names(self: Client, lines: Any) -> Iterator[tuple[str, str]]:
    name, data = "", list[str]()
    for line in lines:
        field, _, value = line.partition(":")
        if not line and data:
            yield name, "\n".join(data)
            name, data = "", []
        elif field == "event":
            name = value.removeprefix(" ")
        elif field == "data":
            data.append(value.removeprefix(" "))


def reported(*kept: str) -> Any:
    """A report of which only some is kept."""

    def report(self: Client, data: str) -> None:
        try:
            Client.report(self, data)
        except ApiError as problem:
            problem.told = {"kind": "other", "message": "The stream broke."} | {k: problem.told[k] for k in kept}
            raise

    return report


fault(
    "outputs-unheard",
    "Gives no message that follows on outputs.",
    "STREAM-002",
    stream=lambda self, call, given: (
        each
        for each in Client.stream(self, call, given)
        if call == "create_run" or not each["event"].startswith("thread.message")
    ),
)
fault("splits-lines", "Ends lines wherever Unicode does.", "STREAM-018", lines=split_lines)
fault("short-lines", "Reads 64 KB of a line.", "STREAM-002", lines=short_lines)
fault(
    "tidies-deltas",
    "Strips the texts of events.",
    "STREAM-002",
    told=lambda self, name, data: each_text(Client.told(self, name, data), str.strip),
)
fault("sticky-names", "Keeps the name of an event for the next one.", "STREAM-019", events=sticky)
fault("kept-names", "Keeps a name that had no data.", "STREAM-019", events=kept_names)
fault("no-event-code", "Gives no code of an error event.", "STREAM-017", report=reported("message"))
fault("no-event-message", "Gives no message of an error event.", "STREAM-017", report=reported("code"))
