"""Reasons that come from trust policies and their evaluation."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "POLICY_MISSING",
        ExitStatus.USAGE,
        "no trust policy was named",
        "Name one: --policy baseline --set signers=FILE.pub, or --policy FILE.",
        "Trust is named by the caller. Without a policy there is no verdict; no policy is ever taken from the model, "
        "its folder or a discovered configuration file.",
    ),
    Reason(
        "POLICY_NOT_FOUND",
        ExitStatus.USAGE,
        "there is no such policy",
        "Check the path, or name a policy that comes with modelsign.",
    ),
    Reason(
        "POLICY_MALFORMED",
        ExitStatus.UNDECIDED,
        "the trust policy is malformed",
        "Correct what the message points at; `modelsign policy schema` prints the JSON Schema.",
        "Policies are read strictly: unknown fields, duplicate keys, anchors, tags, rules that refer to parameters "
        "nobody declared and waivers of what authenticates the bytes are errors. `yes`, `no`, `on` and `off` are "
        "strings, as in YAML 1.2.",
    ),
    Reason(
        "POLICY_EXPIRED",
        ExitStatus.NEGATIVE,
        "the trust policy has expired",
        "Ask the owner of the policy for the current one.",
    ),
    Reason(
        "POLICY_AUTHENTICATES_NOTHING",
        ExitStatus.UNDECIDED,
        "the trust policy does not authenticate the bytes",
        "Add an enforced rule of kind signature to the policy.",
        "A policy whose enforced rules do not bind every byte of the model to a trusted key could be met by a model "
        "anybody made, so it never allows.",
    ),
    Reason(
        "POLICY_BYTES_UNREAD",
        ExitStatus.UNDECIDED,
        "not all bytes of the model could be read",
        "Read the scan for the file that could not be read whole.",
    ),
    Reason(
        "POLICY_SIGNATURE_MISSING",
        ExitStatus.NEGATIVE,
        "the model is not signed by whom the policy asks for",
        "Run `modelsign verify` with the same key or identity to see what is wrong with the signature.",
        "Signers count if every byte of the model is covered and unchanged, and once each: by canonical key, by "
        "identity, or by issuer where the rule says so.",
    ),
    Reason(
        "POLICY_ALGORITHM_FAMILY",
        ExitStatus.NEGATIVE,
        "a trusted signature is of the other family of algorithms",
        "Ask the signer for a signature of the family the rule names (classical or post-quantum).",
        "A rule for classical and one for post-quantum signatures together hold as long as one of the two families "
        "does. Neither signature can be left away.",
    ),
    Reason(
        "POLICY_SIGNATURE_UNPROVEN",
        ExitStatus.NEGATIVE,
        "a trusted signature lacks a proof the policy asks for",
        "Ask the signer to log and timestamp the signature, or name the roots that its proofs are under.",
        "What the rule asks for (a proven time, so many transparency logs or timestamps) was not shown by anything "
        "under the roots the caller gave. What cannot be verified counts for nothing.",
    ),
    Reason(
        "POLICY_SIGNATURE_STALE",
        ExitStatus.NEGATIVE,
        "a trusted signature is too old, or does not say when it was made",
        "Have the model signed again.",
        "Freshness is counted from the time the signer signed with the model, or else from the start of the "
        "certificate's validity. A timestamp only proves that a signature existed by then, so it makes none fresh. A "
        "time that a rule needs and that is absent fails the rule.",
    ),
    Reason(
        "POLICY_REVOCATION_LIST_MISSING",
        ExitStatus.NEGATIVE,
        "the policy asks for a revocation list and there is none it trusts",
        "Fetch the list from its publisher, and check that the keys the rule names are the publisher's.",
        "Otherwise it would be enough to take the list away.",
    ),
    Reason(
        "POLICY_SIGNATURE_UNDECIDED",
        ExitStatus.UNDECIDED,
        "a trusted signature could not be compared with the model",
        "Make room for a private copy of the model, or have it signed by whole-file SHA-256 (`modelsign sign`).",
        "A manifest of shards or of another digest needs a second reading of the model. What is judged must be one "
        "reading, so the model is copied into memory for it; the reason beside this one says why that failed.",
    ),
    Reason(
        "POLICY_FORMAT_DENIED",
        ExitStatus.NEGATIVE,
        "a file has a format the policy does not allow",
        "Convert the file to an allowed format, such as safetensors, or remove it and sign again.",
    ),
    Reason(
        "POLICY_NO_FILE",
        ExitStatus.NEGATIVE,
        "the files a rule is about are not in the model",
        "Correct the rule's `files`; where they need not be there, say `if_present: true`.",
        "A pattern that matches nothing is more often a slip of the pen than a model without such files, and a rule "
        "about no file would pass whatever the model holds.",
    ),
    Reason(
        "POLICY_SCAN_DENIED",
        ExitStatus.NEGATIVE,
        "a file has a scan outcome the policy does not accept",
        "Run `modelsign scan` for the findings.",
    ),
    Reason(
        "POLICY_SCAN_UNDECIDED",
        ExitStatus.UNDECIDED,
        "the scan could not decide about a file",
        "Run `modelsign scan` to see which file has no reader yet or is broken.",
    ),
    Reason(
        "POLICY_SCAN_MISSING",
        ExitStatus.NEGATIVE,
        "a file was not scanned",
        "This rule needs a scan made here, of the bytes that are judged.",
    ),
    Reason(
        "POLICY_ATTESTATION_MISSING",
        ExitStatus.NEGATIVE,
        "an attestation the policy asks for is missing",
        "Get the attestation from whoever the policy names, and put it beside the model or pass --attestations.",
        "An attestation counts only if its subject is this model's tree digest and a key or identity named for its "
        "predicate type signed it. Lines that cannot be verified are ignored and listed.",
    ),
    Reason(
        "POLICY_ATTESTATION_MISMATCH",
        ExitStatus.NEGATIVE,
        "an attestation does not say what the policy asks for",
        "Compare what was expected with what the attestation says; `modelsign policy explain` shows the rule.",
    ),
    Reason(
        "POLICY_ATTESTATION_STALE",
        ExitStatus.NEGATIVE,
        "an attestation is too old, or does not say when it was made",
        "Make the attestation again.",
        "Freshness is counted from the time the signed predicate gives for itself (scannedOn, finishedOn, "
        "timeVerified), or else from the start of the certificate's validity. A time that a rule needs and that is "
        "absent fails the rule.",
    ),
    Reason(
        "PARAMETER_UNSET",
        ExitStatus.USAGE,
        "a parameter of the policy was not given",
        "Pass --set NAME=VALUE; repeat it for several values.",
    ),
    Reason(
        "PARAMETER_UNKNOWN",
        ExitStatus.USAGE,
        "the policy has no such parameter",
        "Run `modelsign policy explain` to see the parameters the policy declares.",
    ),
    Reason(
        "PARAMETER_INVALID",
        ExitStatus.USAGE,
        "the value of a parameter cannot be used",
        "Keys and roots are files in PEM, identities are identity=NAME,issuer=URL; see `modelsign policy explain`.",
    ),
    Reason(
        "ARGUMENT_INVALID",
        ExitStatus.USAGE,
        "an argument of a function cannot be used",
        "Correct the call; the message names the argument.",
    ),
    Reason(
        "POLICY_DOUBTFUL",
        ExitStatus.NEGATIVE,
        "lint found something wrong with the policy",
        "Correct the policy; each finding says what it allows.",
    ),
    Reason(
        "POLICY_CASE_FAILED",
        ExitStatus.NEGATIVE,
        "a test case of the policy failed",
        "Compare the expected verdict with the one reached, rule by rule.",
    ),
    Reason(
        "POLICY_CASES_MALFORMED",
        ExitStatus.UNDECIDED,
        "the file of test cases is malformed",
        "Correct what the message points at.",
    ),
)
