"""What the real service sent breaks no requirement that counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.invariants import invariants
from conformance.invariants.evidence import Evidence
from conformance.profiles import load_profile
from conformance.requirements import Basis, Level, catalogue
from support.recordings import PROFILES, SYNTHETIC, Recorded, places, read, shape

if TYPE_CHECKING:
    from collections.abc import Iterable

#: SHOULDs that the real service did not keep, and why each stays in the catalogue.
KNOWN = {
    ("v2", "RUN-SCHEMA-043"): "parallel_tool_calls was added in June 2024; every later recording has it",
}

SOURCES = {
    "recordings": pytest.param(places, id="recordings"),
    "synthetic": pytest.param(lambda: [SYNTHETIC], id="synthetic"),
}


@pytest.mark.parametrize("source", SOURCES.values())
@pytest.mark.parametrize("version", PROFILES)
def test_the_real_thing_conforms(source: object, version: str) -> None:
    recorded = [each for each in read(_found(source)) if each.version == version]
    assert recorded

    broken = _broken(recorded, version)

    assert {row: text for row, text in broken.items() if catalogue()[row].level is Level.MUST} == {}
    assert {row for row in broken if (version, row) not in KNOWN} == set()
    assert {row for row in broken if catalogue()[row].basis is not Basis.STATED} == set()


def test_the_streams_are_judged_as_streams() -> None:
    streams = [each.exchange for each in read(_found(places)) if each.exchange.is_stream]

    assert len(streams) >= 7
    assert {stream.events[-1].data for stream in streams} == {"[DONE]"}
    judged = {each.requirement for each in invariants() if each.judge(Evidence(streams)).measured}
    assert len([row for row in judged if row.startswith("RUN-STREAM-")]) >= 12


def test_every_shape_has_a_synthetic_body() -> None:
    ours = {shape(each) for each in read([SYNTHETIC])}

    theirs = {shape(each) for each in read(_found(places)) if not each.exchange.is_stream}

    assert theirs - ours == set()


def _found(source: object) -> list[object]:
    paths = source()  # type: ignore[operator]
    if not paths:
        pytest.skip("there are no recordings of the real service here")
    return paths  # type: ignore[no-any-return]


def _broken(recorded: Iterable[Recorded], version: str) -> dict[str, str]:
    evidence = Evidence(each.exchange for each in recorded)
    off = {row for row, change in load_profile(PROFILES[version]).rows.items() if change["level"] == "off"}
    return {
        each.requirement: f"{violations[0].expected}, got {violations[0].actual}"
        for each in invariants()
        if each.requirement not in off and (violations := each.judge(evidence).violations)
        if catalogue()[each.requirement].level is not Level.MAY
    }
