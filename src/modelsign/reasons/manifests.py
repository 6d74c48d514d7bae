"""Reasons that come from manifests of other shapes, from digests computed elsewhere, and from parts of a model."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "TREE_DIGEST_DIFFERS",
        ExitStatus.NEGATIVE,
        "the model's files are not those of the signed tree digest",
        "Fetch the model again, empty files too, or ask the signer for a new signature.",
        "Every resource of the manifest is as it was signed, but the tree digest that was signed with it is another. A "
        "manifest of shards does not list empty files (OMS v1.0, section 6.3.2); the tree digest binds their names.",
    ),
    Reason(
        "ONLY_MATCHES_NOTHING",
        ExitStatus.USAGE,
        "a pattern matches no file",
        "Check the spelling; * stays within a folder and ** does not: `--only 'tokenizer*' --only 'text_encoder/**'`.",
    ),
)
