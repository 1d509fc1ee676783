"""Faults that are switched on while the reference server is served: for which requests, how often, and what is seen."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from conformance.reference.faults import FAULTS
from support.asgi_server import Got, Served

QUICK = {"model": "reference-quick"}


@pytest.fixture
def served() -> Served:
    return Served()


def statuses(served: Served, number: int, path: str = "/v1/threads") -> list[int | None]:
    return [served.send("POST", path).status for _ in range(number)]


def test_a_fault_is_for_one_request_unless_told_otherwise(served: Served) -> None:
    added = served.driven("POST", "faults", {"fault": "rate-limit", "retry_after": 0.5})
    assert added["id"] == "fault_1"
    assert (added["times"], added["applied"], added["remaining"]) == (1, 0, 1)

    refused = served.send("POST", "/v1/threads")

    assert (refused.status, refused.headers["retry-after"], refused.headers["retry-after-ms"]) == (429, "1", "500")
    assert refused.json["error"].keys() == {"message", "type", "param", "code"}
    assert refused.json["error"]["code"] == "rate_limit_exceeded"
    assert refused.headers["x-request-id"].startswith("req_")
    assert statuses(served, 2) == [200, 200]
    assert served.driven("GET", "faults")["data"] == []


def test_retry_after_can_be_a_date(served: Served) -> None:
    served.driven("POST", "faults", {"fault": "server-error", "retry_after": 300, "retry_after_as": "date"})

    told = served.send("POST", "/v1/threads").headers

    assert 240 < parsedate_to_datetime(told["retry-after"]).timestamp() - time.time() <= 301
    assert "retry-after-ms" not in told


def test_faults_are_met_one_after_another(served: Served) -> None:
    served.driven("POST", "faults", {"fault": "rate-limit", "times": 2})
    served.driven("POST", "faults", {"fault": "server-error", "status": 503, "retry_after": 3})

    assert statuses(served, 4) == [429, 429, 503, 200]


def test_a_fault_may_be_for_one_operation_or_for_one_thread(served: Served) -> None:
    first, second = (f"/v1/threads/{served.api('POST', '/threads')['id']}" for _ in range(2))
    served.driven("POST", "faults", {"fault": "server-error", "operation": "retrieve_thread"})
    served.driven("POST", "faults", {"fault": "rate-limit", "thread_id": first.rpartition("/")[2], "times": None})

    assert served.send("POST", first).status == 429
    assert [served.send("GET", each).status for each in (second, first, second)] == [500, 429, 200]
    assert served.send("GET", f"{first}/runs").status == 429


def test_a_fault_is_switched_off_by_its_id_or_with_all_others(served: Served) -> None:
    ids = [served.driven("POST", "faults", {"fault": "rate-limit", "times": None})["id"] for _ in range(3)]
    assert statuses(served, 1) == [429]
    assert [each["applied"] for each in served.driven("GET", "faults")["data"]] == [1, 0, 0]

    assert served.driven("DELETE", f"faults/{ids[0]}")["id"] == ids[0]
    assert served.refused("DELETE", f"faults/{ids[0]}", status=404)["message"]
    assert served.driven("DELETE", "faults") == {"cleared": 2}
    assert statuses(served, 1) == [200]


def test_a_slow_answer_comes_late_and_whole(served: Served) -> None:
    served.driven("POST", "faults", {"fault": "slow", "seconds": 0.2})
    started = time.monotonic()

    assert served.send("POST", "/v1/threads").status == 200
    assert time.monotonic() - started >= 0.2


def test_who_does_not_wait_for_a_slow_answer_was_served_nevertheless(served: Served) -> None:
    served.driven("POST", "faults", {"fault": "slow", "seconds": 60})

    assert served.send("POST", "/v1/threads", patience=0.05).status is None
    assert len(served.reference._store.threads) == 1
    assert served.driven("GET", "journal")["data"][0]["status"] is None


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_connection_is_dropped_before_or_after_the_request_is_carried_out(
    served: Served, *, carried_out: bool
) -> None:
    served.driven("POST", "faults", {"fault": "drop", "carried_out": carried_out})

    got = served.send("POST", "/v1/threads")

    assert (got.status, got.body, got.hung_up) == (None, b"", True)
    assert len(served.reference._store.threads) == int(carried_out)


def test_a_body_is_cut_in_its_middle(served: Served) -> None:
    served.driven("POST", "faults", {"fault": "cut"})

    got = served.send("POST", "/v1/threads")

    assert (got.status, got.hung_up) == (200, True)
    assert len(got.body) == int(got.headers["content-length"]) // 2


def test_a_stream_is_cut_in_the_middle_of_an_event(served: Served) -> None:
    thread, run = served.run()
    served.driven("POST", "clock", {"advance": 60})
    served.driven("POST", "faults", {"fault": "cut", "events": 3, "operation": "create_run"})

    got = served.send("POST", f"/v1{thread}/runs", {"assistant_id": run["assistant_id"], "stream": True})

    *whole, last = got.body.split(b"\n\n")
    assert len(whole) == 3
    assert last
    assert not last.endswith(b"}")
    assert got.hung_up


def test_a_fault_of_the_bestiary_acts_on_what_the_server_keeps(served: Served) -> None:
    thread, run = served.run()
    path = f"/v1{thread}/runs/{run['id']}"
    served.driven("POST", "clock", {"advance": 0.5})
    served.driven("POST", "faults", {"fault": "comes-back", "operation": "cancel_run"})

    assert served.send("POST", f"{path}/cancel").status == 200
    served.driven("POST", "clock", {"advance": 60})
    assert served.send("GET", path).json["status"] == "completed"


@pytest.mark.parametrize("name", sorted(FAULTS)[::16])
def test_any_fault_can_be_switched_on(served: Served, name: str) -> None:
    served.driven("POST", "faults", {"fault": name, "times": None})

    for path in ("/v1/threads", "/v1/threads/thread_x/runs", "/v1/assistants"):
        assert served.send("POST", path, {}).status is not None
    assert served.driven("GET", "faults")["data"][0]["applied"] == 3


def test_a_fault_that_the_server_has_anyway_can_be_switched_on() -> None:
    served = Served(faults=[FAULTS["comes-back"].behaviour])

    served.driven("POST", "faults", {"fault": "comes-back"})

    assert statuses(served, 1) == [200]


def test_a_fault_that_excludes_what_the_server_has_anyway_is_refused() -> None:
    served = Served(faults=[FAULTS["unlocks-late"].behaviour])

    assert "excludes" in served.refused("POST", "faults", {"fault": "cancelled-locks"})["message"]
    assert statuses(served, 1) == [200]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "fault"),
        ([], "body"),
        ({"fault": 1}, "fault"),
        ({"fault": "slo"}, "fault"),
        ({"fault": "slow", "second": 1}, "second"),
        ({"fault": "drop", "seconds": 1}, "seconds"),
        ({"fault": "slow", "seconds": "1"}, "seconds"),
        ({"fault": "slow", "seconds": 601}, "seconds"),
        ({"fault": "slow", "times": 0}, "times"),
        ({"fault": "slow", "times": True}, "times"),
        ({"fault": "slow", "operation": "create"}, "operation"),
        ({"fault": "slow", "thread_id": 1}, "thread_id"),
        ({"fault": "slow", "thread_id": "thread_x", "operation": "create_thread"}, "thread_id"),
        ({"fault": "server-error", "status": 404}, "status"),
        ({"fault": "comes-back", "seconds": 1}, "seconds"),
        ({"fault": "cut", "events": -1}, "events"),
    ],
    ids=repr,
)
def test_what_makes_no_sense_is_refused_by_name(served: Served, body: Any, param: str) -> None:
    error = served.refused("POST", "faults", body)

    assert error["param"] == param
    assert param in error["message"]
    assert served.driven("GET", "faults")["data"] == []


def test_an_error_says_what_there_is_instead(served: Served) -> None:
    assert "rate-limit" in served.refused("POST", "faults", {"fault": "ratelimit"})["message"]
    assert "seconds" in served.refused("POST", "faults", {"fault": "slow", "second": 1})["message"]
    assert "line 1 column 2" in served.refused("POST", "faults", b"{")["message"]
    names = [each["name"] for each in served.driven("GET", "bestiary")["data"]]
    assert names == ["rate-limit", "server-error", "slow", "drop", "cut", *FAULTS]


def test_streams_have_threads_of_their_own(served: Served) -> None:
    thread, run = served.run(**QUICK)
    body = {"assistant_id": run["assistant_id"], "stream": True}
    served.driven("POST", "clock", {"advance": 60})
    over = threading.Event()

    async def heard_while_others_wait() -> Got:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as everybodys:
            loop.set_default_executor(everybodys)
            everybodys.submit(over.wait)  # as a request does in the middle of which another one is met
            try:
                return await asyncio.wait_for(served.exchange("POST", f"/v1{thread}/runs", body), 10)
            finally:
                over.set()

    assert asyncio.run(heard_while_others_wait()).body.endswith(b"data: [DONE]\n\n")
