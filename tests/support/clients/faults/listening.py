"""What a client can do wrong that listens: streams and time-outs."""

from __future__ import annotations

import time
from typing import Any

from support.clients.client import ApiError, Client
from support.clients.faults.registry import broken, fault

EVENTS = {f"thread.run.{status}" for status in ("created", "queued", "in_progress", "completed")}
EVENTS |= {f"thread.message.{status}" for status in ("created", "delta", "completed")}

# Streams.
fault(
    "no-stream",
    "Creates a run without asking for a stream.",
    "STREAM-001",
    asks_for_stream=lambda _, call: {} if call == "create_run" else {"stream": True},
)


def once_each(self: Client, lines: Any) -> Any:
    before = ""
    for name, data in Client.events(self, lines):
        if name != before:
            yield name, data
        before = name


fault("once-each", "Gives one of several events in a row that have the same name.", "STREAM-002", events=once_each)


def whole_pieces(self: Client, texts: Any) -> Any:
    for text in texts:
        yield from Client.lines(self, [text])
        yield ""


fault(
    "pieces-are-events",
    "Takes each piece of a stream for whole events.",
    "STREAM-003 STREAM-004 STREAM-005",
    lines=whole_pieces,
)
fault(
    "piecewise",
    "Decodes each piece by itself.",
    "STREAM-004",
    decoded=lambda _, pieces: (piece.decode("utf-8", "replace") for piece in pieces),
)
fault("lf-only", "Knows no end of a line but LF.", "STREAM-005 STREAM-006", line_ends=r"\n")
fault("no-cr", "Knows no CR as the end of a line.", "STREAM-006", line_ends=r"\r\n|\n")
fault(
    "hasty-cr", "Takes a CR for an end before it has seen whether an LF follows.", "STREAM-005", line_ends=r"\r\n|\n|\r"
)
fault("no-comments", "Breaks on lines that it does not know.", "STREAM-007", passed_over=lambda _, line: broken(line))
fault("blank-is-an-event", "Takes every empty line for an event.", "STREAM-007", counts=lambda *_: True)
fault("last-line", "Keeps the last line of data.", "STREAM-008", joined=lambda _, data, value: [value])
fault("wants-a-space", "Wants a space after every colon.", "STREAM-009", separator=": ")
fault("data-is-last", "Takes an event for over at its data.", "STREAM-008 STREAM-010", ends_event=lambda *_: True)
fault(
    "known-events",
    "Breaks on an event that it does not know.",
    "STREAM-011",
    told=lambda self, name, data: Client.told(self, name, data) if name in EVENTS else broken(name),
)
fault("passes-over-errors", "Passes over error events.", "STREAM-012", report=lambda *_: None)


def until_closed(self: Client, pieces: Any) -> Any:
    text = b"".join(pieces)
    return Client.decoded(self, [text])


fault("until-closed", "Listens until the connection is closed.", "STREAM-013", decoded=until_closed)
fault("torn-is-whole", "Takes a stream that was torn off for a whole one.", "STREAM-014", torn_off=lambda _: None)
fault(
    "streams-anything",
    "Listens to the refusal of a stream as to a stream.",
    "STREAM-015",
    refuse_stream=lambda *_: None,
)
fault(
    "no-stream-of-outputs",
    "Submits outputs without asking for a stream.",
    "STREAM-016",
    asks_for_stream=lambda _, call: {"stream": True} if call == "create_run" else {},
)

# Time-outs.
fault("patient", "Has no time-out.", "TIME-001", patience=lambda _: None)


def head_only(self: Client, method: str, url: str, body: bytes | None) -> Any:
    reply = Client.sent(self, method, url, body)
    reply.raw.fp.raw._sock.settimeout(None)
    return reply


fault("head-is-enough", "Forgets its time-out once the head is there.", "TIME-002", sent=head_only)
fault(
    "late-is-lost",
    "Tells of a time-out as of a lost connection.",
    "TIME-003",
    timed_out=lambda _: ApiError("connection", "lost"),
)
fault(
    "short-of-patience",
    "Never waits for longer than 0.45 s.",
    "TIME-004",
    patience=lambda self: min(self.timeout, 0.45),
)


def in_all(self: Client, reply: Any) -> Any:
    until = time.monotonic() + self.timeout
    for piece in Client.heard(self, reply):
        if time.monotonic() > until:
            raise TimeoutError
        yield piece


fault("in-all", "Gives a stream no longer than its time-out in all.", "TIME-005", heard=in_all)


def until_tired(self: Client, reply: Any) -> Any:
    try:
        yield from in_all(self, reply)
    except TimeoutError:
        self.__dict__["tired"] = True


fault(
    "gets-tired",
    "Takes a stream for over once its time-out has passed.",
    "TIME-002 TIME-005",
    heard=until_tired,
    torn_off=lambda self: None if self.__dict__.get("tired") else Client.torn_off(self),
)
