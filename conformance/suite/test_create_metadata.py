"""Metadata that a run is created with: clients find their own records by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.states.handles import Run
from conformance.suite import requirement
from conformance.suite.expectations import expect, expect_refused, need, need_page, need_run, shown
from conformance.suite.settings import FURNITURE, bare_of, expect_created, heir_of, need_documented

if TYPE_CHECKING:
    from conformance.states.shared import Shared
    from conformance.states.stage import Stage
    from conformance.wire.exchange import Exchange

#: Pairs in which something is easily lost: case, spaces, what is beyond ASCII or 16 bits, what looks like no text.
METADATA: Final = {
    "CamelCase": "Some Value",
    "camelcase": "another",
    "a key with spaces": " around and  within ",
    "empty": "",
    "ключ": "значение, 価値, ünïcödé",
    "emoji": "🎉👩‍🚀",
    "escapes": 'a "quoted" \\ and </tag> & 100 % + more',
    "lines": "one\ntwo\tthree",
    "number": "007",
    "word": "true",
    "null": "null",
    "json": '{"a": [1, 2]}',
}
BEYOND: Final[dict[str, Any]] = {
    "17-pairs": {f"key {number}": "value" for number in range(17)},
    "key-of-65": {"k" * 65: "value"},
    "value-of-513": {"key": "v" * 513},
    "boolean": {"key": True},
    "number": {"key": 1},
    "null": {"key": None},
    "object": {"key": {"inner": "value"}},
    "deep": {"key": json.loads("[" * 60 + "]" * 60)},
    "array": ["key", "value"],
    "text": "key=value",
}


@requirement("RUN-CREATE-012")
@pytest.mark.parametrize("seen_by", ["create", "retrieve", "list"])
def test_metadata_is_kept_as_it_was_given(seen_by: str, shared: Shared, some_run: Run) -> None:
    """Not a character of it is another, whoever shows it: clients find their records by it."""
    created = expect_created(some_run, shared.created("metadata-to-keep", metadata=METADATA), "metadata")
    run = Run(shared.stage.client, shared.stage.means.waits, created)

    if seen_by == "create":
        return _expect_metadata(created, need_run(created), METADATA)
    if seen_by == "retrieve":
        read = run.until(lambda _: True, "appear", "appeared")
        return _expect_metadata(read, need_run(read), METADATA)
    listed = run.thread.list()
    there = [each for each in need_page(listed) if each["id"] == run.id]
    need(there, f"the run is not listed, which other requirements are about: {listed}")
    return _expect_metadata(listed, there[0], METADATA)


@requirement("RUN-CREATE-012")
@pytest.mark.parametrize("who", ["bare", "heir"])
def test_a_run_without_metadata_has_none(who: str, shared: Shared) -> None:
    """Nobody writes metadata but the caller; that of the assistant is the assistant's."""
    reply = bare_of(shared) if who == "bare" else heir_of(shared)

    found = need_run(reply).get("metadata")
    need(found is None or isinstance(found, dict), f"metadata has another form, which RUN-SCHEMA-035 is about: {reply}")
    expect(not found, "metadata empty or null", f"metadata {shown(found)}", reply)


@requirement("RUN-CREATE-013")
def test_metadata_at_its_limits_is_kept(shared: Shared, some_run: Run) -> None:
    """Sixteen pairs, with keys of 64 and values of 512 characters, and not one pair or character less."""
    wanted = FURNITURE["metadata"]
    reply = expect_created(some_run, shared.created("metadata", **wanted), "metadata at its limits")

    _expect_metadata(reply, need_run(reply), wanted["metadata"])


@requirement("RUN-CREATE-013")
@pytest.mark.parametrize("metadata", BEYOND.values(), ids=BEYOND.keys())
def test_metadata_beyond_its_limits_is_refused(metadata: object, stage: Stage, some_run: Run) -> None:
    """Metadata is not cut, converted or dropped in silence."""
    need_run(some_run.seen)

    reply = stage.create_run(stage.thread(), metadata=metadata)

    expect_refused(reply, because="since metadata is at most 16 pairs of texts")


def _expect_metadata(reply: Exchange, run: dict[str, Any], wanted: dict[str, str]) -> None:
    found = run.get("metadata")
    need_documented(run, ["metadata"], reply)
    got = found if isinstance(found, dict) else {}
    lost = [key for key, value in wanted.items() if got.get(key) != value]
    added = [key for key in got if key not in wanted]
    told = ", ".join(f"{key[:20]!r}: {shown(got[key])[:60]}" if key in got else f"{key[:20]!r} absent" for key in lost)
    meant = ", ".join(f"{key[:20]!r}: {shown(wanted[key])[:60]}" for key in lost)
    expect(not lost, f"metadata with {meant}", told or shown(found), reply)
    expect(not added, f"metadata with {len(wanted)} pairs", f"besides {shown(added)}", reply)
