"""For each invariant about status codes, headers, error bodies and pages: defects that it finds, and nobody else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.journals import (
    T0,
    Defect,
    Finding,
    Told,
    created,
    drop,
    error_of,
    header,
    listed,
    put,
    read,
    refused,
    run,
    thread,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from support.journals import Story


def _read() -> Story:
    return [read()]


def _known() -> Story:
    return [thread(), created(), read("in_progress")]


def _known_twice() -> Story:
    return [*_known(), read("in_progress")]


def _refused() -> Story:
    return [refused()]


def _missing() -> Story:
    return [refused(status=404)]


def _mistaken() -> Story:
    return [Told("cancel_run", error_of(), 405, method="PUT")]


def _throttled() -> Story:
    throttled = refused("create_run", 429, kind="requests", code="rate_limit_exceeded")
    throttled.headers["retry-after"] = "20"
    return [throttled]


def _broken(**how: object) -> Callable[[Story], None]:
    return told(**{"status": 500, "body": error_of("server_error"), **how})


MESSAGES: Mapping[str, Sequence[Defect | Finding]] = {
    "beta_header_is_accepted": [
        Defect(_refused, put("error.code", "invalid_beta"), "no refusal", "status 400 with code invalid_beta")
    ],
    "success_is_json": [
        Defect(_read, header("content-type", "text/html"), "application/json", "text/html"),
        Defect(_read, told(headers={}), "application/json", "absent"),
        Defect(_read, told(body=b"<html>"), "a JSON body", "no JSON"),
        Defect(_read, told(body=b'{"temperature": NaN}'), "a JSON body", "no JSON"),
        Defect(_read, told(body=json.dumps(run()).encode("utf-16")), "in UTF-8", "no JSON: 'utf-8' codec"),
        Defect(_read, told(body=b"\xef\xbb\xbf" + json.dumps(run()).encode()), "in UTF-8", "BOM"),
        Defect(
            _read, told(body=b'{"status": "queued", "status": "completed"}'), "a JSON body", "status is there twice"
        ),
    ],
    "request_id_header": [
        Finding(_read, "x-request-id is not sent with any reply"),
        Finding(lambda: [_with(read(), "x-request-id", "req_1")], "x-request-id is sent with every reply"),
        Finding(
            lambda: [*_missing(), _with(read(), "x-request-id", "req_1")],
            "x-request-id is sent with GET run 200; it is not sent with GET run 404",
        ),
    ],
    "polling_hint": [
        Defect(_read, header("openai-poll-after-ms", "soon"), "a positive integer", "soon"),
        Defect(_read, header("openai-poll-after-ms", "000"), "a positive integer", "000"),
        Defect(_read, header("openai-poll-after-ms", "1.5"), "a positive integer", "1.5"),
    ],
    "errors_have_the_envelope": [
        Defect(_missing, told(body={"detail": "Not Found"}), "error.message", "status 404: error absent"),
        Defect(_missing, told(body=b"Not Found"), "as JSON", "status 404 with 'Not Found'"),
        Defect(_missing, told(body=["Not Found"]), "error.message", "the body"),
        Defect(_refused, drop("error.param"), "error.param", "status 400: error.param absent"),
        Defect(_refused, put("error.code", 400), "error.code", "error.code 400"),
        Defect(_refused, put("error.message", ""), "error.message", 'error.message ""'),
        Defect(_refused, header("content-type", "text/plain"), "application/json", "status 400 with content type text"),
        Defect(_mistaken, told(body=b""), "as JSON", "status 405 with ''"),
        Defect(_mistaken, told(body=b"<h1>Not Found</h1>", status=404), "as JSON", "status 404 with '<h1>"),
    ],
    "client_faults_are_invalid_requests": [
        Defect(_missing, put("error.type", "not_found"), "invalid_request_error", "error.type not_found")
    ],
    "too_many_requests_say_when_to_come_back": [
        Defect(_throttled, header("retry-after", "0"), "positive", "Retry-After 0"),
        Defect(_throttled, header("retry-after", "-1"), "positive", "Retry-After -1"),
        Defect(_throttled, told(body=b"slow down"), "as JSON", "status 429 with 'slow down'"),
        Defect(_throttled, drop("error.type"), "error.type", "error.type absent"),
    ],
    "nothing_wrong_is_no_crash": [
        Defect(_known, _broken(), "below 500", "status 500"),
        Defect(
            lambda: [thread(), created(), created()],
            _broken(status=503),
            "below 500",
            "status 503",
        ),
        Defect(
            lambda: [thread(), created(), listed(run("queued"), limit="100", order="asc")],
            _broken(status=502),
            "below 500",
            "status 502",
        ),
    ],
    "what_was_read_can_be_read_again": [
        Defect(_known_twice, told(status=404, body=error_of()), "the run (2xx)", "status 404"),
        Defect(_known_twice, told(status=400, body=error_of()), "the run (2xx)", "status 400"),
    ],
    "success_is_200": [
        Defect(lambda: [created()], told(status=201), "status 200", "status 201"),
        Defect(_read, told(status=204, body=b""), "status 200", "status 204"),
    ],
}


def _with(reply: object, name: str, value: str) -> object:
    reply.headers[name] = value  # type: ignore[attr-defined]
    return reply


NEWEST, OLDEST = run(id="run_new", created_at=T0 + 1), run(id="run_old", created_at=T0)


def _page() -> Story:
    return [listed(NEWEST, OLDEST, order="desc", limit="2")]


def _empty() -> Story:
    return [listed(after="run_old")]


def _walk() -> Story:
    return [listed(NEWEST, limit="1", has_more=True), listed(OLDEST, limit="1", after="run_new")]


PAGES: Mapping[str, Sequence[Defect | Finding]] = {
    "page_has_its_envelope": [
        *(Defect(_page, drop(each), each, f"without {each}") for each in ("object", "data", "has_more", "last_id")),
        Defect(_page, put("data", {}), "an array", "data {}"),
        Defect(_page, put("data", None), "an array", "data null"),
        Defect(_page, told(body=[NEWEST, OLDEST]), "a JSON object", "run_new"),
    ],
    "page_is_a_list": [
        Defect(_page, put("object", "page"), '"list"', '"page"'),
        Defect(_page, put("object", None), '"list"', "null"),
    ],
    "page_is_of_the_thread": [
        Defect(_page, put("data.1.thread_id", "thread_other"), "thread_abc", "thread_other"),
        Defect(_page, put("data.1", "run_old"), "runs in data", '"run_old"'),
        Defect(_page, put("data.1", None), "runs in data", "null"),
        Defect(_page, put("data.1", {"id": "run_old"}), "runs in data", '{"id": "run_old"}'),
    ],
    "has_more_is_a_boolean": [
        Defect(_page, put("has_more", "false"), "true or false", '"false"'),
        Defect(_page, put("has_more", 0), "true or false", "0"),
        Defect(_empty, put("has_more", None), "true or false", "null"),
    ],
    "page_names_its_ends": [
        Defect(_page, put("last_id", "run_new"), 'last_id "run_old"', 'last_id "run_new"'),
        Defect(_page, put("first_id", None), 'first_id "run_new"', "first_id null"),
    ],
    "page_keeps_its_limit": [
        Defect(_page, told(query=(("order", "desc"), ("limit", "1"))), "at most 1", "2 runs"),
    ],
    "page_is_in_order": [
        Defect(_page, told(query=(("order", "asc"),)), str([T0, T0 + 1]), str([T0 + 1, T0])),
    ],
    "empty_page_has_no_ends": [
        Defect(_empty, put("last_id", "run_old"), "last_id null", 'last_id "run_old"'),
        Defect(_empty, put("first_id", False), "first_id null", "first_id false"),
        Defect(_empty, put("has_more", True), "has_more false", "has_more true"),
    ],
    "walk_repeats_nothing": [
        Defect(_walk, told(body=listed(NEWEST).body), "every run once", "run_new"),
    ],
    "page_repeats_nothing": [
        Defect(
            lambda: [listed(run("queued"), OLDEST)],
            told(body=listed(run("queued"), run("queued"), OLDEST).body),
            "every run once",
            "run_abc",
        ),
    ],
}

DEFECTS = {**MESSAGES, **PAGES}
