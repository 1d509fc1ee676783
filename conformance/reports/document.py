"""
The report: one plain document that says all that a session found; every other report is made from it alone.

Its JSON Schema is `schemas/report.schema.json`, generated from these models. Members may be added to a version; what is
there keeps its name and its meaning. Requirements come in the order of the catalogue, items in the order in which they
ran. Every text was redacted, and holds no character that a terminal obeys.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from conformance.requirements import Basis, Level, Reach, State  # noqa: TC001 - pydantic reads them
from conformance.verdicts import Verdict  # noqa: TC001 - pydantic reads it

FORMAT: Final = "runs-conformance report"
VERSION: Final = 1

Id = Annotated[str, Field(pattern=r"^(RUN|SDK)-[A-Z]+-\d{3}$")]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]
#: What a requirement does to the verdict of the session.
Effect = Literal["breaks", "incomplete", "none"]


class Part(BaseModel):
    """A part of the document."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Suite(Part):
    """What judged."""

    version: str
    python: str
    platform: str


class Capability(Part):
    """A part that a target may lack."""

    name: str
    state: Literal["found", "not found", "declared absent"]


class Target(Part):
    """What was judged."""

    name: str
    """In words, for people."""
    kind: Literal["replay", "reference", "url", "sdk"]
    """Replayed cassettes, the embedded reference server, a server behind a URL, or a client."""
    profile: str
    """The dialect of the protocol."""
    cancel_policy: str
    """What is expected where a queued or waiting run is cancelled."""
    capabilities: list[Capability]
    """Those that were looked for, and those that were declared absent."""
    provenance: str
    """Where replayed cassettes come from; empty for anything else."""
    command: str
    """
    The command that judges it again from the same folder: the suite's options, `-k` and `-m` as they were given,
    wherever they were set. Paths are left out, and a key is named by its variable.
    """
    contract: str | None = None
    """The contract that was pinned; null where the whole catalogue of this version was judged."""


class Ended(Part):
    """How the session ended, and what it says of the target."""

    exit_code: int
    outcome: Literal["conforms", "does not conform", "stale list", "incomplete", "nothing measured", "interrupted"]
    sentence: str
    gate: Literal["must", "should"]
    """The level whose violations fail a session."""
    counts: dict[Verdict, Count]
    """How many requirements came to each verdict that any came to."""
    began: str
    """An ISO 8601 date and time, in UTC."""
    seconds: Seconds


class Cost(Part):
    """What the session took of the target."""

    requests: Count
    runs: Count
    tokens: Count
    """By the runs' own word."""
    waits: dict[str, Seconds]
    """By the name of the wait; many at once."""
    idle: Seconds
    """For how long the session itself stood still."""
    threads_left: Count
    """Threads that are still on the target, so that what is broken can be reproduced."""


class AreaLevel(Part):
    """The verdicts on the requirements of one level of an area."""

    level: Level
    counts: dict[Verdict, Count]


class Area(Part):
    """A chapter of the contract."""

    key: str
    name: str
    levels: list[AreaLevel]


class Breach(Part):
    """One way in which a requirement was broken."""

    expected: str
    actual: str
    history: str
    """The exchanges that led there, on a line; the telling one last. Empty where nothing was sent."""
    body: str
    """What a reply that is no success, or no JSON, had to say."""
    reproduce: list[str]
    """The lines of a command, or of a script, that sends it again."""
    exchanges: list[Count]
    """The numbers of the exchanges of the history."""


class Item(Part):
    """A case with its parameters, or an invariant."""

    case: str
    """Its file and name, as pytest shows them, without folders."""
    parameters: str
    verdict: Verdict
    reason: str
    """Why it is no pass; empty where it is."""
    seconds: Seconds | None
    """From its first request to its last reply; null where it sent none of its own."""
    violations: list[Breach]
    more: Count
    """Violations beyond those that are told."""
    text: str
    """The failure as the terminal, JUnit and Allure tell it; empty where nothing was violated."""


class Requirement(Part):
    """A row of the catalogue, and what it came to."""

    id: Id
    title: str
    """It begins with the level that the row has in this session."""
    level: Level
    area: str
    basis: Basis
    reach: Reach
    why: str
    sources: list[str]
    verdict: Verdict
    effect: Effect
    """Whether it breaks the session's gate, or leaves the session incomplete."""
    accept: str
    """The line of `known-failures.toml` that would accept it; empty where nothing is broken."""
    items: list[Item]


class Message(Part):
    """A request or a response, as far as it is kept."""

    headers: dict[str, str]
    body: str
    bytes: Count
    """The size of the whole body."""
    cut: bool
    """Whether the body is longer than what is kept of it."""


class Told(Part):
    """One exchange that shows a violation."""

    number: Count
    method: str
    path: str
    """With its query, percent-encoded."""
    status: int
    at: float
    """When the request left, by the session's clock, in Unix seconds."""
    seconds: Seconds
    """Until the response was complete."""
    request: Message
    response: Message


class Acceptance(Part):
    """An entry of the list of known failures."""

    requirement: Id
    parameter: str
    """What stands in the brackets of the items that it is about; empty for all of them."""
    reason: str
    until: str | None
    flaky: bool
    overdue: bool
    """Whether its day is past, so that it accepts nothing any more."""


class Row(Part):
    """A row of the catalogue that is not judged."""

    id: Id
    title: str
    state: State
    reason: str


class Sentence(Part):
    """A sentence of the sources that no row covers."""

    sentence: str
    source: str
    reason: str


class Coverage(Part):
    """How much of the catalogue the session is about."""

    active: Count
    selected: Count
    measured: Count
    not_selected: list[Id]
    not_reached: list[Id]
    """Selected, and never come to, since the session was broken off."""
    not_judged: list[Row]
    """Rows that are merged into others, planned, or excluded."""
    not_testable: list[Sentence]


class Report(Part):
    """What one session of runs-conformance found."""

    format: Literal["runs-conformance report"]
    version: Literal[1]
    suite: Suite
    target: Target
    ended: Ended
    cost: Cost
    areas: list[Area]
    requirements: list[Requirement]
    exchanges: list[Told]
    """Those that show violations, each once, in order."""
    known_failures: list[Acceptance]
    coverage: Coverage
    not_claimed: list[str]
    """What the verdict does not say."""
