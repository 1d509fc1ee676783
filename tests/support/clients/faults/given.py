"""What a client can do to what it was sent: mend it, fill it in, take it for something else."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from support.clients.client import ApiError, Client
from support.clients.faults.giving import TIMES, retold
from support.clients.faults.registry import broken, fault, without

if TYPE_CHECKING:
    from collections.abc import Callable

ZERO = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
CODES = {"server_error", "rate_limit_exceeded", "invalid_prompt"}
TOOLS = {"code_interpreter", "file_search", "function"}


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """A value with all its texts changed, but for its keys."""
    match value:
        case dict():
            return {name: each_text(each, change) for name, each in value.items()}
        case list():
            return [each_text(each, change) for each in value]
        case str():
            return change(value)
    return value


def snake(value: Any) -> Any:
    """A value with keys as some languages like them."""
    match value:
        case dict():
            return {re.sub("([a-z])([A-Z])", r"\1_\2", name).lower(): snake(each) for name, each in value.items()}
        case list():
            return [snake(each) for each in value]
    return value


def calls(run: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls of functions that a run waits for."""
    found: list[dict[str, Any]] = ((run.get("required_action") or {}).get("submit_tool_outputs") or {}).get(
        "tool_calls", []
    )
    return found


def changed(**members: Callable[[Any], Any]) -> Any:
    """A part that changes members of runs, where they are there."""

    def run(_: Client, body: dict[str, Any]) -> dict[str, Any]:
        return body | {name: change(body[name]) for name, change in members.items() if name in body}

    return run


def first_call(_: Client, run: dict[str, Any]) -> dict[str, Any]:
    del calls(run)[1:]
    return run


def stripped_arguments(_: Client, run: dict[str, Any]) -> dict[str, Any]:
    for each in calls(run):
        each["function"]["arguments"] = each["function"]["arguments"].strip()
    return run


def as_asked(self: Client, call: str, given: dict[str, Any]) -> dict[str, Any]:
    return Client.call(self, call, given) | {name: given[name] for name in ("metadata",) if name in given}


def cancelled(self: Client, call: str, given: dict[str, Any]) -> dict[str, Any]:
    return Client.call(self, call, given) | ({"status": "cancelled"} if call == "cancel_run" else {})


def made_up(self: Client, call: str, given: dict[str, Any]) -> dict[str, Any]:
    try:
        return Client.call(self, call, given)
    except ApiError as problem:
        if problem.told["kind"] == "connection" and call == "cancel_run":
            return {"id": given["run_id"]}
        raise


def packed_page(self: Client, given: dict[str, Any]) -> dict[str, Any]:
    reply = self.begin("list_runs", given)
    if reply.headers.get("content-encoding"):
        raise ApiError("other", "the page is no JSON")
    body = self.answer(reply)
    return {"data": body.get("data", []), "has_more": body.get("has_more")}


# Runs.
fault("one-call", "Gives one of several calls of functions.", "RUN-001", run=first_call)
fault("as-asked", "Gives the metadata that it sent.", "RUN-001", call=as_asked)
fault("foresees", "Says that a run is cancelled once it asked for that.", "RUN-001", call=cancelled)
fault(
    "wants-usage",
    "Breaks on a run that has no usage yet.",
    "RUN-001",
    run=lambda _, run: run if run.get("usage", run) is not None else broken("usage"),
    told=lambda self, name, data: broken("usage") if '"usage":null' in data else Client.told(self, name, data),
)
for member in ("tool_choice", "response_format"):
    fault(
        f"{member}-is-a-word",
        f"Gives {member} as a word.",
        "RUN-001",
        run=changed(
            **{
                member: lambda value: (
                    "auto" if isinstance(value, dict) and value["type"] in {"function", "json_schema"} else value
                )
            }
        ),
    )
fault("always-parallel", "Gives true for what is false.", "RUN-001", run=changed(parallel_tool_calls=lambda _: True))
fault("snake-schemas", "Renames the keys of schemas.", "RUN-001", run=changed(tools=snake))
fault("drops-zero", "Gives null for what is zero.", "RUN-001", run=changed(temperature=lambda value: value or None))
fault("presumes", "Gives a default for what is null.", "RUN-001", run=changed(top_p=lambda it: 1 if it is None else it))
fault("tidies", "Strips texts.", "RUN-001", run=changed(instructions=lambda text: text and text.strip()))
fault(
    "tidies-metadata",
    "Strips the values of metadata.",
    "RUN-001",
    run=changed(metadata=lambda it: each_text(it, str.strip)),
)
fault(
    "composes",
    "Puts characters together.",
    "RUN-001",
    run=lambda _, run: each_text(run, lambda text: unicodedata.normalize("NFC", text)),
)
fault(
    "short-texts",
    "Gives 100,000 characters.",
    "RUN-001",
    run=changed(instructions=lambda text: text and text[:100_000]),
)
fault(
    "once-read",
    "Gives a run that it waited for without its metadata.",
    "RUN-001",
    poll=lambda self, given: Client.poll(self, given) | {"metadata": None},
)
fault(
    "closed-world",
    "Gives a status that it does not know as null.",
    "RUN-002",
    run=changed(status=lambda it: it if it != "paused_for_review" else None),
)
fault(
    "strangers-out",
    "Gives no metadata where there are members that it does not know.",
    "RUN-003",
    run=lambda _, run: run | {"thread_id": None} if "reviewed_by" in run else run,
)
fault(
    "closed-codes",
    "Gives an error code that it does not know as one that it does.",
    "RUN-005",
    run=changed(last_error=lambda it: it and {**it, "code": it["code"] if it["code"] in CODES else "server_error"}),
)
fault(
    "closed-tools",
    "Leaves out tools that it does not know.",
    "RUN-005",
    run=changed(tools=lambda it: it and [each for each in it if each["type"] in TOOLS]),
)
for name in TIMES:
    fault(
        f"{name}-in-oslo", f"Gives {name} in local time.", "RUN-006", run=changed(**{name: lambda it: it and it + 3600})
    )
fault("no-expiry", "Does not give expires_at.", "RUN-006", run=lambda _, run: without(run, "expires_at"))
fault("strips-arguments", "Strips the arguments of a call.", "RUN-008", run=stripped_arguments)
fault("wants-gzip-runs", "Reads no refusal that is compressed.", "RUN-012", refused=lambda _, reply: reply.read())
fault(
    "packed-pages",
    "Reads no page that is compressed.",
    "RUN-012",
    page=packed_page,
)
fault("packed-streams", "Reads no stream that is compressed.", "RUN-012", heard=lambda _, reply: reply.pieces())
fault("zero-usage", "Gives a usage of zero for none.", "RUN-014", run=changed(usage=lambda it: it or ZERO))
fault("never-null", "Gives metadata without a key for none.", "RUN-014", run=changed(metadata=lambda it: it or {}))
fault(
    "empty-is-null",
    "Gives null for what is empty.",
    "RUN-014",
    run=lambda _, run: {k: None if it in ({}, [], "") else it for k, it in run.items()},
)
fault(
    "bare-usage",
    "Gives three numbers of a usage.",
    "RUN-015",
    run=changed(usage=lambda it: it and {name: it[name] for name in ZERO}),
)

# Errors.
fault(
    "none-is-a-text",
    "Gives a code that is null as a text.",
    "ERR-002",
    refusal=lambda self, reply, text: retold(code=str(Client.refusal(self, reply, text).told["code"]))(
        self, reply, text
    ),
)
fault(
    "reads-json-errors",
    "Breaks on what is no JSON, and on nothing.",
    "ERR-004",
    envelope=lambda self, text: Client.envelope(self, text) if text[:1] in ("{", "[") else broken(text),
)
fault(
    "posts-anyway",
    "Gives a run where a POST is lost.",
    "ERR-008",
    call=made_up,
)
fault("anything-goes", "Takes every object for a run.", "ERR-010", expected=lambda _, body: body)
fault("speechless", "Gives no message of an error.", "ERR-011", refusal=retold(message="The request failed."))
