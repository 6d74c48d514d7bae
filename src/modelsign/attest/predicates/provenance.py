"""SLSA provenance v1: how a model was made, by whom, from what.

Specification: https://slsa.dev/spec/v1.2/build-provenance. The SLSA level is never claimed here: it follows from
the pair of signer and builder id, which the policy of whoever verifies accepts or does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from modelsign import timestamp
from modelsign.attest.predicate import Predicate, required, stated_time
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelsign.attest.material import Material

__all__ = ["PREDICATE", "PROVENANCE_TYPE", "TRAIN_BUILD_TYPE", "Build", "provenance"]

PROVENANCE_TYPE: Final = "https://slsa.dev/provenance/v1"
TRAIN_BUILD_TYPE: Final = "https://modelsign.dev/buildtypes/train/v1"
"""The build type of a training run nobody described otherwise; see docs/policy-attestations.md."""


@dataclass(frozen=True, slots=True)
class Build:
    """What is known of a build. ``external_parameters`` are what the user passed, ``internal_parameters`` the rest."""

    builder_id: str
    build_type: str = TRAIN_BUILD_TYPE
    external_parameters: Mapping[str, Any] = field(default_factory=dict)
    internal_parameters: Mapping[str, Any] = field(default_factory=dict)
    materials: tuple[Material, ...] = ()
    invocation_id: str | None = None
    started_on: datetime | None = None
    finished_on: datetime | None = None


def provenance(build: Build) -> dict[str, Any]:
    """Return the predicate. Reproducible: it holds nothing but what it was given.

    Raises:
        ModelsignError: ``PREDICATE_MALFORMED``, for a build that ends before it begins or has no builder id.

    """
    if build.started_on and build.finished_on and build.finished_on < build.started_on:
        raise error("PREDICATE_MALFORMED", "the build finished before it started")
    definition: dict[str, Any] = {
        "buildType": build.build_type,
        "externalParameters": dict(build.external_parameters),
        "resolvedDependencies": [material.descriptor() for material in build.materials],
    }
    if build.internal_parameters:
        definition["internalParameters"] = dict(build.internal_parameters)
    metadata = {
        "invocationId": build.invocation_id,
        "startedOn": timestamp.write(build.started_on) if build.started_on else None,
        "finishedOn": timestamp.write(build.finished_on) if build.finished_on else None,
    }
    details: dict[str, Any] = {"builder": {"id": build.builder_id}}
    known = {key: value for key, value in metadata.items() if value}
    if known:
        details["metadata"] = known
    predicate = {"buildDefinition": definition, "runDetails": details}
    check(predicate)
    return predicate


def check(predicate: Mapping[str, Any]) -> None:
    """Raise ``PREDICATE_MALFORMED`` where a required field is missing."""
    required(predicate, "buildDefinition/buildType", str)
    required(predicate, "buildDefinition/externalParameters", dict)
    required(predicate, "runDetails/builder/id", str)


def made_at(predicate: Mapping[str, Any]) -> datetime | None:
    """Return when the build finished, as the provenance states it."""
    metadata = predicate["runDetails"].get("metadata")
    return stated_time(metadata.get("finishedOn")) if isinstance(metadata, dict) else None


PREDICATE = Predicate(
    id="provenance",
    type=PROVENANCE_TYPE,
    title="SLSA provenance",
    description="How the model was made: the builder, what it was asked to do, and what went in.",
    specification="https://slsa.dev/spec/v1.2/build-provenance",
    check=check,
    made_at=made_at,
)
