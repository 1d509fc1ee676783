"""A folder of results as one page: `python -m conformance.reports.allure.page RESULTS PAGE`, with npx on the path."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from conformance.reports.allure.folder import categories

#: The release that the results were looked at with.
VERSION = "3.18.0"
#: What loads a script from elsewhere, and the script beside it that calls that.
_ANALYTICS = re.compile(
    r'<script async src="https://www\.googletagmanager\.com/[^<]*</script>\s*<script>[^<]*</script>'
)
_FOREIGN = re.compile(r'<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="?(?:https?:)?//', re.IGNORECASE)


class NoPage(Exception):
    """The page cannot be made; the message says why, in a sentence."""


def configuration(output: str) -> dict[str, object]:
    """What Allure 3 is told: one file, the tree of clauses by name, and our categories."""
    rules = [{**rule, "groupBy": [], "groupByMessage": True} for rule in categories()]
    options = {"singleFile": True, "groupBy": ["epic", "feature", "story"], "defaultSortBy": "name,asc"}
    return {
        "name": "Runs conformance",
        "output": output,
        "categories": rules,
        "plugins": {"awesome": {"options": options}},
    }


def page(results: Path) -> str:
    """
    The page of a folder of results.

    Raises:
        NoPage: there are no results, there is no npx, or Allure does not make a page of them.
    """
    if not any(results.glob("*-result.json")):
        raise NoPage(f"{results} holds no results of Allure; pytest --alluredir={results} writes some")
    if (npx := shutil.which("npx")) is None:
        raise NoPage("npx is not on the path; it comes with Node 20 or later")
    with TemporaryDirectory() as folder:
        config, made = Path(folder, "allurerc.json"), Path(folder, "page")
        config.write_text(json.dumps(configuration(str(made))), "utf-8")
        command = [npx, "--yes", f"allure@{VERSION}", "generate", str(results.absolute()), "--config", str(config)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
        if done.returncode or not (made / "index.html").is_file():
            raise NoPage(f"Allure made no page: {(done.stderr or done.stdout).strip()[-2000:]}")
        return without_analytics((made / "index.html").read_text("utf-8"))


def without_analytics(text: str) -> str:
    """
    The page without what would tell others that somebody reads it.

    Raises:
        NoPage: it still loads something from elsewhere.
    """
    plain = _ANALYTICS.sub("", text)
    if found := _FOREIGN.search(plain):
        raise NoPage(f"the page would load something from elsewhere: {plain[found.start() : found.start() + 120]}")
    return plain


def main(arguments: list[str] | None = None) -> int:
    """Make the page."""
    parser = argparse.ArgumentParser(prog="python -m conformance.reports.allure.page", description=__doc__)
    parser.add_argument("results", type=Path, help="the folder that --alluredir named")
    parser.add_argument("page", type=Path, help="the HTML file to write")
    asked = parser.parse_args(arguments)
    try:
        asked.page.write_text(page(asked.results), "utf-8")
    except (NoPage, OSError) as problem:
        print(problem, file=sys.stderr)  # noqa: T201 - it is a command
        return 1
    print(f"{asked.page} says what {asked.results} holds")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
