"""Materials and builds: read exactly, never guessed, never a secret."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from modelsign.attest.ci import GITHUB_BUILD_TYPE, GITLAB_BUILD_TYPE, build_from_environment
from modelsign.attest.material import ROLES, Material, read_material
from modelsign.errors import ModelsignError

SHA = "ab" * 32
COMMIT = "cd" * 20


@pytest.mark.parametrize(
    ("text", "material"),
    [
        (
            f"role=base-model,uri=hf://org/name@rev,digest=sha256:{SHA}",
            Material("base-model", "hf://org/name@rev", None, {"sha256": SHA}),
        ),
        (
            f"digest=gitCommit:{COMMIT},uri=git+https://x/y@main",
            Material(None, "git+https://x/y@main", None, {"gitCommit": COMMIT}),
        ),
        (
            f"role=dataset,name=train,digest=sha256:{SHA},digest=dirHash1:{SHA}",
            Material("dataset", None, "train", {"sha256": SHA, "dirHash1": SHA}),
        ),
        ("uri=https://x/?a=1,b=2&c,d", Material(None, "https://x/?a=1,b=2&c,d", None, {})),
    ],
)
def test_materials_are_read(text, material):
    assert read_material(text) == material


def test_a_descriptor_holds_what_is_known():
    assert read_material(f"role=source,uri=git+https://x/y,digest=gitCommit:{COMMIT}").descriptor() == {
        "uri": "git+https://x/y",
        "digest": {"gitCommit": COMMIT},
        "annotations": {"role": "source"},
    }
    assert Material(None, None, "n", {"sha256": SHA}).descriptor() == {"name": "n", "digest": {"sha256": SHA}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hf://org/name",
        "uri=",
        "uri=no-scheme",
        "uri=x y:z",
        "uri=https://x\n",
        "role=base-model",
        "role=basemodel,uri=a:b",
        "uri=a:b,uri=c:d",
        "digest=sha256:ab",
        f"digest=sha256:{SHA.upper()}",
        f"digest=md5:{'0' * 32}",
        "digest=sha256",
        f"digest=sha256:{SHA},digest=sha256:{SHA}",
        f"digest=gitCommit:{COMMIT[:39]}",
        "size=3,uri=a:b",
        "role=,uri=a:b",
        "role=source,role=source,uri=a:b",
        f"digest=sha256:{SHA}\n",
    ],
)
def test_a_material_that_cannot_be_used_is_a_usage_error(text):
    with pytest.raises(ModelsignError) as caught:
        read_material(text)
    assert (caught.value.code, caught.value.exit_status) == ("MATERIAL_INVALID", 2)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_taken(role):
    assert read_material(f"role={role},uri=a:b").role == role


GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/train",
    "GITHUB_WORKFLOW_REF": "acme/train/.github/workflows/train.yml@refs/heads/main",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_SHA": COMMIT,
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REPOSITORY_ID": "1",
    "GITHUB_REPOSITORY_OWNER_ID": "2",
    "RUNNER_ENVIRONMENT": "github-hosted",
    "GITHUB_TOKEN": "ghs_secret",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "secret",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_URL": "https://gitlab.example/acme/train",
    "CI_COMMIT_REF_NAME": "main",
    "CI_COMMIT_SHA": COMMIT,
    "CI_JOB_NAME": "train",
    "CI_JOB_ID": "9",
    "CI_RUNNER_ID": "4",
    "CI_PIPELINE_SOURCE": "push",
    "CI_PROJECT_ID": "3",
    "CI_CONFIG_PATH": ".gitlab-ci.yml",
    "CI_JOB_STARTED_AT": "2026-11-23T10:00:00Z",
    "CI_JOB_TOKEN": "secret",
    "CI_REPOSITORY_URL": "https://gitlab-ci-token:secret@gitlab.example/acme/train.git",
}


def test_github_actions_describes_its_build():
    build = build_from_environment(GITHUB)
    assert build.build_type == GITHUB_BUILD_TYPE
    assert build.builder_id == "https://github.com/acme/train/.github/workflows/train.yml@refs/heads/main"
    assert build.external_parameters == {
        "workflow": {
            "ref": "refs/heads/main",
            "repository": "https://github.com/acme/train",
            "path": ".github/workflows/train.yml",
        }
    }
    assert build.internal_parameters["github"]["runner_environment"] == "github-hosted"
    assert build.invocation_id == "https://github.com/acme/train/actions/runs/77/attempts/2"
    assert build.materials == (
        Material("source", "git+https://github.com/acme/train@refs/heads/main", None, {"gitCommit": COMMIT}),
    )


def test_gitlab_describes_its_build():
    build = build_from_environment(GITLAB)
    assert build.build_type == GITLAB_BUILD_TYPE
    assert build.builder_id == "https://gitlab.example/acme/train/-/runners/4"
    assert build.external_parameters["config"] == ".gitlab-ci.yml"
    assert build.started_on == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert build.materials[0].uri == "git+https://gitlab.example/acme/train.git@main"


@pytest.mark.parametrize("environment", [GITHUB, GITLAB])
def test_no_secret_of_the_environment_is_taken(environment):
    assert "secret" not in repr(build_from_environment(environment))


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        (GITHUB, name)
        for name in (
            "GITHUB_SERVER_URL",
            "GITHUB_REPOSITORY",
            "GITHUB_WORKFLOW_REF",
            "GITHUB_REF",
            "GITHUB_SHA",
            "GITHUB_RUN_ID",
        )
    ]
    + [
        (GITLAB, name)
        for name in (
            "CI_PROJECT_URL",
            "CI_COMMIT_REF_NAME",
            "CI_COMMIT_SHA",
            "CI_JOB_NAME",
            "CI_JOB_ID",
            "CI_RUNNER_ID",
        )
    ],
)
def test_a_job_that_does_not_say_enough_is_refused(environment, variable):
    for value in ("", None):
        changed = {key: item for key, item in environment.items() if key != variable}
        if value is not None:
            changed[variable] = value
        with pytest.raises(ModelsignError) as caught:
            build_from_environment(changed)
        assert (caught.value.code, caught.value.exit_status) == ("CI_INCOMPLETE", 2)
        assert variable in caught.value.message


@pytest.mark.parametrize(
    "change",
    [
        {"GITHUB_SHA": "main"},
        {"GITHUB_SERVER_URL": "https://user:token@github.com"},
        {"GITHUB_SERVER_URL": "file:///x"},
    ],
)
def test_what_is_no_commit_or_no_plain_server_is_refused(change):
    with pytest.raises(ModelsignError) as caught:
        build_from_environment({**GITHUB, **change})
    assert caught.value.code == "CI_INCOMPLETE"


@pytest.mark.parametrize("environment", [{}, {"GITHUB_ACTIONS": "false"}, {"CI": "true"}])
def test_outside_of_a_known_ci_there_is_no_build_to_take(environment):
    with pytest.raises(ModelsignError) as caught:
        build_from_environment(environment)
    assert (caught.value.code, caught.value.exit_status) == ("CI_NOT_FOUND", 2)


def test_what_is_optional_may_be_absent():
    few = {
        "RUNNER_ENVIRONMENT",
        "GITHUB_EVENT_NAME",
        "GITHUB_REPOSITORY_ID",
        "GITHUB_REPOSITORY_OWNER_ID",
        "GITHUB_RUN_ATTEMPT",
    }
    build = build_from_environment({key: item for key, item in GITHUB.items() if key not in few})
    assert build.internal_parameters == {}
    assert build.invocation_id.endswith("/attempts/1")
