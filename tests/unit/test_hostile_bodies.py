"""Whatever a stranger sends, an invariant says something about it that can be shown, and never breaks."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from conformance.invariants import invariants
from conformance.wire.operations import OPERATIONS
from support.defects.steps import calls, step, steps
from support.journals import (
    Told,
    cancel,
    created,
    error_of,
    evidence,
    header,
    listed,
    modify,
    read,
    refused,
    run,
    submit,
    thread,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.journals import Story

#: JSON texts, and some that are none, for any place in a body.
VALUES = {
    "null": "null",
    "true": "true",
    "false": "false",
    "zero": "0",
    "negative": "-1",
    "one": "1.0",
    "fraction": "0.5",
    "beyond all floats": "1e999",
    "huge": "1" + "0" * 400,
    "as long as Python converts": "9" * 4300,
    "longer than Python converts": "9" * 4301,
    "NaN": "NaN",
    "empty text": '""',
    "text": '"completed"',
    "long text": json.dumps("x" * 100_000),
    "surrogate": r'"\ud800"',
    "control": r'"\u0000\u001b[31m"',
    "empty list": "[]",
    "list": '[null, 1, "x", [], {}]',
    "list of runs": json.dumps([run(), run("queued")]),
    "empty object": "{}",
    "object": r'{"id": {}, "type": "function", "function": [], "\ud800": "\udfff", "status": []}',
    "deep": "[" * 90 + "]" * 90,
    "deep object": '{"type":' * 90 + "0" + "}" * 90,
    "too deep": "[" * 20_000 + "]" * 20_000,
    "no JSON": "<html>",
}
RUNS = [run(status) for status in ("requires_action", "failed", "incomplete", "cancelled", "completed")]
HEADERS = [
    "",
    "0",
    "-1",
    "9" * 5000,
    "²",
    "\u0661",
    "soon",
    "1e3",
    "Fri, 21 Nov 99999999999999999999 00:00:00 GMT",
    "\xff",
]
DATES = ["Mon, 99 Foo 2025 99:99:99 GMT", "Fri, 21 Nov 2025 00:00:00 -9999999999", "1 Jan 1 00:00 -0000", ",,,", "0"]


def judge(story: Story) -> None:
    """Let every invariant look, and whoever reports write down what it says."""
    looked = evidence(story)
    for each in invariants():
        said = each.judge(looked)
        for violation in said.violations:
            assert violation.exchanges
            f"{violation.expected}{violation.actual}".encode()
        "".join(said.notes).encode()
        assert said.measured or not (said.violations or said.notes)


def hostile(body: Any, text: str, *place: str | int) -> bytes:
    """A body with a JSON text in one place of it."""
    changed = json.loads(json.dumps(body))
    holder = changed
    for part in place[:-1]:
        holder = holder[part]
    if place:
        holder[place[-1]] = "@@"
    return json.dumps(changed if place else "@@").replace('"@@"', text).encode()


def places(value: Any, *way: str | int) -> Iterator[tuple[str | int, ...]]:
    """Every place in a JSON value, itself first."""
    yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from places(each, *way, name)


@pytest.mark.parametrize("text", VALUES.values(), ids=VALUES)
def test_any_value_in_any_place_of_a_run(text: str) -> None:
    # Each place of one run, and of the others only those that the first does not have.
    known = set[tuple[str | int, ...]]()
    story = [thread(), created()]
    for body in RUNS:
        new = [place for place in places(body) if place not in known]
        known.update(new)
        story += [Told("retrieve_run", hostile(body, text, *place)) for place in new]

    judge(story)


@pytest.mark.parametrize("text", VALUES.values(), ids=VALUES)
def test_any_value_in_any_place_of_a_step(text: str) -> None:
    called = step("completed", calls("3"))
    story = [read("requires_action")]
    for body in (called, step(), step("failed")):
        story += [Told("retrieve_step", hostile(body, text, *place)) for place in places(body)]
    page = steps(called, step(id="step_two")).body
    story += [Told("list_steps", hostile(page, text, *place)) for place in places(page) if len(place) <= 3]

    judge(story)


@pytest.mark.parametrize("text", VALUES.values(), ids=VALUES)
def test_any_value_in_any_reply(text: str) -> None:
    judge([Told(operation, hostile(None, text)) for operation in OPERATIONS])
    judge([Told(operation, hostile(run(), text, name)) for name in run() for operation in ("create_run", "cancel_run")])

    page = listed(run(id="run_two"), run(), order="desc").body
    spots = [place for place in places(page) if len(place) <= 3]
    walk = [Told("list_runs", hostile(page, text, *place), query=(("after", "run_abc"),)) for place in spots]
    judge([listed(run()), *walk])

    errors = [hostile(error_of(), text, *place) for place in places(error_of())]
    judge([Told(name, body, status) for name in OPERATIONS for body in errors for status in (400, 429, 500)])


@pytest.mark.parametrize("text", VALUES.values(), ids=VALUES)
def test_any_value_between_two_faithful_replies(text: str) -> None:
    around = [read("in_progress"), submit(), cancel(), modify(), listed(run())]
    story: Story = [*around]
    for number, name in enumerate(run()):
        story += [Told("retrieve_run", hostile(run(), text, name)), around[number % len(around)]]

    judge(story)


def test_any_header_and_any_query() -> None:
    story: Story = []
    for value in HEADERS:
        story += [_with(name, value) for name in ("openai-poll-after-ms", "retry-after", "content-type", "date")]
        story += [listed(run(), **{name: value}) for name in ("limit", "order", "after", "before", "nonsense")]
        story += [Told("list_runs", listed(run()).body, query=(("limit", value), ("limit", value)))]
    for value in DATES:
        story.append(created())
        header("date", value)(story)

    judge(story)


def _with(name: str, value: str) -> Told:
    reply = refused("create_run", 429) if name == "retry-after" else created() if name == "date" else read()
    reply.headers[name] = value
    return reply


@pytest.mark.parametrize("status", [100, 199, 201, 204, 301, 401, 403, 404, 418, 429, 499, 500, 599, 999])
def test_any_status_code(status: int) -> None:
    story = [thread(), created(), listed(run())]

    judge(
        [*story, *(Told(name, body, status) for name in OPERATIONS for body in (b"", b"{}", b"[]", b"\xff\xfe", run()))]
    )


@pytest.mark.parametrize("seed", range(10))
def test_anything_at_all(seed: int) -> None:
    random = Random(seed)
    texts = list(VALUES.values())

    def anything(depth: int = 3) -> str:
        match random.randrange(4 if depth else 2):
            case 0 | 1:
                return random.choice(texts[:9] + texts[12:22])
            case 2:
                return f"[{', '.join(anything(depth - 1) for _ in range(random.randrange(4)))}]"
            case _:
                names = random.sample(["id", "type", "function", "status", "data", "error", *run()], 4)
                return f"{{{', '.join(f'{json.dumps(name)}: {anything(depth - 1)}' for name in names)}}}"

    judge(
        [
            Told(
                random.choice(list(OPERATIONS)),
                hostile(run(), anything(), random.choice(list(run())))
                if random.random() < 0.7
                else anything().encode(),
                random.choice([200, 200, 200, 201, 400, 429, 500]),
                at=random.choice([None, 1e18, -1.0]),
                duration=random.choice([0.0, 0.5, 100.0]),
                asked=random.choice([None, {}, [], "x", {"assistant_id": []}, {"assistant_id": "asst_abc"}]),
            )
            for _ in range(40)
        ]
    )
