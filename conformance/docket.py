"""What a session judges and at which level, and what became of each of its items."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from conformance.known import DEFAULT_NAME, Known, read_known, updated
from conformance.outcomes import Violated
from conformance.requirements import Level, Reach, State, catalogue
from conformance.settings import OPTIONAL
from conformance.verdicts import Finding, Findings, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from conformance.outcomes import Violation
    from conformance.redaction import Redactor
    from conformance.requirements import Requirement
    from conformance.settings import Settings

#: The level of the rows about cancelling what is not in_progress, by the policy of the session.
_POLICY_LEVELS = {"documented": Level.SHOULD, "strict": Level.MUST, "observed": Level.MAY}
_POLICY_ROWS = frozenset({"RUN-CANCEL-017", "RUN-CANCEL-018"})


class Docket:
    """The requirements of one session, the items that measure them, and the findings."""

    def __init__(self, settings: Settings, start: Path, redactor: Redactor, *, keyless: bool) -> None:
        """
        Prepare the docket of a session.

        Args:
            settings: What was asked for.
            start: The folder that the list of known failures is looked for in.
            redactor: What all reasons pass through.
            keyless: Whether the target is judged without a key.

        Raises:
            BadSettings: the list cannot be read.
        """
        self.findings = Findings()
        #: The requirements that have items in this session.
        self.selected: frozenset[str] = frozenset()
        #: The capabilities that were looked for and not found.
        self.lacking: frozenset[str] = frozenset()
        self.keyless = keyless
        self._settings, self._redactor = settings, redactor
        self._by_item: dict[str, Finding] = {}
        self._list = start / (settings.known_failures or DEFAULT_NAME)
        listed = read_known(self._list) if settings.known_failures or self._list.is_file() else ()
        self.known = Known.of(listed, today(), settings.side)

    @property
    def active(self) -> frozenset[str]:
        """The requirements that any session on this side judges."""
        return frozenset(id for id, row in catalogue(self._settings.side).items() if row.state is State.ACTIVE)

    def level(self, row: Requirement) -> Level | None:
        """The level of a row in this session, or None where the profile switches it off."""
        override = self._settings.profile.rows.get(row.id, {}).get("level")
        if override == "off":
            return None
        if override:
            return Level(override)
        if row.id in _POLICY_ROWS:
            return _POLICY_LEVELS[self._settings.policy]
        pinned = self._settings.contract
        return pinned.levels.get(row.id, row.level) if pinned else row.level

    def is_judged(self, row: Requirement) -> bool:
        """Whether a row is in the contract that was pinned, if one was."""
        return self._settings.contract is None or row.id in self._settings.contract

    def expect(self, items: Iterable[tuple[Requirement, str]]) -> None:
        """Learn which items are to come, each as its row and its name."""
        named = [(row.id, item) for row, item in items]
        self.selected = frozenset(id for id, _ in named)
        self.known.expect(named)

    def judge_list(self) -> None:
        """File the entries of the list of known failures that match nothing, once there is a target to measure."""
        judged = {id for id, row in catalogue(self._settings.side).items() if self.is_judged(row)}
        for row, reason in self.known.unmatched(self.selected, judged):
            self._file(row, self._list.name, Verdict.STALE, reason, unmatched=True)

    def is_excused(self, row: Requirement) -> bool:
        """Whether no item of a row is run."""
        return self.level(row) is None or bool({row.area.capability} & {*self._settings.without, *self.lacking})

    def excuse(self, row: Requirement, item: str, *, race: bool) -> Finding | None:
        """File why an item is not run at all, where there is a reason."""
        if self.level(row) is None:
            switched_off = self._settings.profile.rows[row.id].get("reason", "the profile switches it off")
            return self._file(row, item, Verdict.DISABLED, switched_off)
        if reason := self._not_applicable(row):
            return self._file(row, item, Verdict.NOT_APPLICABLE, reason)
        if row.area.capability in self.lacking:
            name = row.area.capability
            remedy = f"if that is meant to be, say so with --runs-without={name}"
            return self._file(row, item, Verdict.UNTESTED, f"the target has no {name}; {remedy}")
        if race and self._settings.kind == "replay":
            return self._file(row, item, Verdict.UNTESTED, "races are not recorded", gates=False)
        return None

    def conclude(self, row: Requirement, item: str, outcome: Exception | None) -> Finding:
        """File what an item came to."""
        verdict, reason = judge(outcome, self.level(row) or row.level)
        verdict, reason = self.known.judge(row.id, item, verdict, reason)
        return self._file(
            row,
            item,
            verdict,
            self._redactor.text(reason),
            violations=outcome.violations if isinstance(outcome, Violated) else (),
            gates=self._gates(row, outcome),
        )

    def finding(self, item: str) -> Finding | None:
        """What an item came to, if it has."""
        return self._by_item.get(item)

    def update_list(self, *, whole: bool) -> Iterator[str]:
        """Bring the list of known failures up to date, where that was asked for, and say so in a sentence."""
        if not self._settings.update_known_failures:
            return
        if not whole:
            yield f"{self._list.name} stays as it was, since the session did not come to its end"
            return
        counting = {Verdict.FAIL, *([Verdict.WARN] if self._settings.gate == "should" else [])}
        text = updated(self._list, self.findings.by_requirement(), frozenset(counting), today())
        self._list.write_text(self._redactor.text(text), "utf-8")
        yield f"{self._list.name} says what is broken today; give the new entries a reason"

    def _not_applicable(self, row: Requirement) -> str | None:
        """Why a row says nothing about this target, or None if it does."""
        if row.area.capability in self._settings.without:
            if row.area.capability == "auth" and self.keyless:
                return "no key was given, which declares authentication absent"
            return f"the target is declared to have no {row.area.capability}"
        if row.area.capability in self.lacking & OPTIONAL:
            return f"the target has no {row.area.capability}"
        return None

    def _gates(self, row: Requirement, outcome: Exception | None) -> bool:
        """Whether an untested item makes the session incomplete; on the reference server every one does."""
        if self._settings.kind == "reference":
            return True
        remarks = (self.level(row) or row.level) is Level.MAY  # which nobody need have
        return not remarks and row.reach is not Reach.IF_SEEN and getattr(outcome, "gates", True)

    def _file(
        self,
        row: Requirement,
        item: str,
        verdict: Verdict,
        reason: str,
        *,
        violations: Sequence[Violation] = (),
        gates: bool = True,
        unmatched: bool = False,
    ) -> Finding:
        finding = Finding(
            requirement=row,
            level=self.level(row) or row.level,
            item=item,
            verdict=verdict,
            reason=reason,
            violations=violations,
            gates=gates,
            unmatched=unmatched,
        )
        self.findings.add(finding)
        self._by_item[item] = finding
        return finding


def today() -> date:
    """The day where the session runs, which is where the list of known failures is kept."""
    return date.today()  # noqa: DTZ011
