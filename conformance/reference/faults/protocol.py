"""Protocol: status codes, content types, envelopes, headers, methods."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.reference.errors import Refusal
from conformance.reference.faults.registry import fault
from conformance.reference.operations import Operations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.reference.calls import Answer, Call

_NOT_FOUND, _OK = 404, 200


def _with_body(answer: Answer, value: Any) -> Answer:
    return replace(answer, body=json.dumps(value).encode())


def _with_header(answer: Answer, name: str, value: str | None) -> Answer:
    headers = {key: each for key, each in answer.headers.items() if key != name}
    return replace(answer, headers=headers if value is None else {**headers, name: value})


class Missing(Operations):
    """A server that answers what it does not find in some way of its own."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        return self.not_found(answer, call) if answer.status == _NOT_FOUND and call.operation else answer

    def not_found(self, answer: Answer, call: Call) -> Answer:
        """Change the answer."""
        raise NotImplementedError


@fault("ERR-001", seen="fakeai 0.3.2")
class Detail(Missing):
    """A 404 is a detail and no error."""

    def not_found(self, answer: Answer, call: Call) -> Answer:
        return _with_body(answer, {"detail": "Not found"})


@fault("ERR-001")
class HtmlErrors(Missing):
    """A 404 is a web page."""

    def not_found(self, answer: Answer, call: Call) -> Answer:
        return _with_header(replace(answer, body=b"<h1>Not found</h1>"), "content-type", "text/html")


@fault("ERR-001")
class ErrorWithoutParam(Operations):
    """Errors have no param."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        if answer.status in {_OK, 401, 429}:
            return answer
        error = json.loads(answer.body)["error"]
        return _with_body(answer, {"error": {name: value for name, value in error.items() if name != "param"}})


class Refusing(Operations):
    """A server that refuses in some way of its own; a wrong key and too many requests have requirements of theirs."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        return answer if answer.status in {_OK, 401, 429} else self.refusal(answer)

    def refusal(self, answer: Answer) -> Answer:
        """Change the answer."""
        raise NotImplementedError


@fault("ERR-001")
class SpeechlessErrors(Refusing):
    """Errors have an empty message."""

    def refusal(self, answer: Answer) -> Answer:
        return _with_body(answer, {"error": {**json.loads(answer.body)["error"], "message": ""}})


@fault("ERR-001")
class ErrorsInPlainText(Refusing):
    """Errors are JSON, and say that they are plain text."""

    def refusal(self, answer: Answer) -> Answer:
        return _with_header(answer, "content-type", "text/plain")


@fault("ERR-001")
class EmptyNotAllowed(Refusing):
    """A method that a path does not have is answered 405 without a body."""

    def refusal(self, answer: Answer) -> Answer:
        return _with_header(replace(answer, body=b""), "content-type", None) if answer.status == 405 else answer


@fault("ERR-001")
class NoRouteInHtml(Refusing):
    """A method that a path does not have is answered 404 with a web page."""

    def refusal(self, answer: Answer) -> Answer:
        page = _with_header(replace(answer, status=_NOT_FOUND, body=b"<h1>Not found</h1>"), "content-type", "text/html")
        return page if answer.status == 405 else answer


@fault("ERR-002")
class NotFoundError(Missing):
    """A 404 is of the type not_found_error."""

    def not_found(self, answer: Answer, call: Call) -> Answer:
        return _with_body(answer, {"error": {**json.loads(answer.body)["error"], "type": "not_found_error"}})


@fault("ERR-003", "CANCEL-021", "ERR-006", "MODIFY-010", "TOOL-017")
class UnknownRunCrashes(Missing):
    """An unknown run is a crash."""

    def not_found(self, answer: Answer, call: Call) -> Answer:
        return (
            replace(answer, status=500)
            if [*call.ids] == ["thread_id", "run_id"] and call.ids["thread_id"] in self._store.threads
            else answer
        )


@fault("ERR-003", "MODIFY-010", "TOOL-017")
class UnknownRunIsBadRequest(Missing):
    """An unknown run is a 400."""

    def not_found(self, answer: Answer, call: Call) -> Answer:
        known = call.ids.get("thread_id") in self._store.threads and call.operation != "cancel_run"
        return replace(answer, status=400) if [*call.ids] == ["thread_id", "run_id"] and known else answer


@fault("ERR-004")
class UnknownThreadCrashes(Missing):
    """Creating a run on an unknown thread is a crash."""

    def not_found(self, answer: Answer, call: Call) -> Answer:
        unknown = call.ids.get("thread_id") not in self._store.threads
        return replace(answer, status=500) if unknown and call.operation == "create_run" else answer


@fault("ERR-004", "SCHEMA-001")
class MakesThreadsUp(Operations):
    """A run on an unknown thread makes the thread up."""

    def create_run(self, call: Call) -> dict[str, Any]:
        try:
            return super().create_run(call)
        except Refusal as refusal:
            if refusal.status != _NOT_FOUND or call.ids["thread_id"] in self._store.threads:
                raise
            return self.create_thread(replace(call, body=b""))


@fault("ERR-006")
class LongIdsCrash(Operations):
    """A very long id is a crash."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        long = any(len(id) > 200 for id in call.ids.values())
        return replace(answer, status=500) if long else answer


@fault("ERR-006")
class UnicodeCrashes(Operations):
    """An id beyond ASCII is a crash."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        return answer if all(id.isascii() for id in call.ids.values()) else replace(answer, status=500)


@fault("ERR-007")
class BrokenJsonCrashes(Operations):
    """A body that is no JSON is a crash."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        return replace(answer, status=500) if b"no valid JSON" in answer.body else answer


@fault("ERR-007")
class LenientJson(Operations):
    """What follows the JSON of a body is ignored."""

    def create_run(self, call: Call) -> dict[str, Any]:
        try:
            _, end = json.JSONDecoder().raw_decode(call.body.decode("utf-8", "replace"))
        except ValueError:
            return super().create_run(call)
        return super().create_run(replace(call, body=call.body[:end]))


@fault("ERR-008")
class AnyContentType(Operations):
    """A body of any content type is read as JSON."""

    def create_run(self, call: Call) -> dict[str, Any]:
        headers = {**call.headers, **({"content-type": "application/json"} if call.body else {})}
        return super().create_run(replace(call, headers=headers))


@fault("ERR-009")
class CancelsOnGet(Operations):
    """A GET on the cancel path is answered 200."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        return replace(answer, status=400) if answer.status == 405 else answer


@fault("ERR-010")
class TooManyWithoutEnvelope(Operations):
    """A 429 has no envelope."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        return _with_body(answer, {"message": "Slow down."}) if answer.status == 429 else answer


@fault("ERR-010")
class RetryAfterADate(Operations):
    """Retry-After is a date."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        date = "Thu, 01 Jan 2026 00:00:10 GMT"
        return _with_header(answer, "retry-after", date) if answer.status == 429 else answer


@fault("CREATE-001", "GET-001")
class CreatesNothing(Operations):
    """A new run is answered, and forgotten."""

    def create_run(self, call: Call) -> dict[str, Any]:
        told = super().create_run(call)
        del self._thread(call).runs[told["id"]]
        return told


@fault("GET-001")
class AlwaysTheFirst(Operations):
    """Whichever run of a thread is read, the first one is shown."""

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        self._run(call)
        return self.shown(next(iter(self._thread(call).runs.values())), call)


@fault("GET-002", "INV-029", "STREAM-016")
class ReadsCount(Operations):
    """Every read of a run is counted in its metadata."""

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        run = self._run(call)
        if run.status(call.now) == "requires_action":
            run.metadata = {"reads": str(int(run.metadata.get("reads", "0")) + 1)}
        return super().retrieve_run(call)


@fault("GET-004")
class OutlivesItsThread(Operations):
    """The runs of a deleted thread can be read."""

    def delete_thread(self, call: Call) -> dict[str, Any]:
        thread = self._thread(call)
        return {"id": thread.id, "object": "thread.deleted", "deleted": True}


@fault("GET-005")
class HeadCrashes(Operations):
    """HEAD is a crash."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        return replace(answer, status=500) if answer.status == 405 and "head" in str(answer.body).lower() else answer


@fault("HDR-001", "PAGE-008", "PAGE-022", "PAGE-033")
class NoBetaPlease(Operations):
    """The beta header is refused where runs are listed."""

    def list_runs(self, call: Call) -> dict[str, Any]:
        raise Refusal("No such beta.", code="invalid_beta")


@fault("HDR-002")
class BetaWithoutCode(Operations):
    """The refusal for the want of the beta header has no code."""

    def need_beta(self, headers: Mapping[str, str]) -> None:
        try:
            super().need_beta(headers)
        except Refusal as refusal:
            raise Refusal(refusal.message) from None


@fault("HDR-003")
class PlainText(Operations):
    """Runs are sent as plain text."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        plain = call.operation == "retrieve_run" and answer.status == _OK
        return _with_header(answer, "content-type", "text/plain") if plain else answer


@fault("HDR-003")
class NoContentType(Operations):
    """Lists have no content type."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        listed = call.operation == "list_runs" and answer.status == _OK
        return _with_header(answer, "content-type", None) if listed else answer


class Reread(Operations):
    """A server whose runs are encoded in some way of its own where they are read."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        read = call.operation == "retrieve_run" and answer.status == _OK
        return replace(answer, body=self.encoded(answer.body)) if read else answer

    def encoded(self, body: bytes) -> bytes:
        """Encode what was UTF-8."""
        raise NotImplementedError


@fault("HDR-003")
class SixteenBits(Reread):
    """Runs are read in UTF-16."""

    def encoded(self, body: bytes) -> bytes:
        return body.decode().encode("utf-16")


@fault("HDR-003")
class MarksTheByteOrder(Reread):
    """Before a run that is read there is a byte order mark."""

    def encoded(self, body: bytes) -> bytes:
        return b"\xef\xbb\xbf" + body


@fault("HDR-003")
class SaysItTwice(Reread):
    """A run that is read has two statuses, and the last one is right."""

    def encoded(self, body: bytes) -> bytes:
        return b'{"status": "queued",' + body[1:]


@fault("HDR-005")
class PollAfterText(Operations):
    """openai-poll-after-ms is no number."""

    def sent(self, answer: Answer, call: Call) -> Answer:
        answer = super().sent(answer, call)
        return _with_header(answer, "openai-poll-after-ms", "soon") if call.operation == "retrieve_run" else answer


@fault("ERR-011")
class CrashesNowAndThen(Operations):
    """One in fifty reads of a run is a crash."""

    _reads = 0

    def retrieve_run(self, call: Call) -> dict[str, Any]:
        self._run(call)
        self._reads += 1
        if self._reads % 50 == 0:
            raise Refusal("Oops.", status=500, kind="server_error")
        return super().retrieve_run(call)
