"""Known failures: what a target's owner has accepted for now, each with a reason."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from conformance.requirements import Side, State, both_catalogues, catalogue
from conformance.settings import BadSettings
from conformance.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from conformance.requirements import Requirement
    from conformance.verdicts import Finding

#: The file that is read where none is named.
DEFAULT_NAME = "known-failures.toml"
_MEMBERS = frozenset({"reason", "until", "flaky"})


@dataclass(frozen=True)
class Acceptance:
    """One entry: why a requirement may stay broken, with which parameter, and until when."""

    requirement: str
    #: What stands in the brackets of the items that it is about, or one of its parts; all items, if it is empty.
    parameter: str
    reason: str
    until: date | None = None
    #: Whether it holds now and then.
    flaky: bool = False

    @property
    def key(self) -> str:
        """What it is called in the file."""
        return f"{self.requirement}[{self.parameter}]" if self.parameter else self.requirement

    def counts(self, today: date) -> bool:
        """Whether it still holds."""
        return self.until is None or today <= self.until

    def matches(self, requirement: str, item: str) -> bool:
        """Whether it is about an item of a requirement."""
        if requirement != self.requirement:
            return False
        given = parameter_of(item)
        return not self.parameter or self.parameter in {given, *given.split("-")}


@dataclass
class Known:
    """The acceptances of one session, and what became of the items that they are about."""

    entries: Sequence[Acceptance] = ()
    #: Entries whose day is past; what they are about counts again.
    overdue: Sequence[Acceptance] = ()
    side: Side = Side.SERVER
    _awaited: dict[str, int] = field(default_factory=dict)
    _came_to: dict[str, set[Verdict]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Sequence[Acceptance], today: date, side: Side = Side.SERVER) -> Known:
        """Part the entries about a side by the day."""
        entries = [each for each in entries if each.requirement in catalogue(side)]
        return cls(
            [each for each in entries if each.counts(today)], [each for each in entries if not each.counts(today)], side
        )

    def expect(self, items: Iterable[tuple[str, str]]) -> None:
        """Learn which items are to come, each as its requirement and its name."""
        for requirement, item in items:
            if entry := self._about(requirement, item):
                self._awaited[entry.key] = self._awaited.get(entry.key, 0) + 1

    def unmatched(self, selected: Iterable[str], judged: Collection[str]) -> Iterator[tuple[Requirement, str]]:
        """
        The rows of the entries that are about nothing, each with the reason; what is deselected is about something.

        Args:
            selected: The requirements that have items in this session.
            judged: Those that the session would be about as a whole, which is all, unless a contract is pinned.
        """
        rows, of_session = catalogue(self.side), set(selected)
        whole = {id for id in judged if rows[id].state is State.ACTIVE} <= of_session
        for entry in self.entries:
            row = rows[entry.requirement]
            if row.state is not State.ACTIVE:
                why = f" ({row.reason})" if row.reason else ""
                yield row, f"nothing matches it: the row is {row.state}{why}; delete {entry.key} from the list"
            elif whole and entry.requirement in judged and entry.key not in self._awaited:
                yield row, f"no item has this parameter; delete {entry.key} from the list"

    def judge(self, requirement: str, item: str, verdict: Verdict, reason: str) -> tuple[Verdict, str]:
        """What an entry makes of the verdict on an item; its last item tells whether all of them hold."""
        if (entry := self._about(requirement, item)) is None:
            return verdict, reason
        broken = verdict in {Verdict.FAIL, Verdict.WARN, Verdict.UNSTABLE}
        self._awaited[entry.key] -= 1
        came_to = self._came_to.setdefault(entry.key, set())
        came_to.add(Verdict.KNOWN if broken else verdict)
        if entry.flaky and (broken or verdict is Verdict.PASS):
            return Verdict.FLAKY, f"{entry.reason} ({reason or 'it holds today'})"
        if broken:
            return Verdict.KNOWN, f"{entry.reason} ({reason})"
        holds = came_to - {Verdict.NOT_APPLICABLE} == {Verdict.PASS}  # what does not apply keeps no entry
        if not self._awaited[entry.key] and holds:
            return Verdict.STALE, f"it is listed as a known failure and holds now: delete {entry.key} from the list"
        return verdict, reason

    def _about(self, requirement: str, item: str) -> Acceptance | None:
        """The entry about an item; one with a parameter goes before one without."""
        found = [entry for entry in self.entries if entry.matches(requirement, item)]
        return max(found, key=lambda entry: len(entry.parameter), default=None)


def parameter_of(item: str) -> str:
    """What stands in the brackets of an item's name."""
    return item.partition("[")[2].removesuffix("]")


def read_known(path: Path) -> Sequence[Acceptance]:
    """
    Read a file of known failures, an entry each: `RUN-X-001 = { reason = "...", until = "2027-01-31" }`.

    Raises:
        BadSettings: it is not there, no TOML, or an entry is wrong.
    """
    try:
        entries = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BadSettings(f"there is no file of known failures at {path}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise BadSettings(f"{path} cannot be read as TOML: {problem}") from None
    return [_acceptance(path, key, entry) for key, entry in entries.items()]


def updated(path: Path, findings: Mapping[str, Sequence[Finding]], counting: frozenset[Verdict], today: date) -> str:
    """
    The file as it should be after a session: what is broken is listed, what holds is not, and the rest stays.

    Reasons, dates and comments are kept; a new entry says what was found, and when.

    Args:
        path: The file, which need not exist.
        findings: Those of the session, by requirement.
        counting: The verdicts that fail a session.
        today: The day.

    Raises:
        BadSettings: the file cannot be read, or what keeps its comments is not installed.
    """
    try:
        import tomlkit
    except ImportError:
        raise BadSettings(
            "--runs-update-known-failures needs the extra update: "
            "pip install 'PATH[update]', with the path of a checkout"
        ) from None
    document = tomlkit.parse(path.read_text("utf-8")) if path.is_file() else tomlkit.document()
    old = read_known(path) if path.is_file() else []
    for entry in old:
        of_row = findings.get(entry.requirement, ())
        verdicts = {each.verdict for each in of_row if entry.matches(entry.requirement, each.item)}
        holds = verdicts and verdicts <= {Verdict.PASS, Verdict.STALE}
        if both_catalogues()[entry.requirement].state is not State.ACTIVE or (holds and not entry.flaky):
            document.remove(entry.key)
    for id, of_row in findings.items():
        for key, reason in _news(id, of_row, counting).items():
            table = tomlkit.inline_table()
            table.update({"reason": f"found on {today}: {reason}"})
            document[key] = table
    return tomlkit.dumps(document)


def _news(id: str, findings: Sequence[Finding], counting: frozenset[Verdict]) -> dict[str, str]:
    """The entries about what is broken and not listed; by parameter where it is not all of them."""
    broken = {each.item: each.reason for each in findings if each.verdict in counting}
    if not broken:
        return {}
    parameters = {item: parameter_of(item) for item in broken}
    others = {parameter_of(each.item) for each in findings if each.item not in broken}
    if not others or not all(parameters.values()) or others & set(parameters.values()):
        return {id: next(iter(broken.values()))}
    return {f"{id}[{parameters[item]}]": reason for item, reason in broken.items()}


def _acceptance(path: Path, key: str, entry: Any) -> Acceptance:
    id, _, parameter = key.removesuffix("]").partition("[")
    if id not in both_catalogues():
        raise BadSettings(f"{path}: there is no requirement {id}")
    if not isinstance(entry, dict) or set(entry) - _MEMBERS:
        form = f'{key} should be {{ reason = "...", until = "2027-01-31", flaky = true }}, the date and flaky optional'
        raise BadSettings(f"{path}: {form}")
    if not isinstance(reason := entry.get("reason"), str) or not reason.strip(" ."):
        raise BadSettings(f"{path}: {key} needs a reason")
    if not isinstance(flaky := entry.get("flaky", False), bool):
        raise BadSettings(f"{path}: flaky of {key} is neither true nor false")
    try:
        return Acceptance(id, parameter, reason, _date(entry.get("until")), flaky)
    except ValueError:
        raise BadSettings(f"{path}: the until of {key} is no date like 2027-01-31") from None


def _date(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    return date.fromisoformat(str(value))
