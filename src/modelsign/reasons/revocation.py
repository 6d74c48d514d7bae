"""Reasons that come from revocation lists and from times a signature sets itself."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "SIGNER_REVOKED",
        ExitStatus.NEGATIVE,
        "the signer was revoked",
        "Do not use this model; ask its publisher for a signature by a key or identity that stands.",
        "The revocation list names the signer's key or identity. Where it says since when, only a signature that is "
        "proven to be older (RFC 3161 timestamp, or a log entry with a time) stands; without such a proof anybody who "
        "has the key could have made it today.",
    ),
    Reason(
        "SIGNATURE_REVOKED",
        ExitStatus.NEGATIVE,
        "the signature was revoked",
        "Do not use this model on the strength of this signature; ask its publisher for a new one.",
        "The revocation list names what was signed, by its digest, so that writing the bundle in another way does not "
        "bring the signature back.",
    ),
    Reason(
        "MODEL_REVOKED",
        ExitStatus.NEGATIVE,
        "the model, or a file in it, was revoked",
        "Do not load this model, whoever signed it; the list says why.",
        "The revocation list names the tree digest of the model or the SHA-256 of a file in it. That holds whoever "
        "signed, and whenever.",
    ),
    Reason(
        "REVOCATION_LIST_MISSING",
        ExitStatus.NEGATIVE,
        "the revocation list is not there",
        "Fetch the list from its publisher; verifying without it means leaving out --revocation-list.",
        "Who asks for a revocation list asks that nothing on it passes. Without the list that cannot be said, so its "
        "absence is a refusal: otherwise it would be enough to take the list away.",
    ),
    Reason(
        "REVOCATION_LIST_UNTRUSTED",
        ExitStatus.NEGATIVE,
        "the revocation list is not signed by a revocation key you named",
        "Fetch the list again, and check that --revocation-key is the key of whoever publishes it.",
        "Revocation is a role of its own: keys that sign models or attestations do not sign the list, unless they are "
        "named as revocation keys too.",
    ),
    Reason(
        "REVOCATION_LIST_MALFORMED",
        ExitStatus.UNDECIDED,
        "the revocation list is malformed",
        "Fetch the list again, or upgrade modelsign: it may use entries this version does not know.",
        "An entry that is not understood could be the very one that counts, so it is not passed over.",
    ),
    Reason(
        "REVOCATION_LIST_EXPIRED",
        ExitStatus.NEGATIVE,
        "the revocation list has expired",
        "Fetch the current list.",
    ),
    Reason(
        "REVOCATION_LIST_STALE",
        ExitStatus.NEGATIVE,
        "the revocation list is older than you accept",
        "Fetch the current list, or raise --max-revocation-age.",
    ),
    Reason(
        "REVOCATION_LIST_FROM_THE_FUTURE",
        ExitStatus.NEGATIVE,
        "the revocation list was issued later than now",
        "Check this machine's clock.",
        "Five minutes of difference between clocks are passed over. Beyond them a list would count as fresh for longer "
        "than it is.",
    ),
    Reason(
        "REVOCATION_LIST_ROLLED_BACK",
        ExitStatus.NEGATIVE,
        "the revocation list is older than one that is known",
        "Fetch the current list; somebody may be showing you one from before an entry was added.",
        "Versions only grow. --revocation-version says which one was seen last.",
    ),
    Reason(
        "REVOCATION_NOT_ASKED",
        ExitStatus.USAGE,
        "a setting of the revocation list has no list, or the list has no key",
        "Name the list with --revocation-list and the key it must be signed with by --revocation-key.",
    ),
    Reason(
        "SIGNATURE_EXPIRED",
        ExitStatus.NEGATIVE,
        "the signature has expired",
        "Ask the publisher for the model's current signature.",
        "The signer wrote into what was signed until when it is good. Only this project enforces that; other OMS "
        "clients read past it.",
    ),
    Reason(
        "SIGNATURE_EXPIRY_UNCHECKED",
        ExitStatus.UNDECIDED,
        "the signature may have expired",
        "Pass the present time: VerifyOptions(now=datetime.now(UTC)).",
        "The signer wrote down until when the signature is good, and the caller of the library gave no time to compare "
        "that with. The commands always do.",
    ),
    Reason(
        "SIGNING_TIME_IMPOSSIBLE",
        ExitStatus.NEGATIVE,
        "the signature says it was made later than it can have been",
        "Check this machine's clock; if it is right, do not trust the signer's statements about time.",
        "A time of making that the signer wrote down cannot lie after the present, nor after the time a timestamp or a "
        "log proves that the signature existed by. Five minutes of difference between clocks are passed over.",
    ),
)
