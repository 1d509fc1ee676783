"""A stranger asks the reference server whatever comes to mind, at random, and yet the same each time."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from test_reference_hostile import ASSISTANT, HERE, MESSAGE, OUTPUTS, RUN, THREAD, VALUES, checked, spoiled

from support.reference_caller import AUTHORIZED, FUNCTION, HEADERS, LONG, Caller, path_of

#: For parts of paths, queries and headers.
STRINGS = ["", " ", "0", "-1", "1", "101", "1e3", "9" * 700, "9" * 5000, "-" + "9" * 641, "NaN", "null", "true", "asc"]
STRINGS += ["\u0661", "\u00b2", "\x00", "\r\n", "\ud800", "\U0001f600", "x" * 10_000, "[]", "{}", "run_", "thread_"]
STRINGS += ["../..", "%", "%ff", "'\"<>"]
REQUESTS = 2500
PARTS = ["assistants", "threads", "messages", "runs", "cancel", "submit_tool_outputs", "steps", "", "%2F", "."]
SHORT_VALUES = [value for value in VALUES.values() if len(value) < 1000]
MODELS = ["gpt-4o", "reference-stalling", "reference-failing", "reference-quick", "reference-rate-limited"]


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.mark.parametrize("name", ["limit", "order", "after", "before", "", "\ud800", "limit[]"])
def test_a_hostile_query_is_refused_or_ignored(caller: Caller, name: str) -> None:
    run = caller.staged("completed")
    for path in (f"/threads/{run['thread_id']}/runs", f"/threads/{run['thread_id']}/messages", path_of(run)):
        for value in STRINGS:
            checked(caller.send("GET", path, query=[(name, value)]))
            checked(caller.send("GET", path, query=[(name, value), ("before", run["id"]), ("limit", "1")]))


@pytest.mark.parametrize("name", ["authorization", "openai-beta", "content-type", "accept", ""])
def test_a_hostile_header_is_refused_or_ignored(caller: Caller, name: str) -> None:
    run = caller.staged("completed")
    for value in (*STRINGS, *(f"Bearer {each}" for each in STRINGS), *(f"application/json;{each}" for each in STRINGS)):
        checked(caller.send("POST", path_of(run), {"metadata": {}}, headers={**HEADERS, name: value}))
    assert caller.get(path_of(run)) == run


class Stranger:
    """Mostly sensible, so that there is something to break."""

    def __init__(self, caller: Caller, seed: int) -> None:
        self.caller, self.random = caller, Random(seed)
        self.assistants = [caller.assistant(), caller.assistant(tools=[FUNCTION])]
        self.threads = [caller.thread()]
        self.runs: list[str] = []
        self.statuses: set[str] = set()

    def send(self) -> None:
        """One request, and some time afterwards."""
        path, body = self.request()
        method = self.random.choices(["POST", "GET", "DELETE", "PUT"], [60, 35, 2, 3])[0]
        names, often = ["limit", "order", "after", "before"], self.random.random()
        query = [(self.random.choice(names), self.random.choice(STRINGS)) for _ in range(3)] if often < 0.2 else []
        headers = HEADERS if self.random.random() < 0.95 else AUTHORIZED
        self.remember(checked(self.caller.send(method, path, self.worse(body), query=query, headers=headers)))
        self.caller.wait(self.random.choices([0, 0.2, 1, 600], [80, 15, 4, 1])[0])

    def request(self) -> tuple[str, Any]:
        """A path, and a body that belongs there."""
        if self.random.random() < 0.15:
            parts = self.random.choices(PARTS + STRINGS, k=self.random.randrange(6))
            return "".join(f"/{part}" for part in parts), THREAD
        thread = self.random.choice(self.threads[-5:])
        run = self.random.choice(self.runs[-5:]) if self.runs else f"{thread}/runs/run_x"
        members = {
            "assistant_id": self.random.choice(self.assistants),
            "model": self.random.choice(MODELS),
            "additional_messages": self.random.choice([[LONG], [MESSAGE], []]),
            "max_completion_tokens": self.random.choice([16, None]),
            "tool_choice": self.random.choice([RUN["tool_choice"], "auto", "required"]),
        }
        return self.random.choice(
            [
                ("/assistants", ASSISTANT),
                ("/threads", THREAD),
                (thread, {}),
                (f"{thread}/messages", MESSAGE),
                (f"{thread}/runs", {**RUN, **members}),
                (f"{thread}/runs", {**RUN, **members}),
                (run, {"metadata": {"k": "v"}}),
                (f"{run}/cancel", {}),
                (f"{run}/submit_tool_outputs", OUTPUTS),
            ]
        )

    def worse(self, body: Any) -> bytes:
        """The body, or one in which something is wrong."""
        how = self.random.random()
        if how < 0.4:
            body = self.random.choice(list(spoiled(body)))
        text = json.dumps(body).replace(json.dumps(HERE), self.random.choice(SHORT_VALUES)).encode()
        if how < 0.9:
            return text
        garbled = bytearray(text)
        for _ in range(3):
            garbled[self.random.randrange(len(garbled))] = self.random.randrange(256)
        return bytes(garbled)

    def remember(self, told: Any) -> None:
        """Come back later to what was granted."""
        match told:
            case {"object": "thread.run", "id": id, "thread_id": thread, "status": status}:
                self.runs.append(f"/threads/{thread}/runs/{id}")
                self.statuses.add(status)
            case {"object": "thread", "id": id}:
                self.threads.append(f"/threads/{id}")
            case {"object": "assistant", "id": id}:
                self.assistants.append(id)


def test_a_random_stranger_never_breaks_it() -> None:
    caller = Caller(cancel_policy="observed")
    stranger = Stranger(caller, seed=20260826)

    for _ in range(REQUESTS):
        stranger.send()

    assert len(stranger.statuses) > 6  # it got about
    for thread in stranger.threads:
        for below in ("", "/runs", "/messages"):
            checked(caller.send("GET", f"{thread}{below}", query=[("limit", "100")]))
    assert caller.create()["status"] == "queued"
