"""Reasons that come from Sigstore: trust roots, transparency logs, timestamps, and the certificates of identities."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "TRUST_ROOT_MALFORMED",
        ExitStatus.UNDECIDED,
        "the trust root cannot be read",
        "Fetch the trusted_root.json again from whoever runs that Sigstore.",
    ),
    Reason(
        "TRUST_ROOT_UNSUPPORTED",
        ExitStatus.UNDECIDED,
        "the trust root has a version this program does not know",
        "Upgrade modelsign, or ask for a trusted_root.json of version 0.1 or 0.2.",
    ),
    Reason(
        "TRUST_ROOT_TOO_OLD",
        ExitStatus.UNDECIDED,
        "the trust root is older than you allow",
        "Fetch a current trusted_root.json, leave out --offline, or raise --max-root-age.",
        "A root that was made long ago may still list a log or an authority that was withdrawn since. Its age counts "
        "from its TUF metadata, from its file's time, or else from the newest start of validity that stands in it.",
    ),
    Reason(
        "CERTIFICATE_NOT_SIGSTORES",
        ExitStatus.NEGATIVE,
        "the signer's certificate was not issued by an authority of the trust root",
        "Check that --trusted-root belongs to the Sigstore that was signed with.",
        "The certificate must lead to a certificate authority of the trust root, and all of the path must be valid at "
        "every proven time of the signature, each end of a validity included.",
    ),
    Reason(
        "CERTIFICATE_NOT_FOR_SIGNING",
        ExitStatus.NEGATIVE,
        "the certificate is not one that Sigstore issues for signing",
        "Ask the signer for a signature by a certificate for code signing.",
        "A signer's certificate is no authority, may sign digitally, is for code signing, and holds exactly one name.",
    ),
    Reason(
        "BUNDLE_HOLDS_ANCHOR",
        ExitStatus.NEGATIVE,
        "the bundle holds a root certificate",
        "Ask the signer for a bundle without it.",
        "Roots come from whoever verifies. A bundle that carries one invites readers to trust it.",
    ),
    Reason(
        "SCT_INVALID",
        ExitStatus.NEGATIVE,
        "the certificate was not shown to be in a certificate transparency log",
        "Do not use this signature: its certificate may have been issued in secret.",
        "Sigstore's authority logs every certificate and embeds the log's signed timestamp (RFC 6962, section 3.2). "
        "Exactly one must be there, by a log of the trust root whose key was valid then.",
    ),
    Reason(
        "CLAIM_WRONG",
        ExitStatus.NEGATIVE,
        "the signer's certificate does not confirm what you demanded",
        "Check each --certificate-claim; the report of `modelsign inspect` lists what the certificate confirms.",
    ),
    Reason(
        "IDENTITY_PATTERN_INVALID",
        ExitStatus.USAGE,
        "the pattern of an identity cannot be used",
        "Use literals, classes, groups, | and repetitions; the pattern always matches the whole identity.",
        "Expressions are evaluated in time linear in the identity, whatever they are, so back-references and "
        "look-around are not accepted. They are always anchored: `.*` has to be written where anything may stand.",
    ),
    Reason(
        "PROOFS_TOO_FEW",
        ExitStatus.NEGATIVE,
        "not enough transparency logs or timestamps confirm the signature",
        "Ask the signer for a bundle with more of them, or lower --log-threshold or --timestamp-threshold.",
        "Only different logs and different timestamp authorities of the trust root count; entries of others are listed "
        "and count for nothing.",
    ),
    Reason(
        "PROOF_REPEATED",
        ExitStatus.NEGATIVE,
        "the bundle holds a log entry or timestamp twice",
        "Ask the signer for a bundle without repetitions.",
    ),
    Reason(
        "SIGNING_TIME_UNPROVEN",
        ExitStatus.NEGATIVE,
        "nothing proves when the signature was made",
        "Ask the signer for a bundle with an RFC 3161 timestamp.",
        "Sigstore's certificates live for minutes, so a signature must be shown to have existed then: by a timestamp "
        "of an authority of the trust root, or by the signed time of a log entry.",
    ),
    Reason(
        "TIMESTAMP_INVALID",
        ExitStatus.NEGATIVE,
        "the timestamp is not one of this signature by a trusted authority",
        "Do not use this signature, or check that --trusted-root lists the timestamp authority.",
        "The token must be over this signature, made by the certificate that the trust root lists, while both that "
        "certificate's chain and the authority's window in the trust root were valid, ends included.",
    ),
    Reason(
        "LOG_ENTRY_UNSUPPORTED",
        ExitStatus.UNDECIDED,
        "the log entry has a kind this program does not know",
        "Upgrade modelsign.",
    ),
    Reason(
        "LOG_ENTRY_MISMATCH",
        ExitStatus.NEGATIVE,
        "the log entry is about another signature",
        "Do not use this signature: the log never saw it.",
        "The entry names a digest, a signature and a key or certificate; each must be the bundle's own.",
    ),
    Reason(
        "LOG_PROOF_INVALID",
        ExitStatus.NEGATIVE,
        "the log entry was not shown to be in the log",
        "Do not use this signature, or ask the signer for a bundle with an inclusion proof.",
        "The Merkle path (RFC 6962, section 2.1.1) must lead from the entry to the root that the log signed.",
    ),
    Reason(
        "LOG_CHECKPOINT_INVALID",
        ExitStatus.NEGATIVE,
        "the log did not sign the state of the tree that the proof is about",
        "Do not use this signature.",
        "The checkpoint (a C2SP signed note) must carry the signature of the log, by its key in the trust root, over "
        "the size and root hash of the inclusion proof. Signatures of unknown witnesses are passed over.",
    ),
    Reason(
        "LOG_PROMISE_INVALID",
        ExitStatus.NEGATIVE,
        "the log's signed time is missing or not the log's",
        "Do not use this signature.",
        "Rekor v1 signs the time at which it took an entry; bundles of version 0.1 must hold it.",
    ),
    Reason(
        "LOG_KEY_NOT_VALID_THEN",
        ExitStatus.NEGATIVE,
        "the log's key was not valid when the entry was made",
        "Check that --trusted-root is current and of the Sigstore that was signed with.",
    ),
    Reason(
        "BLOB_MISMATCH",
        ExitStatus.NEGATIVE,
        "the digest in the bundle is not that of the file",
        "Do not use the file.",
    ),
)
