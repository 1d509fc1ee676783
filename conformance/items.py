"""An item of the suite between pytest's words and ours: the scope that it works in, and what it came to."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from conformance.outcomes import Untested

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.attended import Attended
    from conformance.cases import Case
    from conformance.reports.allure.writer import Writer
    from conformance.requirements import Requirement
    from conformance.session import Session
    from conformance.verdicts import Finding

#: Verdicts that pytest counts as passed, so that their texts would be lost to JUnit.
_TOLD = frozenset({"warn", "note"})
#: Verdicts for which pytest's only word is skipped.
_SKIPPED = frozenset({"known", "flaky", "n/a", "untested", "disabled"})

SESSION: pytest.StashKey[Session] = pytest.StashKey()
ROW: pytest.StashKey[Requirement] = pytest.StashKey()
_SCOPE: pytest.StashKey[ExitStack] = pytest.StashKey()
#: A case that is carried out side by side with others.
CASE: pytest.StashKey[Case] = pytest.StashKey()
#: Who looks on, and who may ask for the end.
ATTENDED: pytest.StashKey[Attended] = pytest.StashKey()
#: What writes Allure's results, where they are asked for.
ALLURE: pytest.StashKey[Writer] = pytest.StashKey()
#: What an item says instead of a traceback.
TEXT: pytest.StashKey[str | None] = pytest.StashKey()


def begin_side_by_side(judging: Session, items: list[pytest.Item]) -> None:
    """Begin with the cases; what is generated has an order, and what judges the journal comes last."""
    from conformance.cases import Case

    cases = []
    for item in items:
        if isinstance(item, pytest.Function) and ROW in item.stash and not judging.docket.is_excused(item.stash[ROW]):
            case = Case(item, scope_name(item), judging.settings.repeat)
            if case.is_plain and not has(item, "invariant") and not has(item, "fuzz"):
                item.stash[CASE] = case
                cases.append(case)
    judging.side_by_side.begin(cases, judging.settings.seed if judging.settings.repeat > 1 else None)


def conclude_the_rest(items: list[pytest.Item]) -> None:
    """File what was carried out, and pytest never came to, since the session was broken off."""
    for item in items:
        judging = item.config.stash[SESSION] if CASE in item.stash else None
        if judging and judging.side_by_side.has_ended(case := item.stash[CASE]):
            outcome: Exception | None = None
            try:
                judging.side_by_side.wait_for(case)
                case.tell()
            except Exception as problem:  # noqa: BLE001 - whatever ended it is its verdict
                outcome = problem
            judging.docket.conclude(item.stash[ROW], item.nodeid, outcome)


def has(item: pytest.Item, marker: str) -> bool:
    """Whether an item carries a marker."""
    return item.get_closest_marker(marker) is not None


def scope_name(item: pytest.Item) -> str:
    """A scope is named by its file and case, so that neither the checkout's place nor the order matters."""
    kind = "races" if has(item, "race") else "invariants" if has(item, "invariant") else "cases"
    return f"{kind}/{item.path.stem}/{item.name}"


def open_scope(item: pytest.Item) -> None:
    """Let what the fixtures and the body of an item do belong to its scope, until it concludes."""
    item.stash[_SCOPE].enter_context(item.config.stash[SESSION].client.scope(scope_name(item)))


@contextmanager
def concluding(item: pytest.Item, *, setting_up: bool = False) -> Iterator[None]:
    """End the scope of an item and file what it came to; a set-up that went well comes to nothing yet."""
    judging = item.config.stash[SESSION]
    scope = item.stash.setdefault(_SCOPE, ExitStack())
    outcome: Exception | None = None
    try:
        yield
        if setting_up:
            return
        scope.close()
    except Exception as problem:  # noqa: BLE001 - whatever ends an item becomes its verdict
        outcome = problem
        try:
            scope.__exit__(type(problem), problem, problem.__traceback__)
        except Untested as withheld:
            outcome = withheld
        except Exception:  # noqa: BLE001, S110 - the first problem is the one to tell
            pass
    except BaseException as interruption:
        scope.__exit__(type(interruption), interruption, interruption.__traceback__)
        raise
    tell(item, judging.docket.conclude(item.stash[ROW], item.nodeid, outcome), outcome)


def tell(item: pytest.Item, finding: Finding, outcome: Exception | None = None) -> None:
    """Tell pytest and Allure what an item came to, in their words and, first, in ours."""
    judging = item.config.stash[SESSION]
    text = judging.text_of(item.nodeid, outcome) if outcome else None
    named = f"{finding.verdict}: {finding.reason}" if finding.reason else ""
    told = (f"{named}\n\n{text}" if finding.verdict in _SKIPPED else text) if text else named
    if outcome:
        outcome.args = (judging.redactor.text(told),)
    item.user_properties.append(("verdict", str(finding.verdict)))
    if finding.verdict in _TOLD:
        item.user_properties.append(("finding", judging.redactor.text(told)))
    if writer := item.config.stash.get(ALLURE, None):
        scopes = [each.scope for each in item.stash[CASE].attempts] if CASE in item.stash else [scope_name(item)]
        exchanges = [each for scope in scopes for each in judging.journal.of(scope)]
        params = getattr(getattr(item, "callspec", None), "params", {})
        writer.tell(finding, judging.redactor.text(text or ""), exchanges, params)
    if finding.verdict in _SKIPPED:
        pytest.skip(told)
    if finding.verdict == "stale":
        pytest.fail(told, pytrace=False)
    if outcome and finding.verdict in {"fail", "unstable", "error"}:
        item.stash[TEXT] = text
        raise outcome
