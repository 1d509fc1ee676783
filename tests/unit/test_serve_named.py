"""Whatever is wrong in a body is named by its place, at every depth: what an SDK must not send, and where it did."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from test_reference_hostile import ASSISTANT, MESSAGE, OUTPUTS, RUN, THREAD

from conformance.reference.stateless import Stateless
from support.reference_caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

STORE = {
    "file_ids": ["file_x"],
    "chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}},
    "metadata": {"k": "v"},
}
RESOURCES = {
    "code_interpreter": {"file_ids": ["file_x"]},
    "file_search": {"vector_store_ids": ["vs_x"], "vector_stores": [STORE]},
}
WRITTEN = {**MESSAGE, "attachments": [{"file_id": "file_x", "tools": [{"type": "code_interpreter"}]}]}
OPENED = {**THREAD, "messages": [WRITTEN], "tool_resources": RESOURCES}
AT_ONCE = {name: value for name, value in RUN.items() if not name.startswith("additional_")}
BODIES = {
    "/assistants": {**ASSISTANT, "tool_resources": RESOURCES},
    "/threads": OPENED,
    "/threads/thread_id": {"metadata": {"k": "v"}, "tool_resources": RESOURCES},
    "/threads/thread_id/messages": WRITTEN,
    "/threads/thread_id/messages/message_id": {"metadata": {"k": "v"}},
    "/threads/thread_id/runs": {**RUN, "additional_messages": [WRITTEN]},
    "/threads/runs": {**AT_ONCE, "thread": OPENED, "tool_resources": RESOURCES},
    "/threads/thread_id/runs/run_id": {"metadata": {"k": "v"}},
    "/threads/thread_id/runs/run_id/submit_tool_outputs": OUTPUTS,
}
#: Below these anything may stand: they are JSON Schemas.
FREE = ("function.parameters", "json_schema.schema")


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a body, at every depth, but for those where anything may stand."""
    yield before
    if not dotted(before).endswith(FREE):
        for step in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            yield from places(value[step], (*before, step))


def dotted(place: tuple[Any, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


def at(body: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        body = body[step]
    return body


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller(faults=[Stateless])


@pytest.mark.parametrize("path", BODIES)
def test_the_whole_is_accepted(caller: Caller, path: str) -> None:
    assert caller.post(path, BODIES[path])


@pytest.mark.parametrize("path", BODIES)
def test_an_unknown_member_is_named_wherever_it_is(caller: Caller, path: str) -> None:
    for place in places(BODIES[path]):
        if isinstance(at(BODIES[path], place), dict) and not dotted(place).endswith((*FREE, "metadata")):
            body = json.loads(json.dumps(BODIES[path]))
            at(body, place)["unheard_of"] = 1

            error = caller.refused("POST", path, body)

            name = dotted((*place, "unheard_of"))
            assert (error["param"], error["code"]) == (name, "unknown_parameter")
            assert f"'{name}'" in error["message"]


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("wrong", [{"odd": [1]}, [{"odd": 1}], -1.5], ids=["object", "array", "number"])
def test_a_value_of_another_type_is_named_wherever_it_is(caller: Caller, path: str, wrong: Any) -> None:
    for place in places(BODIES[path]):
        if place and not (isinstance(wrong, dict) and dotted(place).endswith(FREE)):
            body = json.loads(json.dumps(BODIES[path]))
            at(body, place[:-1])[place[-1]] = wrong

            error = caller.refused("POST", path, body)

            assert error["param"].startswith(dotted(place)), (dotted(place), error)
            assert f"'{error['param']}'" in error["message"]
