"""The files that a folder of Allure results has once: the surroundings, who carried it out, and the categories."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAMED = (
    ("a MUST is broken", "fail", ["failed"]),
    ("a SHOULD is broken", "warn", ["passed"]),
    ("listed as known, still broken", "known", ["skipped"]),
    ("listed as known, and holds or matches nothing", "stale", ["failed"]),
    ("listed as flaky", "flaky", ["skipped"]),
    ("unstable, since repetitions disagree", "unstable", ["failed"]),
    ("untested", "untested", ["skipped"]),
    ("not applicable", "n/a", ["skipped"]),
    ("switched off", "disabled", ["skipped"]),
    ("error, ours or the network's", "error", ["broken"]),
)


def files(facts: Mapping[str, str], environment: Mapping[str, str], clean: Callable[[str], str]) -> dict[str, str]:
    """
    The files by name.

    Args:
        facts: What the session was about, by name.
        environment: The environment's variables.
        clean: Every text passes through it.
    """
    properties = "".join(f"{name} = {_escaped(clean(value))}\n" for name, value in facts.items())
    who = {name: clean(each) if isinstance(each, str) else each for name, each in executor(environment).items()}
    return {
        "environment.properties": properties,
        "executor.json": json.dumps(who, indent=2) + "\n",
        "categories.json": json.dumps(categories(), indent=2) + "\n",
    }


def categories() -> list[dict[str, Any]]:
    """The verdicts that need attention, told by the first word of the message."""
    # Java matches the whole message, JavaScript any part of it; this says the same to both.
    return [
        {"name": name, "messageRegex": rf"^{verdict}(:[\s\S]*)?$", "matchedStatuses": statuses}
        for name, verdict, statuses in _NAMED
    ]


def executor(environment: Mapping[str, str]) -> dict[str, Any]:
    """Who carried the session out, as the CI system says, or a machine of somebody's."""
    said = environment.get
    if said("GITHUB_ACTIONS"):
        told = {
            "name": "GitHub Actions",
            "type": "github",
            "buildName": f"{said('GITHUB_WORKFLOW', 'workflow')} #{said('GITHUB_RUN_NUMBER', '')}",
            "buildUrl": "/".join(
                (
                    said("GITHUB_SERVER_URL", "https://github.com"),
                    said("GITHUB_REPOSITORY", ""),
                    "actions/runs",
                    said("GITHUB_RUN_ID", ""),
                )
            ),
        }
        order = said("GITHUB_RUN_NUMBER", "")
    elif said("GITLAB_CI"):
        told = {
            "name": "GitLab CI",
            "type": "gitlab",
            "buildName": f"{said('CI_JOB_NAME', 'job')} #{said('CI_PIPELINE_IID', '')}",
            "buildUrl": said("CI_JOB_URL", ""),
        }
        order = said("CI_PIPELINE_IID", "")
    else:
        return {"name": "local", "type": "local", "buildName": "a session on no CI system"}
    return {**told, **({"buildOrder": int(order)} if order.isascii() and order.isdigit() else {})}


def _escaped(text: str) -> str:
    """A value of a properties file: a line of ASCII."""
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    units = (escaped[at] for at in range(len(escaped)))
    return "".join(unit if unit.isascii() else _units(unit) for unit in units).strip()


def _units(char: str) -> str:
    wide = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{wide[at : at + 4]}" for at in range(0, len(wide), 4))
