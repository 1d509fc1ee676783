"""What a client can send wrong."""

from __future__ import annotations

from support.clients.client import Client
from support.clients.faults.registry import at, fault, without

OPTIONAL = ("instructions", "model", "metadata", "tools")

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
    "says-defaults",
    "Sends a default of its own for what was not given.",
    "REQ-006",
    given=lambda _, call, members: {"temperature": 1.0, **members} if call == "create_run" else members,
)
fault(
    "says-nested-null",
    "Sends null for what was not given within a message.",
    "REQ-006",
    given=lambda _, call, members: (
        {**members, "thread": {**thread, "messages": [{"attachments": None, **each} for each in thread["messages"]]}}
        if (thread := members.get("thread"))
        else members
    ),
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
