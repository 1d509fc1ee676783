"""What a test drives a served reference server by: its journal, its clock, its reset; and who may not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.reference import SystemClock
from conformance.reference.control import journal
from support.asgi_server import Served
from support.reference_caller import HEADERS

KEY, ESCAPED = "sk-a-secret-of-mine", "sk%2Da-secret-of-mine"


@pytest.fixture
def served() -> Served:
    return Served()


def read(served: Served, query: str = "") -> list[dict[str, Any]]:
    return list(served.driven("GET", f"journal{query}")["data"])


# the journal


def test_the_journal_tells_what_was_sent_and_why_it_was_refused(served: Served) -> None:
    thread = served.api("POST", "/threads")["id"]
    served.send("POST", f"/v1/threads/{thread}/runs?include[]=x&limit=1", {"asistant_id": "asst_x"})

    entry = read(served)[1]

    assert (entry["number"], entry["method"], entry["path"]) == (2, "POST", f"/v1/threads/{thread}/runs")
    assert (entry["operation"], entry["ids"]) == ("create_run", {"thread_id": thread})
    assert entry["query"] == [["include[]", "x"], ["limit", "1"]]
    assert entry["body"] == {"asistant_id": "asst_x"}
    assert (entry["status"], entry["refused"]["param"], entry["fault"]) == (400, "assistant_id", None)
    assert entry["remarks"] == ["Unknown query parameter: 'limit'."]
    assert entry["at"] == pytest.approx(1767225600, abs=1)


def test_a_name_that_is_almost_right_is_remarked_on(served: Served) -> None:
    served.send("GET", "/v1/threads/thread_x/runs?limt=1")

    assert read(served)[0]["remarks"] == ["Unknown query parameter: 'limt'. Is 'limit' meant?"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"NaN", b"[1e999]", b"[" * 5000], ids=repr)
def test_a_body_that_is_no_json_is_shown_as_a_text(served: Served, body: bytes) -> None:
    served.send("POST", "/v1/threads", body)

    [entry] = read(served)
    assert entry["body"] == body.decode("utf-8", "backslashreplace")
    assert "no valid JSON" in entry["remarks"][0]


def test_no_key_is_in_the_journal(served: Served) -> None:
    headers = {
        **HEADERS,
        "authorization": f"Bearer {KEY}",
        "api-key": KEY,
        "x-portkey-api-key": KEY,
        "cookie": f"a={KEY}",
    }

    served.send("POST", f"/v1/threads/{KEY}/runs?key={KEY}", {"key": KEY}, {**headers, "x-more": KEY})

    told = json.dumps(read(served))
    assert KEY not in told
    assert '"authorization": "Bearer [redacted]"' in told
    assert read(served)[0]["body"] == {"key": "[redacted]"}


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("threads", {"authorization": f"{KEY} Bearer"}),
        ("threads", {"cookie": f"session={KEY}; theme=dark"}),
        ("threads", {"x-portkey-config": f'{{"api_key":"{KEY}", "retry": 1}}'}),
        ("threads?api-key=" + KEY, {}),
        ("threads?more=" + ESCAPED, {"authorization": f"Bearer {KEY}"}),
        ("threads/" + ESCAPED, {"authorization": f"Bearer {KEY}"}),
    ],
    ids=["scheme-last", "cookies", "config", "query", "escaped-in-a-query", "escaped-in-a-path"],
)
def test_no_key_is_in_the_journal_wherever_a_client_puts_it(
    target: str, headers: dict[str, str], served: Served
) -> None:
    served.send("POST", f"/v1/{target}", {"metadata": {"note": KEY}} if "config" in str(headers) else b"", headers)

    told = json.dumps(read(served))
    assert KEY not in told
    assert ESCAPED not in told


def test_the_journal_is_filtered(served: Served) -> None:
    thread = served.api("POST", "/threads")["id"]
    served.send("GET", f"/v1/threads/{thread}")
    served.send("DELETE", "/v1/threads/thread_x")
    served.send("PUT", "/v1/nowhere")

    for query, expected in {
        "": [1, 2, 3, 4],
        "?operation=create_thread": [1],
        f"?thread_id={thread}": [2],
        "?method=DELETE": [3],
        "?status=404": [3, 4],
        "?status=2xx": [1, 2],
        "?refused=true": [3, 4],
        "?refused=false&limit=1": [1],
        "?after=2": [3, 4],
        "?after=2&limit=0": [],
    }.items():
        assert [entry["number"] for entry in read(served, query)] == expected, query


@pytest.mark.parametrize(
    "query",
    ["opration=x", "operation=x", "status=4", "status=4x", "status=600", "refused=1", "after=-1", "limit=x",
     "limit=1&limit=2"],
)  # fmt: skip
def test_a_filter_that_makes_no_sense_is_refused_by_name(served: Served, query: str) -> None:
    assert served.refused("GET", f"journal?{query}")["param"] == query.partition("=")[0]


def test_the_journal_is_cleared_and_its_numbers_go_on(served: Served) -> None:
    served.api("POST", "/threads")

    assert served.driven("DELETE", "journal") == {"cleared": 1}
    served.api("POST", "/threads")
    assert [entry["number"] for entry in read(served)] == [2]


def test_the_journal_forgets_the_oldest(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST", 3)
    monkeypatch.setattr(journal, "LARGEST", 1000)
    for size in (0, 0, 0, 0, 900, 200):
        served.api("POST", "/threads", {"metadata": {"a": "x" * (size // 2), "b": "x" * (size // 2)}})

    told = served.driven("GET", "journal")
    assert [entry["number"] for entry in told["data"]] == [6]
    assert told["forgotten"] == 5


@pytest.mark.parametrize("where", ["headers", "query", "refusal"])
def test_the_journal_forgets_by_all_that_it_keeps(served: Served, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LARGEST", 5000)
    long = "x" * 2000
    for _ in range(4):
        match where:
            case "headers":
                served.send("POST", "/v1/threads", {}, {**HEADERS, "x-long": long})
            case "query":
                served.send("POST", f"/v1/threads?x={long}", {})
            case "refusal":  # which repeats the name
                served.send("POST", "/v1/threads", {long[:1000]: 1})

    told = served.driven("GET", "journal")
    assert [entry["number"] for entry in told["data"]] in ([3, 4], [4])


# the clock, and a new beginning


def test_the_clock_is_turned(served: Served) -> None:
    thread, run = served.run()
    assert run["status"] == "queued"

    told = served.driven("POST", "clock", {"advance": 60})

    assert told.keys() == {"clock", "now", "tick", "streams"}
    assert served.driven("GET", "clock") == told
    assert served.api("GET", f"{thread}/runs/{run['id']}")["status"] == "completed"


def test_a_request_takes_what_the_tick_says(served: Served) -> None:
    served.driven("POST", "clock", {"tick": 5})
    before = served.driven("GET", "clock")["now"]
    served.api("POST", "/threads")

    assert served.driven("GET", "clock")["now"] == before + 5


def test_a_stream_turns_the_clock_itself(served: Served) -> None:
    thread, run = served.run()
    served.driven("POST", "clock", {"advance": 60})
    before = served.driven("GET", "clock")["now"]

    got = served.send("POST", f"/v1{thread}/runs", {"assistant_id": run["assistant_id"], "stream": True})

    assert got.body.endswith(b"data: [DONE]\n\n")
    assert served.driven("GET", "clock")["now"] > before + 0.5


def test_a_stream_waits_for_the_clock_where_it_is_told_to(served: Served) -> None:
    thread, run = served.run()
    served.driven("POST", "clock", {"advance": 60, "streams": "wait"})
    before = served.driven("GET", "clock")["now"]

    body = {"assistant_id": run["assistant_id"], "stream": True}
    got = served.send("POST", f"/v1{thread}/runs", body, patience=0.2)

    assert got.hung_up
    assert b"thread.run.queued" in got.body
    assert b"thread.run.in_progress" not in got.body
    assert served.driven("GET", "clock")["now"] == pytest.approx(before, abs=0.1)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"advance": -1}, "advance"),
        ({"advance": "60"}, "advance"),
        ({"streams": "go"}, "streams"),
        ({"turn": 1}, "turn"),
        ({}, None),
    ],
)
def test_a_clock_is_not_turned_by_nonsense(served: Served, body: Any, param: str | None) -> None:
    assert served.refused("POST", "clock", body)["param"] == param


def test_the_clock_of_the_machine_is_not_turned() -> None:
    served = Served(clock=SystemClock())

    assert "--clock=turned" in served.refused("POST", "clock", {"advance": 1}, status=409)["message"]
    assert served.driven("GET", "clock")["clock"] == "real"


def session(served: Served) -> list[tuple[int | None, dict[str, str], bytes]]:
    thread, run = served.run()
    served.driven("POST", "clock", {"advance": 0.5})
    got = [
        served.send("POST", f"/v1{thread}/runs/{run['id']}/cancel"),
        served.send("GET", "/v1/nowhere"),
        served.send("GET", f"/v1{thread}/runs?limit=5"),
    ]
    return [(each.status, each.headers, each.body) for each in got]


def test_the_same_seed_and_requests_give_the_same_answers_also_after_a_reset() -> None:
    served = Served(seed="mine")
    first = session(served)
    served.driven("POST", "faults", {"fault": "rate-limit"})
    served.driven("POST", "clock", {"tick": 9, "streams": "wait"})

    assert served.driven("POST", "reset") == {"reset": True}

    assert served.driven("GET", "faults")["data"] == []
    assert read(served) == []
    assert session(served) == first == session(Served(seed="mine"))
    assert session(Served(seed="another")) != first


# who may, and who may not


@pytest.mark.parametrize("route", ["GET journal", "POST reset", "DELETE faults", "OPTIONS clock", "GET health"])
def test_no_page_in_a_browser_drives_the_server(served: Served, route: str) -> None:
    method, path = route.split()

    for headers in ({"origin": "http://localhost:3000"}, {"origin": "null"}, {"host": "evil.example:8000"}):
        served.refused(method, path, status=403, **headers)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "[::1]:8000", "127.8.8.8"])
def test_this_machine_has_several_names(served: Served, host: str) -> None:
    assert served.send("GET", "/_conformance/health", b"", {"host": host}).status == 200


def test_who_serves_to_others_may_be_asked_for_by_any_name() -> None:
    served = Served(loopback=False)

    assert served.send("GET", "/_conformance/health", b"", {"host": "reference:8000"}).status == 200


def test_without_control_there_is_only_the_health() -> None:
    served = Served(enabled=False)
    served.api("POST", "/threads")

    assert served.driven("GET", "health")["control"] is False
    for route in ("GET journal", "GET faults", "DELETE faults/fault_1", "POST reset", "GET clock", "GET bestiary"):
        method, path = route.split()
        assert served.refused(method, path, status=404)["message"].endswith("There are: GET /_conformance/health.")
    assert list(served.control.journal) == []


def test_a_route_that_is_none_says_which_there_are(served: Served) -> None:
    for route in ("GET nothing", "PUT clock", "GET faults/fault_1", "POST journal", "GET "):
        method, _, path = route.partition(" ")
        assert "POST /_conformance/clock" in served.refused(method, path, status=404)["message"]


def test_a_route_takes_nothing_that_it_does_not_read(served: Served) -> None:
    for route in ("GET health", "GET faults", "DELETE faults", "GET bestiary", "DELETE journal", "GET clock"):
        method, path = route.split()
        assert served.refused(method, f"{path}?x=1")["param"] == "x"
        assert "no body" in served.refused(method, path, {})["message"]
    assert served.refused("POST", "reset", {"x": 1})["param"] == "x"


def test_the_api_is_asked_for_as_ever(served: Served) -> None:
    assert served.send("GET", "/v1/_conformance/health").status == 404
    assert served.send("GET", "/_conformance", headers={}).status == 401
    assert served.send("POST", "/v1/threads", headers={**HEADERS, "origin": "http://x"}).status == 200
