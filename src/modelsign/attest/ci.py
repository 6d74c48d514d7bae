"""What a CI system says of the build it runs: GitHub Actions and GitLab CI.

The environment is a mapping the caller hands in. Only the variables named here are read, none of which is a secret;
whoever can set variables in the job can forge them, so what they say is worth as much as the signer's key is kept
from the job's own steps.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from modelsign.attest.material import Material
from modelsign.attest.predicate import stated_time
from modelsign.attest.predicates.provenance import Build
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GITHUB_BUILD_TYPE", "GITLAB_BUILD_TYPE", "build_from_environment"]

GITHUB_BUILD_TYPE: Final = "https://actions.github.io/buildtypes/workflow/v1"
GITLAB_BUILD_TYPE: Final = "https://modelsign.dev/buildtypes/gitlab-job/v1"
_COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?\Z")
_SERVER: Final = re.compile(r"https?://[A-Za-z0-9.:-]+(/[A-Za-z0-9._~/-]*)?\Z")
"""A server or project URL; without user information, which could be a token."""


def build_from_environment(environment: Mapping[str, str]) -> Build:
    """Return the build that runs now, as the CI system describes it.

    Raises:
        ModelsignError: ``CI_NOT_FOUND``, or ``CI_INCOMPLETE`` naming the variable.

    """
    if environment.get("GITHUB_ACTIONS") == "true":
        return _github(environment)
    if environment.get("GITLAB_CI") == "true":
        return _gitlab(environment)
    raise error("CI_NOT_FOUND", "neither GITHUB_ACTIONS nor GITLAB_CI is set to true")


def _github(environment: Mapping[str, str]) -> Build:
    server = _url(environment, "GITHUB_SERVER_URL")
    repository = f"{server}/{_need(environment, 'GITHUB_REPOSITORY')}"
    workflow = _need(environment, "GITHUB_WORKFLOW_REF")
    path = workflow.partition("@")[0].removeprefix(environment["GITHUB_REPOSITORY"] + "/")
    ref = _need(environment, "GITHUB_REF")
    run = f"{_need(environment, 'GITHUB_RUN_ID')}/attempts/{environment.get('GITHUB_RUN_ATTEMPT', '1')}"
    internal = _known(
        environment,
        event_name="GITHUB_EVENT_NAME",
        repository_id="GITHUB_REPOSITORY_ID",
        repository_owner_id="GITHUB_REPOSITORY_OWNER_ID",
        runner_environment="RUNNER_ENVIRONMENT",
    )
    return Build(
        builder_id=f"{server}/{workflow}",
        build_type=GITHUB_BUILD_TYPE,
        external_parameters={"workflow": {"ref": ref, "repository": repository, "path": path}},
        internal_parameters={"github": internal} if internal else {},
        materials=(_source(f"git+{repository}@{ref}", environment, "GITHUB_SHA"),),
        invocation_id=f"{repository}/actions/runs/{run}",
    )


def _gitlab(environment: Mapping[str, str]) -> Build:
    project = _url(environment, "CI_PROJECT_URL")
    ref = _need(environment, "CI_COMMIT_REF_NAME")
    external = {"source": project, "ref": ref, "entryPoint": _need(environment, "CI_JOB_NAME")}
    external |= _known(environment, config="CI_CONFIG_PATH")
    internal = _known(
        environment, pipeline_source="CI_PIPELINE_SOURCE", project_id="CI_PROJECT_ID", runner_id="CI_RUNNER_ID"
    )
    return Build(
        builder_id=f"{project}/-/runners/{_need(environment, 'CI_RUNNER_ID')}",
        build_type=GITLAB_BUILD_TYPE,
        external_parameters=external,
        internal_parameters={"gitlab": internal},
        materials=(_source(f"git+{project}.git@{ref}", environment, "CI_COMMIT_SHA"),),
        invocation_id=f"{project}/-/jobs/{_need(environment, 'CI_JOB_ID')}",
        started_on=stated_time(environment.get("CI_JOB_STARTED_AT")),
    )


def _source(uri: str, environment: Mapping[str, str], variable: str) -> Material:
    commit = _need(environment, variable)
    if not _COMMIT.match(commit):
        raise error("CI_INCOMPLETE", f"{variable} is not a commit")
    return Material("source", uri, None, {"gitCommit": commit})


def _need(environment: Mapping[str, str], variable: str) -> str:
    value = environment.get(variable, "")
    if not value:
        raise error("CI_INCOMPLETE", f"the variable {variable} is not set")
    return value


def _url(environment: Mapping[str, str], variable: str) -> str:
    value = _need(environment, variable).rstrip("/")
    if not _SERVER.match(value):
        raise error("CI_INCOMPLETE", f"{variable} is not a plain https URL")
    return value


def _known(environment: Mapping[str, str], **variables: str) -> dict[str, Any]:
    return {name: environment[variable] for name, variable in variables.items() if environment.get(variable)}
