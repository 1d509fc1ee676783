"""The action and the recipes for CI, carried out as a runner would."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"] if "name" in step}
#: Selects little, so that a session is quick.
LITTLE = "-k=RUN-CANCEL-011"
#: Leaves out plugins that load themselves and that no session here uses; most of the CPU time of a session is theirs.
QUIET = "-p no:schemathesis -p no:hypothesispytest -p no:anyio"


class Runner:
    """A machine that carries out steps in a workspace, with tools that never reach a network."""

    def __init__(self, folder: Path) -> None:
        self.workspace, self.temp, tools = folder / "workspace", folder / "temp", folder / "tools"
        for each in (self.workspace, self.temp, tools):
            each.mkdir()
        self.files = {name: folder / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in self.files.values():
            file.touch()
        self.installed = folder / "installed"
        for name in ("python", "pip", "pytest"):
            self._tool(tools / name, name)
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"},
            **{name: str(file) for name, file in self.files.items()},
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "GITHUB_WORKSPACE": str(self.workspace),
            "CI_PROJECT_DIR": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
            "CI": "true",
            "PYTEST_ADDOPTS": QUIET,
        }

    def _tool(self, path: Path, name: str) -> None:
        """A tool that notes what it should install, and is the real one in everything else."""
        real = {"python": f'"{sys.executable}"', "pip": "false", "pytest": f'"{sys.executable}" -m pytest'}[name]
        path.write_text(
            "#!/bin/bash\n"
            f'case "{name} $*" in\n'
            f"""  *pip\\ install*|*pip\\ --*) printf '%s\\n' "$@" >> "{self.installed}" ;;\n"""
            f"""  python\\ -m\\ venv*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;\n"""
            f'  *) exec {real} "$@" ;;\n'
            "esac\n",
            "utf-8",
        )
        path.chmod(0o755)

    def run(self, script: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """As the runner does: bash that ends at the first error, from a file."""
        file = cwd.parent / "step.sh"
        file.write_text(script, "utf-8")
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(file)],
            cwd=cwd,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def step(self, name: str, inputs: dict[str, str], outputs: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """A step of the action, its expressions filled in by what was given and what came before."""
        known = {f"inputs.{key}": value for key, value in inputs.items()}
        known |= {f"steps.judge.outputs.{key}": value for key, value in outputs.items()}
        known["github.action_path"] = str(ROOT)
        environment = {
            key: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: known.get(found[1], ""), value)
            for key, value in STEPS[name].get("env", {}).items()
        }
        return self.run(STEPS[name]["run"], self.workspace, **environment)

    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.files["GITHUB_OUTPUT"].read_text("utf-8").splitlines())

    def action(self, **given: str) -> subprocess.CompletedProcess[str]:
        """The whole action; what came out of its last step, with the text of all."""
        inputs = {name: str(each.get("default", "")) for name, each in ACTION["inputs"].items()}
        inputs |= {name.replace("_", "-"): value for name, value in given.items()}
        text = ""
        for name, step in STEPS.items():
            if "run" in step:
                done = self.step(name, inputs, self.outputs())
                text += done.stdout + done.stderr
                assert name == "Gate" or done.returncode == 0, text
        done.stdout = text
        return done


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_a_faithful_server_passes(runner: Runner) -> None:
    done = runner.action(target_url="reference", args=f"{LITTLE}\n")

    assert done.returncode == 0, done.stdout
    told = runner.outputs()
    assert told["exit-code"] == "0"
    assert told["verdict"] == "conforms"
    assert json.loads(told["counts"])["pass"] == 1
    assert (runner.workspace / "runs-conformance-report" / "report.json").is_file()
    assert "#" in runner.files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
    assert f"{ROOT}[all]" in runner.installed.read_text("utf-8").splitlines()


def test_a_broken_server_fails_in_the_last_step(runner: Runner) -> None:
    done = runner.action(
        target_url="reference", args="--runs-fault=comes-back\n-m=life or cancel", report_dir="out", version="0.1.0"
    )

    assert done.returncode == 1, done.stdout
    assert runner.outputs()["verdict"] == "does not conform"
    assert (runner.workspace / "out" / "report.md").is_file()
    assert "runs-conformance[all]==0.1.0" in runner.installed.read_text("utf-8").splitlines()


def test_the_inputs_reach_the_session(runner: Runner) -> None:
    dialect = (ROOT / "conformance" / "profiles" / "reference.toml").read_text("utf-8")
    (runner.workspace / "my profile.toml").write_text(dialect.replace('name = "reference"', 'name = "mine"'), "utf-8")
    (runner.workspace / "known-failures.toml").write_text('RUN-CANCEL-011 = { reason = "x" }\n', "utf-8")

    done = runner.action(target_url="reference", args=LITTLE, profile="my profile.toml", contract="2026.1")

    assert "(profile mine)" in done.stdout
    assert "contract 2026.1" in done.stdout
    assert done.returncode == 1  # the list is stale
    assert "RUN-CANCEL-011" in done.stdout


def test_no_input_is_part_of_a_script(runner: Runner) -> None:
    planted = runner.temp / "planted"
    evil = f"$(touch {planted}) `touch {planted}`; touch {planted} \" ' \\ * "

    named = ("profile", "known_failures", "contract", "args", "gate", "target_url", "api_key_env", "report_dir")
    runner.action(**dict.fromkeys(named, evil))
    runner.action(target_url="reference", args=LITTLE, report_dir=evil)  # which comes as far as the summary

    assert not planted.exists()
    assert all("${{" not in step["run"] for step in STEPS.values() if "run" in step)


def test_the_projects_own_settings_of_pytest_do_not_matter(runner: Runner) -> None:
    (runner.workspace / "conftest.py").write_text("raise RuntimeError('of other tests')\n", "utf-8")
    (runner.workspace / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\naddopts = "--nosuch"\n[tool.runs-conformance]\ncontract = "2026.1"\n', "utf-8"
    )

    done = runner.action(target_url="reference", args=LITTLE)

    assert done.returncode == 0, done.stdout
    assert "contract 2026.1" in done.stdout


@pytest.mark.parametrize("content", [None, "no JSON", "[]", '{"ended": 3}', '{"ended": {}}'])
def test_a_report_that_says_nothing_breaks_nothing(runner: Runner, content: str | None) -> None:
    folder = runner.workspace / "report"
    folder.mkdir()
    if content is not None:
        (folder / "report.json").write_text(content, "utf-8")

    done = runner.step("Report", {"report-dir": "report"}, {})

    assert done.returncode == 0, done.stderr
    assert runner.outputs() == {"verdict": "there is no report", "counts": "{}"}


def test_what_lies_in_the_workspace_does_not_pass_for_a_report_of_this_session(runner: Runner) -> None:
    runner.action(target_url="reference", args=LITTLE)
    assert runner.outputs()["verdict"] == "conforms"

    assert runner.action(target_url="reference", args=LITTLE, gate="shuold").returncode == 4

    assert runner.outputs()["verdict"] == "there is no report"


def test_code_of_the_workspace_does_not_tell_the_verdict(runner: Runner) -> None:
    (runner.workspace / "json.py").write_text("print('verdict=conforms')\n", "utf-8")

    assert runner.step("Report", {"report-dir": "report"}, {}).returncode == 0

    assert runner.outputs()["verdict"] == "there is no report"
    assert runner.files["GITHUB_OUTPUT"].read_text("utf-8").count("verdict=") == 1


def test_a_session_that_never_ended_fails_the_job(runner: Runner) -> None:
    assert runner.step("Gate", {}, {}).returncode == 2


def test_what_others_wrote_is_named_by_commit() -> None:
    used = [step["uses"] for step in ACTION["runs"]["steps"] if "uses" in step]

    assert len(used) == 2
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each) for each in used)


def test_the_page_tells_every_input_and_output() -> None:
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE))

    assert rows == set(ACTION["inputs"])
    assert all(f"`{name}`" in page for name in ACTION["outputs"])


def recipe() -> dict[str, Any]:
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page.partition("## GitLab")[2], re.DOTALL)
    job: dict[str, Any] = yaml.safe_load(blocks[0])["conformance"]
    return job


@pytest.mark.parametrize(
    ("addopts", "code"),
    [
        pytest.param("-m 'life or cancel'", 0, marks=pytest.mark.exhaustive),  # with all plugins that load themselves
        (f"{QUIET} --runs-fault=comes-back -m 'life or cancel'", 1),
    ],
    ids=["faithful", "broken"],
)
def test_the_recipe_for_gitlab_runs_as_it_stands(runner: Runner, addopts: str, code: int) -> None:
    assert shutil.which("bash")
    job = recipe()
    (runner.workspace / "known-failures.toml").touch()
    lines = [*job["before_script"], *job["script"]]

    done = runner.run("\n".join(lines), runner.workspace, TARGET_URL="reference", PYTEST_ADDOPTS=addopts)

    assert done.returncode == code, done.stdout + done.stderr
    assert "runs-conformance[all]" in runner.installed.read_text("utf-8")
    assert (runner.workspace / job["artifacts"]["reports"]["junit"]).is_file()
    assert (runner.workspace / job["artifacts"]["paths"][0] / "report.json").is_file()
