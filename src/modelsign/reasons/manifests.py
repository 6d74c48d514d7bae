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
    Reason(
        "DIGESTS_MALFORMED",
        ExitStatus.UNDECIDED,
        "the list of digests cannot be read",
        "Make it with `modelsign digest MODEL --format json`, or with `sha256sum`.",
        "A list is read strictly: unknown keys, digests of another length, names that stand twice, resources of no "
        "file and sums that do not follow are errors. Its schema is digest-v1.json.",
    ),
    Reason(
        "DIGESTS_INCOMPLETE",
        ExitStatus.USAGE,
        "digests of a part of the model are not there",
        "Hash the missing shares with `modelsign digest MODEL --shard i/n`, and name all of them to `digest merge`.",
    ),
    Reason(
        "DIGESTS_DISAGREE",
        ExitStatus.UNDECIDED,
        "two shares say different things of the same bytes",
        "Hash the shares anew from one unchanged copy of the model, all with the same version and settings.",
    ),
    Reason(
        "DIGESTS_OF_ANOTHER_MODEL",
        ExitStatus.USAGE,
        "the digests are of another model",
        "Name the digests of this model: the same files, sizes and settings.",
    ),
    Reason(
        "PREVIOUS_UNSUITABLE",
        ExitStatus.USAGE,
        "the previous signature cannot be built on",
        "Sign all of the model anew, without --previous.",
        "What is taken over must be digests of the kind that is signed, under names that mean the same.",
    ),
    Reason(
        "CHANGED_MATCHES_NOTHING",
        ExitStatus.USAGE,
        "a path that is said to have changed is nowhere",
        "Name files and folders relative to MODEL, as they are or were; one that matches nothing is a slip.",
    ),
    Reason(
        "TENSORS_MALFORMED",
        ExitStatus.UNDECIDED,
        "the header of a safetensors file cannot be read",
        "Ask for a file of the format safetensors; `modelsign scan` says what is wrong with one.",
    ),
)
