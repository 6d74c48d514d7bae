"""Reasons that come from statements, predicates and the attestation store."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "STATEMENT_MALFORMED",
        ExitStatus.UNDECIDED,
        "an in-toto statement is malformed",
        "Ask whoever signed it to make the attestation again.",
        "The signature is verified first, then the statement is read strictly: a known payload type and _type, unique "
        "keys, subjects with digests.",
    ),
    Reason(
        "STATEMENT_IS_SIGNATURE",
        ExitStatus.UNDECIDED,
        "a model signature stands where an attestation is expected",
        "Move it to the signatures (model.sig or model.sig.d/) and verify it with `modelsign verify`.",
        "Key roles are separate: a key that signs models does not thereby attest, nor the other way round.",
    ),
    Reason(
        "PREDICATE_MALFORMED",
        ExitStatus.UNDECIDED,
        "a predicate lacks what its specification requires",
        "Ask whoever signed it to make the attestation again; the message names the field.",
    ),
    Reason(
        "ATTESTATION_UNTRUSTED",
        ExitStatus.NEGATIVE,
        "nobody trusted signed an attestation",
        "Name the key of whoever made it, if you trust them with this type of claim.",
    ),
    Reason(
        "ATTESTATION_OF_OTHER_MODEL",
        ExitStatus.NEGATIVE,
        "an attestation is about another model",
        "Get the attestation for exactly these files; any added, changed or renamed file makes another model.",
        "An attestation is about a model only if a subject's tree digest (dirHash1) equals the model's, so that every "
        "file is bound under its name. A matching file subject alone is not enough.",
    ),
    Reason(
        "ATTESTATION_STORE_UNUSABLE",
        ExitStatus.UNDECIDED,
        "the attestation store cannot be used",
        "Check what stands in its place; it must be a regular file with one bundle a line.",
    ),
    Reason(
        "ATTESTATION_STORE_LOCKED",
        ExitStatus.UNDECIDED,
        "the attestation store is locked by another process",
        "Try again; if it stays so, find who holds the lock of the folder (`lslocks`).",
        "Whoever appends holds a lock on the folder for a moment. Waiting has an end, because any process that may "
        "open the folder can hold its lock for ever.",
    ),
    Reason(
        "SCAN_NOT_ATTESTABLE",
        ExitStatus.UNDECIDED,
        "the scan cannot be attested",
        "Run `modelsign scan` to see which file was not read or scanned whole, and scan again.",
        "A scan is attested only if its findings and the digests of the files come from one complete read. What a "
        "supervisor cut short (a timeout, a crash) is no function of the bytes.",
    ),
    Reason(
        "MATERIAL_INVALID",
        ExitStatus.USAGE,
        "a material cannot be used",
        "Write it as role=base-model,uri=hf://org/name@rev,digest=sha256:HEX.",
    ),
    Reason(
        "CI_NOT_FOUND",
        ExitStatus.USAGE,
        "this is not a CI job that is known",
        "Name the build yourself: --builder-id, --build-type, --material.",
    ),
    Reason(
        "CI_INCOMPLETE",
        ExitStatus.USAGE,
        "the CI job does not say enough about itself",
        "Name the build yourself: --builder-id, --build-type, --material.",
    ),
)
