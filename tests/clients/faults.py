"""What a client can do wrong: each fault is a part of the faithful client with another one in its place."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clients.client import OPERATIONS, ApiError, Client

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The members of a run that say when.
TIMES = ("created_at", "started_at", "expires_at", "cancelled_at", "failed_at", "completed_at")
STATUSES = {*Client.final, *Client.waiting, "queued", "in_progress", "cancelling"}
OPTIONAL = ("instructions", "model", "metadata", "tools")
EVENTS = ("thread.run.created", "thread.run.in_progress", "thread.run.completed", "thread.message.delta")


@dataclass(frozen=True)
class Fault:
    """One deviation."""

    does: str
    #: The requirements that it breaks, all of them.
    breaks: frozenset[str]
    #: The parts, by name.
    members: Mapping[str, Any]


FAULTS: dict[str, Fault] = {}


def fault(name: str, does: str, breaks: str, **members: Any) -> None:
    """Add a fault; requirements are named without `SDK-`."""
    FAULTS[name] = Fault(does, frozenset(f"SDK-{each}" for each in breaks.split()), members)


def broken(problem: str) -> Any:
    """A part of an expression that raises."""
    raise ValueError(problem)


def without(members: dict[str, Any], *names: str) -> dict[str, Any]:
    """An object without some of its members."""
    return {name: value for name, value in members.items() if name not in names}


def at(operation: str, method: str | None = None, path: str | None = None) -> dict[str, tuple[str, str]]:
    """The operations with one that has another method or path."""
    was = OPERATIONS[operation]
    return {**OPERATIONS, operation: (method or was[0], path or was[1])}


# What is sent.
fault(
    "stop-for-cancel",
    "Cancels at /stop.",
    "REQ-001",
    operations=at("cancel_run", path="/threads/{thread_id}/runs/{run_id}/stop"),
)
fault("patches", "Modifies with PATCH.", "REQ-002", operations=at("modify_run", method="PATCH"))
fault("raw-ids", "Puts ids into paths as they are.", "REQ-003", segment=lambda _, id: id)
fault(
    "forgets-before",
    "Knows no cursor before.",
    "REQ-004",
    query=lambda self, given: Client.query(self, without(given, "before")),
)
fault(
    "raw-queries",
    "Puts values into queries as they are.",
    "REQ-005",
    query=lambda _, given: "&".join(f"{name}={value}" for name, value in given.items()),
)
fault(
    "escapes-twice",
    "Escapes the values of queries twice.",
    "REQ-005",
    query=lambda self, given: Client.query(
        self, {name: str(value).replace("%", "%25").replace("&", "%26") for name, value in given.items()}
    ),
)
fault(
    "says-null",
    "Sends null for what was not given.",
    "REQ-006",
    given=lambda _, call, members: {**dict.fromkeys(OPTIONAL), **members} if members else members,
)
fault(
    "drops-nulls",
    "Leaves out the nulls that it is given.",
    "REQ-007",
    given=lambda _, call, members: {name: value for name, value in members.items() if value is not None},
)
fault("latin-1", "Writes bodies in Latin-1.", "REQ-008", encoding="latin-1")
fault(
    "drops-what-is-false",
    "Leaves out what is zero, false or empty.",
    "REQ-008",
    given=lambda _, call, members: {name: value for name, value in members.items() if value or value is None},
)
fault("plain-text", "Calls its bodies plain text.", "REQ-009", body_type="text/plain")
fault("first-beta", "Names the first version of the beta.", "REQ-010", beta="assistants=v1")
fault(
    "beta-with-bodies",
    "Names the beta version only where it sends a body.",
    "REQ-010",
    headers=lambda self, body, attempt: without(
        Client.headers(self, body, attempt), *([] if body else ["OpenAI-Beta"])
    ),
)
fault(
    "bare-key", "Sends the key without its scheme.", "REQ-011", authorization=lambda self: {"Authorization": self.key}
)
fault(
    "cancels-null",
    "Sends null as the body of a cancel.",
    "REQ-012",
    body=lambda self, call, members: b"null" if call == "cancel_run" else Client.body(self, call, members),
)
fault("reads-with-a-body", "Sends an empty object with every read.", "REQ-013", read_body=lambda *_: b"{}")
fault("double-slash", "Leaves the slash at the end of the base URL.", "REQ-014", based=lambda _, url: url)
fault(
    "key-for-all", "Takes its key along wherever it is sent.", "REQ-015", carried=lambda self, own: self.authorization()
)

# What is made of runs.
fault("forgets-actions", "Gives no required action.", "RUN-001", run=lambda _, run: without(run, "required_action"))
fault(
    "known-statuses",
    "Refuses a status that it does not know.",
    "RUN-002",
    run=lambda _, run: run if run.get("status") in {*STATUSES, None} else broken("status"),
)
fault(
    "closed-model",
    "Refuses members that it does not know.",
    "RUN-003",
    run=lambda _, run: broken("reviewed_by") if "reviewed_by" in run else run,
)
fault(
    "wants-all",
    "Refuses a run without a model.",
    "RUN-004",
    run=lambda _, run: run if "model" in run else broken("model"),
)
fault(
    "known-codes",
    "Refuses an error code that it does not know.",
    "RUN-005",
    run=lambda _, run: run if (run.get("last_error") or {}).get("code") in {None, "server_error"} else broken("code"),
)
fault(
    "thousandths",
    "Takes timestamps for milliseconds.",
    "RUN-006",
    run=lambda _, run: {**run, **{name: run[name] / 1000 for name in TIMES if run.get(name)}},
)
fault(
    "32-bits",
    "Keeps timestamps in 32 bits.",
    "RUN-006",
    run=lambda _, run: {**run, **{name: (run[name] + 2**31) % 2**32 - 2**31 for name in TIMES if run.get(name)}},
)
fault("fills-in", "Gives null for what is absent.", "RUN-007", run=lambda _, run: {"usage": None, **run})
fault(
    "drops-null",
    "Gives no member that is null.",
    "RUN-007",
    run=lambda _, run: {name: value for name, value in run.items() if value is not None},
)


def parsed_arguments(_: Client, run: dict[str, Any]) -> dict[str, Any]:
    try:
        function = run["required_action"]["submit_tool_outputs"]["tool_calls"][0]["function"]
        function["arguments"] = json.dumps(json.loads(function["arguments"]))
    except (KeyError, TypeError, ValueError):
        pass
    return run


fault("reads-arguments", "Parses the arguments of a call, and writes them anew.", "RUN-008", run=parsed_arguments)
fault(
    "snake-cases",
    "Renames the keys of metadata as it renames members.",
    "RUN-009",
    run=lambda _, run: {
        **run,
        "metadata": {
            "".join(f"_{char.lower()}" if char.isupper() else char for char in name): value
            for name, value in (run.get("metadata") or {}).items()
        },
    },
)
fault(
    "guesses-latin-1",
    "Reads bodies as Latin-1 where no charset is told.",
    "RUN-010",
    text=lambda _, body: body.decode("latin-1"),
)
fault(
    "wants-a-length",
    "Reads no body without a length.",
    "RUN-011",
    whole=lambda self, reply: Client.whole(self, reply) if "content-length" in reply.headers else b"",
)
fault(
    "offers-gzip",
    "Offers to read gzip, and does not.",
    "RUN-012",
    whole=lambda _, reply: reply.read(),
    text=lambda _, body: body.decode("utf-8", "replace"),
)
fault("only-200", "Takes nothing but 200 for a success.", "RUN-013", succeeded=lambda _, status: status == 200)

# Errors.
fault(
    "conflict-is-fine",
    "Takes a 409 for a success.",
    "ERR-001",
    succeeded=lambda _, status: status // 100 == 2 or status == 409,
)


def retold(**changed: Any) -> Any:
    """A refusal of which something is told otherwise."""

    def refusal(self: Client, reply: Any, text: str) -> ApiError:
        told = Client.refusal(self, reply, text)
        told.told |= changed
        return told

    return refusal


fault("no-param", "Does not give the param of an error.", "ERR-002", refusal=retold(param=None))
fault("no-request-id", "Does not give the id of a request.", "ERR-003", refusal=retold(request_id=None))
fault(
    "wants-json-errors",
    "Breaks on an error that is no JSON.",
    "ERR-004",
    envelope=lambda self, text: broken(text) if text.startswith("<") else Client.envelope(self, text),
)
fault(
    "wants-some-error",
    "Breaks on an error without a body.",
    "ERR-005",
    envelope=lambda self, text: Client.envelope(self, text) if text else broken("nothing"),
)
fault(
    "wants-a-type",
    "Breaks on an envelope without a type.",
    "ERR-006",
    envelope=lambda self, text: (
        broken("type") if text.startswith("{") and "type" not in text else Client.envelope(self, text)
    ),
)
fault("half-is-empty", "Takes a reply that was cut off for an empty one.", "ERR-007", cut_off=lambda *_: {})


def as_404(_: Client, problem: Exception) -> Any:
    raise ApiError("status", str(problem), status=404)


fault(
    "lost-is-found",
    "Tells of a lost connection as of a 404.",
    "ERR-008",
    lost=as_404,
)
fault(
    "text-is-a-run",
    "Gives the text of a success that is no JSON.",
    "ERR-009",
    parsed=lambda _, text: json.loads(text) if text.startswith("{") else {"text": text},
)

# Asking again.
fault("gives-up-on-429", "Does not ask again after a 429.", "RETRY-001", retried=Client.retried - {429})
fault("gives-up-on-503", "Does not ask again after a 503.", "RETRY-002", retried=Client.retried - {503})
fault("gives-up-on-loss", "Does not ask again after a lost connection.", "RETRY-003", retries_lost=lambda _: False)
fault("own-pace", "Asks again when it likes.", "RETRY-004", pause=lambda *_: 0.02)
fault("asks-for-good", "Asks again after a 400.", "RETRY-005", retried=Client.retried | {400})
fault("asks-422-again", "Asks again after a 422.", "RETRY-005", retried=Client.retried | {422})
fault(
    "once-too-often",
    "Asks once more than it may.",
    "RETRY-006",
    tries=lambda self: 1 + self.retries + bool(self.retries),
)
fault("empty-retries", "Asks again without a body.", "RETRY-007", again=lambda *_: None)
fault("unmarked", "Does not mark what it sends again.", "RETRY-008", mark=lambda *_: {})


def first_problem(self: Client, first: Exception | None, reply: Any) -> Any:
    if first and not self.succeeded(reply.status):
        raise ApiError("connection", str(first))
    return reply


fault("first-problem", "Tells of the first problem, not of the last answer.", "RETRY-009", last=first_problem)

# Walking.
fault("always-more", "Says of every page that there are more.", "PAGE-001", has_more=lambda *_: True)
fault("skips-one", "Leaves out the last run of a page.", "PAGE-002", visited=lambda _, ids: ids[:-1])
fault(
    "first-as-cursor",
    "Goes on from the first run of a page.",
    "PAGE-003",
    cursor=lambda _, ids: ids[0] if ids else None,
)
fault(
    "forgets-parameters",
    "Asks for further pages without limit and order.",
    "PAGE-004",
    following=lambda _, given, after: {"thread_id": given["thread_id"], "after": after},
)
fault("endless", "Goes on for ever.", "PAGE-005 PAGE-006 PAGE-007 PAGE-008", goes_on=lambda *_: True)
fault(
    "until-empty",
    "Goes on until a page is empty.",
    "PAGE-006",
    goes_on=lambda _, has_more, ids, after: bool(ids and ids[-1] != after),
)
fault(
    "believes-more",
    "Goes on after an empty page that promises more.",
    "PAGE-007",
    goes_on=lambda _, has_more, ids, after: bool(has_more and not (ids and ids[-1] == after)),
)
fault(
    "believes-cursors",
    "Goes on with the same cursor.",
    "PAGE-008",
    goes_on=lambda _, has_more, ids, after: bool(has_more and ids),
)
fault("part-for-whole", "Ends a walk without a word where a page is refused.", "PAGE-009", broken_off=lambda _: None)

# Waiting.
fault("unexpired", "Waits on for a run that expired.", "POLL-001", final=Client.final - {"expired"})
fault(
    "incomplete-goes-on", "Waits on for a run that ended incomplete.", "POLL-001", final=Client.final - {"incomplete"}
)
fault("waits-for-itself", "Waits on for a run that waits for its caller.", "POLL-002", waiting=frozenset())
fault("cancelling-is-over", "Takes cancelling for the end.", "POLL-003", final=Client.final | {"cancelling"})
fault("eager", "Asks as often as it likes.", "POLL-004", interval=lambda *_: 0.01)
fault("lazy", "Asks as rarely as it likes.", "POLL-005", interval=lambda *_: 0.75)
fault(
    "waits-for-nothing",
    "Gives the last run where a poll is refused.",
    "POLL-006",
    poll_refused=lambda _, problem, run: run or {"status": str(problem)},
)

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
fault("patient", "Has no time-out.", "TIME-001 TIME-002", patience=lambda _: None)


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
    for piece in reply.pieces():
        if time.monotonic() > until:
            raise TimeoutError
        yield piece


fault("in-all", "Gives a stream no longer than its time-out in all.", "TIME-005", heard=in_all)
