"""GitHub's workflows: linted, pinned, with few rights; the linters are awake; scripts are linted, too."""

import re

import pytest
import yaml

from conftest import INFRA, ROOT, need, run

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
# The majors that run on a Node version that GitHub still has. Node 20 was to be removed in September 2026.
SINCE = {
    "actions/checkout": 6,
    "actions/setup-python": 6,
    "actions/setup-node": 6,
    "actions/upload-artifact": 6,
    "actions/download-artifact": 7,
    "actions/attest-build-provenance": 3,
    "aws-actions/configure-aws-credentials": 6,
    "hashicorp/setup-terraform": 4,
    "rust-lang/crates-io-auth-action": 1,
}
MISTAKES = [
    ("an action that is not pinned", "ci.yml", r"actions/checkout@\w{40} # v7.0.1", "actions/checkout@v7", "zizmor"),
    ("credentials that stay", "ci.yml", r"        with: \{ persist-credentials: false \}\n", "", "zizmor"),
    ("an injected branch name", "ci.yml", "bash .ci/run", "echo ${{ github.head_ref }}", "zizmor"),
    ("rights that nobody limits", "deploy.yml", r"permissions: \{ contents: read, id-token: write \}", "permissions: write-all", "zizmor"),
    ("an output that does not exist", "release.yml", "steps.token.outputs", "steps.tokens.outputs", "actionlint"),
    ("a key that does not exist", "deploy.yml", "timeout-minutes", "timeout-minute", "actionlint"),
    ("a job that nobody has", "deploy.yml", "needs: staging", "needs: stagings", "actionlint"),
]


def actionlint(*files):
    need("actionlint")
    return run("actionlint", *files, cwd=ROOT)


def zizmor(*files):
    need("zizmor")
    return run("zizmor", "--offline", "--no-progress", *files)


def test_the_linters_find_nothing():
    for done in (actionlint(*WORKFLOWS), zizmor(*WORKFLOWS)):
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake[0])
def test_the_linters_find(mistake, tmp_path):
    _, name, old, new, linter = mistake
    text = (ROOT / ".github/workflows" / name).read_text()
    changed, count = re.subn(old, lambda _: new, text, count=1)
    assert count == 1
    place = tmp_path / ".github/workflows"
    place.mkdir(parents=True)
    (place / name).write_text(changed)
    done = {"zizmor": zizmor, "actionlint": actionlint}[linter](place / name)
    assert done.returncode != 0, done.stdout


def test_actions_are_pinned_by_hash_and_current():
    for path in WORKFLOWS:
        for line in re.findall(r"uses: (.*)", path.read_text()):
            found = re.fullmatch(r"([\w/.-]+)@[0-9a-f]{40} # v(\d+)\.\d+\.\d+", line)
            assert found, f"{path.name}: {line}"
            assert int(found[2]) >= SINCE[found[1]], line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_jobs_have_the_least_rights_and_end(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 90, name
        beyond = {right for right, level in job["permissions"].items() if level == "write"}
        allowed = {"staging": {"id-token"}, "production": {"id-token"}, "pypi": {"id-token"}, "crates": {"id-token"}}
        assert beyond <= allowed.get(name, {"id-token", "attestations", "contents"} if name == "provenance" else set()), name


def test_staging_comes_before_production_with_the_same_canary_and_the_same_zip():
    jobs = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())["jobs"]
    assert jobs["production"]["needs"] == "staging" and jobs["staging"]["needs"] == "build"
    assert jobs["production"]["steps"] == jobs["staging"]["steps"]
    command = jobs["production"]["steps"][-1]["run"]
    assert command == "claude-code-aws/infra/deploy.sh deploy --zip lambda-arm64.zip --canary 10 --canary-seconds 300"
    assert all(jobs[name]["concurrency"]["cancel-in-progress"] is False for name in ("staging", "production"))


def test_the_zip_is_run_before_it_is_deployed():
    steps = [step.get("run", "") for step in yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())["jobs"]["build"]["steps"]]
    assert steps.index("make lambda-arm64") < steps.index(".ci/lambda target/lambda-arm64.zip")


def test_the_scripts_have_nothing_that_shellcheck_finds():
    need("shellcheck")
    scripts = [INFRA / "deploy.sh", *sorted((INFRA / "deploy").glob("*.sh")), ROOT / ".ci/infra", ROOT / ".ci/lambda", ROOT / ".ci/plain-wheel"]
    done = run("shellcheck", "--external-sources", *scripts, cwd=ROOT)
    assert done.returncode == 0, done.stdout
