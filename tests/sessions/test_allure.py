"""What a folder of Allure results says of real sessions, read in full."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from conformance.reports.allure.folder import categories, executor, files
from conformance.reports.allure.page import NoPage, main, without_analytics
from conformance.reports.allure.result import parameter
from conformance.requirements import catalogue
from support.servers import answering, listening

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sessions import ForkedSessions, Ran

    Judge = Callable[..., Ran]

STATUS = {"pass": "passed", "warn": "passed", "note": "passed", "fail": "failed", "stale": "failed", "error": "broken"}


@dataclass(frozen=True)
class Folder:
    """A folder of results."""

    path: Path

    @property
    def results(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text("utf-8")) for path in sorted(self.path.glob("*-result.json"))]

    def of(self, requirement: str) -> list[dict[str, Any]]:
        return [each for each in self.results if ("tag", requirement) in labels(each)]

    def attached(self, result: dict[str, Any]) -> dict[str, str]:
        return {each["name"]: (self.path / each["source"]).read_text("utf-8") for each in result["attachments"]}


def labels(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(label["name"], label["value"]) for label in result["labels"]]


def verdict(result: dict[str, Any]) -> str:
    words = {"pass", "fail", "warn", "note", "known", "stale", "flaky", "unstable", "n/a", "untested", "error"}
    (word,) = words & {value for name, value in labels(result) if name == "tag"}
    return word


#: Tests that read the same session are run by one process, so that the session is carried out once.
OF_THE_REPLAY = pytest.mark.xdist_group("allure of a replay")
OF_THE_FAULTS = pytest.mark.xdist_group("allure of faults")


@pytest.fixture(scope="module")
def replayed(forked_sessions: ForkedSessions, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    """A replay of the bundled cassettes in a workflow of GitHub, and the folder of its results."""
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKFLOW": "ci",
        "GITHUB_RUN_NUMBER": "7",
        "GITHUB_REPOSITORY": "me/mine",
        "GITHUB_RUN_ID": "99",
        "GITHUB_SERVER_URL": "https://github.example",
    }
    kept = tmp_path_factory.mktemp("replayed")
    return forked_sessions.run(kept, "--pyargs", "conformance", "--alluredir=allure", "-q", **github), kept / "allure"


@pytest.fixture(scope="module")
def with_faults(forked_sessions: ForkedSessions, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    """A session that comes to verdicts of most kinds, and the folder of its results."""
    kept = tmp_path_factory.mktemp("with-faults")
    (kept / "known-failures.toml").write_text(
        '"RUN-LIFE-004[cancelled]" = { reason = "our issue 7" }\n'
        'RUN-AUTH-001 = { reason = "ours" }\n'
        'RUN-PAGE-001 = { reason = "now and then", flaky = true }\n',
        "utf-8",
    )
    ran = forked_sessions.run(
        kept,
        *("--target-url=reference", "--runs-races=2", "--runs-max-runs=200"),
        *("--runs-fault=comes-back", "--runs-fault=no-steps-at-all", "--alluredir=allure", "-q"),
    )
    return ran, kept / "allure"


@pytest.fixture
def with_writes(judge: Judge, tmp_path: Path) -> tuple[Ran, Path]:
    """A session that also sends generated writes and random sequences, and the folder of its results."""
    given = ("--target-url=reference", "--runs-fuzz=writes", "--runs-races=2", "--runs-fault=comes-back")
    return judge(*given, "--alluredir=allure", "-q"), tmp_path / "allure"


@pytest.mark.parametrize(
    "session",
    [
        pytest.param("replayed", marks=OF_THE_REPLAY),
        pytest.param("with_faults", marks=OF_THE_FAULTS),
        pytest.param("with_writes", marks=pytest.mark.exhaustive),
    ],
    ids=["replay", "faults", "writes with a fault"],
)
def test_every_item_appears_once(request: pytest.FixtureRequest, session: str) -> None:
    ran, kept = request.getfixturevalue(session)

    results = Folder(kept).results
    counted = sum(int(number) for number in re.findall(r"(\d+) (?:passed|failed|error|skipped|noted|warned)", ran.text))
    assert len(results) == counted > 600
    for name in ("uuid", "historyId", "testCaseId", "fullName"):
        assert Counter(each[name] for each in results).most_common(1)[0][1] == 1, name
    sources = Counter(each["source"] for result in results for each in result.get("attachments", []))
    assert set(sources.values()) == {1}
    assert {path.name for path in kept.glob("*-attachment.*")} == set(sources)
    assert list(kept.glob("*-container.json")) == []


@OF_THE_REPLAY
def test_the_tree_is_the_catalogue_by_labels_of_both_kinds(replayed: tuple[Ran, Path]) -> None:
    for result in Folder(replayed[1]).results:
        told = dict(labels(result))
        row = catalogue()[told["story"].split()[0]]
        tree = ["Runs conformance", f"{row.area.key} {row.area.name}", f"{row.id} {row.title}"]
        assert [told["epic"], told["feature"], told["story"]] == tree
        assert [told["parentSuite"], told["suite"], told["subSuite"]] == tree
        assert result["titlePath"] == tree
        assert told["severity"] == {"MUST": "critical", "SHOULD": "normal", "MAY": "minor"}[row.level]
        assert f"basis: {row.basis}" in result["description"]
        assert all(source in result["description"] for source in row.sources)
        assert row.why in result["description"]


@pytest.mark.exhaustive
def test_an_item_is_known_again_in_the_next_session_and_elsewhere(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    judge("--target-url=reference", "--alluredir=one", "-m", "cancel")
    judge("--target-url=reference", "--alluredir=../two", "-m", "cancel", cwd=tmp_path / "elsewhere")

    one, two = ({each["historyId"] for each in Folder(tmp_path / name).results} for name in ("one", "two"))
    assert one == two != set()


@OF_THE_FAULTS
def test_verdicts_survive_the_words_of_allure(with_faults: tuple[Ran, Path]) -> None:
    ran, kept = with_faults
    assert ran.code == 1, ran.text
    results = Folder(kept).results

    seen = {verdict(each) for each in results}
    assert {"pass", "note", "known", "stale", "flaky", "n/a", "untested"} <= seen
    for each in results:
        word = verdict(each)
        assert each["status"] == STATUS.get(word, "skipped"), each
        message = each.get("statusDetails", {}).get("message", "")
        assert message.startswith(f"{word}: ") if word != "pass" else not message, each
    assert all(each["statusDetails"]["known"] for each in results if verdict(each) == "known")
    assert all(each["statusDetails"]["flaky"] for each in results if verdict(each) == "flaky")
    assert "with comes-back, no-steps-at-all (profile reference)\n" in (kept / "environment.properties").read_text(
        "ascii"
    )


def test_each_message_belongs_to_the_category_of_its_verdict() -> None:
    for rule, word in zip(categories(), ("fail", "warn", "known", "stale", "flaky", "unstable"), strict=False):
        matching = re.compile(rule["messageRegex"])
        assert matching.fullmatch(f"{word}: several\nlines")
        assert matching.search(word)
        assert not matching.search(f"failed: {word}: other")
        assert rule["matchedStatuses"]
    assert len({rule["messageRegex"] for rule in categories()}) == len(categories()) == 10


def test_a_failure_brings_its_text_its_history_and_its_commands(judge: Judge, tmp_path: Path) -> None:
    judge("--target-url=reference", "--runs-fault=comes-back", "--alluredir=allure", "-m", "life or cancel")

    folder = Folder(tmp_path / "allure")
    of_row = [each for each in folder.of("RUN-LIFE-004") if each["status"] == "failed"]
    (failed,) = [each for each in of_row if each["name"].endswith("[final_states_are_final]")]

    attached = folder.attached(failed)
    assert failed["statusDetails"]["trace"] == attached["fail"]
    assert "RUN-LIFE-004  MUST stay in a final state" in attached["fail"]
    assert "POST cancel 200" in attached["history"]
    commands = attached["reproduce"].splitlines()
    assert commands[0].startswith("python -m conformance.reference --port 8000 --fault comes-back")
    assert commands[-1].startswith('curl -i -s -X GET "http://127.0.0.1:8000/v1/threads/$thread/runs/$run"')
    assert all(line in attached["fail"] for line in commands)
    named = [name for name in attached if name.startswith("#")]
    assert all(re.fullmatch(r"#\d+ [A-Z]+ /v1/\S+ \d{3}, \d+ ms", name) for name in named)
    body = next(text for name, text in attached.items() if "/runs/" in name and " GET " in name)
    assert '\n  "object": "thread.run",\n' in body
    assert "authorization" not in body.lower()


@pytest.mark.exhaustive
def test_what_no_item_told_is_told_as_well(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "known-failures.toml").write_text(
        '"RUN-CANCEL-011[nosuch]" = { reason = "x" }\n"RUN-CANCEL-011[neither]" = { reason = "y" }\n', "utf-8"
    )

    ran = judge("--target-url=reference", "--alluredir=allure")

    assert ran.code == 1, ran.text
    failed = [each for each in Folder(tmp_path / "allure").results if each["status"] == "failed"]
    assert sorted(each["statusDetails"]["message"] for each in failed) == [
        f"stale: no item has this parameter; delete RUN-CANCEL-011[{name}] from the list"
        for name in ("neither", "nosuch")
    ]
    assert len({each["historyId"] for each in failed}) == 2


@OF_THE_REPLAY
def test_the_folder_says_what_the_session_was_about(replayed: tuple[Ran, Path]) -> None:
    kept = replayed[1]
    properties = (kept / "environment.properties").read_text("ascii")
    told = dict(line.split(" = ", 1) for line in properties.splitlines())
    assert told["target"] == "cassettes reference (profile reference)"
    assert told["profile"] == "reference"
    assert told["cancel-policy"] == "documented"
    assert "cancel found" in told["capabilities"]
    assert told["provenance"].startswith("recorded ")
    assert {"suite", "python", "pytest", "platform", "gate"} <= set(told)
    assert json.loads((kept / "executor.json").read_text("utf-8")) == {
        "name": "GitHub Actions",
        "type": "github",
        "buildName": "ci #7",
        "buildUrl": "https://github.example/me/mine/actions/runs/99",
        "buildOrder": 7,
    }


def test_other_places_carry_sessions_out_too() -> None:
    gitlab = {"GITLAB_CI": "true", "CI_JOB_NAME": "conformance", "CI_PIPELINE_IID": "3", "CI_JOB_URL": "https://x/1"}

    assert executor(gitlab)["buildUrl"] == "https://x/1"
    assert executor(gitlab)["buildOrder"] == 3
    assert executor({})["type"] == "local"
    assert "buildOrder" not in executor({"GITHUB_ACTIONS": "true"})


def test_a_value_stays_on_its_line_and_in_ascii() -> None:
    said = {"target": 'a\nb\\c "é" \U0001f600 = x', "profile": "mine"}
    made = files(said, {}, str)["environment.properties"]

    assert made == 'target = a\\nb\\\\c "\\u00e9" \\ud83d\\ude00 = x\nprofile = mine\n'


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"\xff{", "\\xff{"),
        ("x" * 300, "x" * 97 + "... (300 characters)"),
        ("", '""'),
        ("a\0b", "a\\x00b"),
        ({"a": [1, b"\xff"]}, '{"a": [1, "\\\\xff"]}'),
        (None, "None"),
        (object(), ""),
        (lambda: None, ""),
        (parameter, "parameter"),
        (3, "3"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_parameter_is_readable(value: object, words: str) -> None:
    assert parameter(value) == words


def test_a_planted_key_is_in_no_file(judge: Judge, tmp_path: Path) -> None:
    key = "sk-planted-secret"
    (tmp_path / "test_mine.py").write_text(
        "import os\nimport allure\nimport pytest\n"
        "@pytest.fixture\ndef mine():\n    raise RuntimeError(os.environ['OPENAI_API_KEY'])\n"
        "def test_mine(mine):\n    pass\n"
        "@pytest.mark.parametrize('key', [os.environ['OPENAI_API_KEY']], ids=['key'])\n"
        "def test_other(key):\n    allure.attach(key, key)\n    print(key)\n",
        "utf-8",
    )
    body = json.dumps({"id": "x", "object": "thread.run", "echo": key, key: 1}).encode()
    with listening(answering(body, "content-type: application/json", f"x-echo: {key}")) as origin:
        ran = judge(
            *("--pyargs", "conformance", "test_mine.py", f"--target-url={origin}/v1", "--alluredir=allure"),
            *("-m", "schema or not requirement"),
            *("--runs-wait=finish=0", "--runs-wait=start=0"),
            OPENAI_API_KEY=key,
            GITHUB_ACTIONS="1",
            GITHUB_WORKFLOW=key,
        )

    folder = Folder(tmp_path / "allure")
    assert len(folder.results) > 30, ran.text
    assert {"test_mine", "test_other[key]"} <= {each["name"] for each in folder.results}
    assert [path.name for path in folder.path.iterdir() if key.encode() in path.read_bytes()] == []


@pytest.mark.exhaustive
def test_the_folder_stays_small_where_everything_is_broken(judge: Judge, tmp_path: Path) -> None:
    body = json.dumps({"id": "x", "object": "thread.run", "status": "completed", "pad": ["y" * 100] * 800}).encode()
    with listening(answering(body, "content-type: application/json")) as origin:
        ran = judge(f"--target-url={origin}/v1", "--alluredir=allure", "-m", "get or schema or page")

    size = sum(path.stat().st_size for path in (tmp_path / "allure").iterdir())
    assert ran.code == 1, ran.text
    assert size < 45_000_000


def test_results_of_others_stay_as_they_were(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import pytest\n@pytest.fixture\ndef mine():\n    return 1\n"
        "@pytest.mark.parametrize('x', [1, 2])\ndef test_mine(mine, x):\n    pass\n",
        "utf-8",
    )
    judge("--pyargs", "conformance", "test_mine.py", "--target-url=reference", "--alluredir=allure", "-k", "mine")
    judge("test_mine.py", "--alluredir=without", "-k", "mine")
    both = ("--target-url=reference", "--alluredir=both", "-k", "mine or GET-001")
    judge("--pyargs", "conformance", "test_mine.py", *both)

    def mine(name: str) -> list[tuple[object, ...]]:
        shown = [each for each in Folder(tmp_path / name).results if each["name"].startswith("test_mine")]
        keys = ("name", "status", "fullName", "historyId", "parameters")
        return sorted(tuple(str(each.get(key)) for key in keys) for each in shown)

    assert len(mine("both")) == 2
    assert mine("allure") == mine("without") == mine("both")
    assert len(list((tmp_path / "both").glob("*-container.json"))) > 0


def test_a_folder_that_goes_away_does_not_hide_the_verdict(judge: Judge, tmp_path: Path) -> None:
    removing = "import shutil\ndef pytest_runtest_logreport(report):\n    shutil.rmtree('allure', ignore_errors=True)\n"
    (tmp_path / "removing.py").write_text(removing, "utf-8")
    path = os.pathsep.join([str(tmp_path), *sys.path])

    options = ("--alluredir=allure", "--runs-report-dir=out", "-p", "removing", "-k", "RUN-GET-001")
    ran = judge("--target-url=reference", *options, PYTHONPATH=path)

    assert ran.code == 3, ran.text
    assert ran.text.count("ERROR: Allure's results could not be written: FileNotFoundError") == 1
    assert "Traceback" not in ran.text
    assert "verdict: conforms" in ran.text
    assert json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["ended"]["exit_code"] == 3


ANALYTICS = (
    '<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>\n'
    "<script>\n  window.dataLayer = []; gtag('config', 'G-1');\n</script>"
)


def test_a_page_loads_nothing_from_elsewhere() -> None:
    kept = "<p>seen</p><script>go()</script>"

    assert without_analytics(f"{kept}{ANALYTICS}") == kept
    with pytest.raises(NoPage, match="from elsewhere"):
        without_analytics('<script src="https://cdn.example/x.js"></script>')


def test_a_page_that_cannot_be_made_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([str(tmp_path), str(tmp_path / "page.html")])

    assert code == 1
    assert "holds no results of Allure" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_the_page_is_made_by_allure_as_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x-result.json").write_text("{}", "utf-8")
    stand_in = tmp_path / "npx"
    stand_in.write_text(
        f"#!{sys.executable}\nimport json, pathlib, sys\n"
        "config = json.loads(pathlib.Path(sys.argv[sys.argv.index('--config') + 1]).read_text())\n"
        "made = pathlib.Path(config['output']); made.mkdir()\n"
        f"(made / 'index.html').write_text(' '.join(sys.argv[1:4]) + {ANALYTICS!r} + json.dumps(config['plugins']))\n",
        "utf-8",
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    code = main([str(tmp_path), str(tmp_path / "page.html")])

    page = (tmp_path / "page.html").read_text("utf-8")
    assert code == 0, capsys.readouterr().err
    assert re.match(r"--yes allure@\d+\.\d+\.\d+ generate", page)
    assert '"singleFile": true' in page
    assert '"groupBy": ["epic", "feature", "story"]' in page
    assert "googletagmanager" not in page
