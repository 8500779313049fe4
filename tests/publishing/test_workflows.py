"""The workflows: what they ask for, and publishing's own shell steps run against a repository on this machine."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / ".github" / "workflows"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.stem)
def test_workflows_are_pinned_and_ask_for_little(path):
    text = path.read_text()
    flow = yaml.safe_load(text)
    assert flow["permissions"] in ({"contents": "read"}, {})
    for job in flow["jobs"].values():
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
            # what somebody else may choose, such as a branch's name, never becomes part of a command
            assert "${{" not in step.get("run", "")
    assert "pull_request_target" not in text


def test_pages_and_labs_run_weekly_with_the_newest_and_the_oldest_torch():
    job = yaml.safe_load((FOLDER / "weekly.yml").read_text())["jobs"]["torch"]
    tried = [row["torch"] for row in job["strategy"]["matrix"]["include"]]
    project = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text())["project"]
    bounds = dict(text.split(">=") for text in project["dependencies"] if text.startswith("torch"))
    oldest = " ".join(f"{name}=={bounds[name]}.0" for name in ("torch", "torchvision"))
    assert tried == ["torch torchvision", oldest]
    said = [step.get("run", "") for step in job["steps"]]
    assert any("tools.walk _build/site" in text and "--only" not in text for text in said)
    assert not any(extra in text for text in said for extra in ("[dev]", "[book]", "[grade]") if "student/" in text)


def git(folder, *words):
    return subprocess.run(
        ["git", "-C", str(folder), *words], check=True, capture_output=True, text=True, env=os.environ | NOBODY
    ).stdout


NOBODY = {
    **{f"GIT_{who}_{what}": "nobody@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": os.devnull,
}


@pytest.fixture
def checkout(tmp_path):
    """A checkout whose origin, on this machine, has nothing published yet; and a function that runs a step there."""
    origin, here = tmp_path / "ada" / "course", tmp_path / "here"
    origin.mkdir(parents=True)
    git(origin, "init", "--quiet", "--bare")
    here.mkdir()
    git(here, "init", "--quiet", "--initial-branch", "main")
    git(here, "commit", "--quiet", "--allow-empty", "--message", "The course")
    git(here, "remote", "add", "origin", origin.as_uri())
    git(here, "push", "--quiet", "origin", "main")
    git(here, "config", "http.https://github.com/.extraheader", "AUTHORIZATION: basic none")
    steps = yaml.safe_load((FOLDER / "publish.yml").read_text())["jobs"]["publish"]["steps"]
    environment = {
        **{"GITHUB_SERVER_URL": tmp_path.as_uri(), "GITHUB_REPOSITORY": "ada/course"},
        **{"GITHUB_SHA": "0123abc", "GITHUB_WORKSPACE": str(here)},
    }

    def run(name):
        commands = next(step["run"] for step in steps if step.get("name") == name)
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", commands],
            cwd=here,
            env=os.environ | NOBODY | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    return here, run


def test_publishing_keeps_earlier_wheels_and_stops_where_it_cannot_see_them(checkout):
    here, run = checkout
    fetch, push = "Fetch what is published now", "Push it as the only commit of its branch"
    assert run(fetch)[0] == 0
    assert list((here / "_build/earlier").iterdir()) == []
    site = here / "_build" / "site"
    site.mkdir()
    (site / "vae_lab-0.1.0.whl").write_text("a wheel")
    (site / "_static").mkdir()
    (site / "_static" / "page.css").write_text("")
    assert run(push) == (0, "")
    assert git(here, "ls-remote", "--heads", "origin").count("refs/heads/gh-pages") == 1
    (here / "_build" / "earlier").rmdir()
    assert run(fetch)[0] == 0
    assert (here / "_build/earlier/vae_lab-0.1.0.whl").read_text() == "a wheel"
    assert (here / "_build/earlier/_static/page.css").exists()
    git(here, "remote", "set-url", "origin", (here / "nowhere").as_uri())
    status, said = run(fetch)
    assert status not in (0, 2)
    assert "nowhere" in said


def test_a_students_tests_run_on_windows_and_macos():
    flow = yaml.safe_load((FOLDER / "students.yml").read_text())
    job = flow["jobs"]["student"]
    assert {system.split("-")[0] for system in job["strategy"]["matrix"]["os"]} == {"windows", "macos"}
    said = "\n".join(step.get("run", "") for step in job["steps"])
    assert "vae-lab doctor" in said
    assert "vae-lab check labs/" in said
    named = re.findall(r"(?:tests|labs)/[\w/.]+", said)
    assert len(named) > 8
    missing = [path for path in named if not (FOLDER.parents[1] / path).exists()]
    assert not missing
