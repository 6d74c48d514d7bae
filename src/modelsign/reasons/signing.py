"""Reasons that come from bundles, keys and signatures."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "SIGNATURE_MISSING",
        ExitStatus.NEGATIVE,
        "the model has no signature",
        "Ask the publisher for the bundle and pass it with --bundle; it usually lies beside the weights as model.sig.",
    ),
    Reason(
        "SIGNATURE_WRONG_KEY",
        ExitStatus.NEGATIVE,
        "the signature was not made by a key you named",
        "Check that --key is the publisher's key. If it is, do not use this model.",
        "Trust is named by the caller: a key inside a bundle or beside the model is never trusted. The bundle names "
        "another key, or no key at all, and the signature does not verify under any key that was given.",
    ),
    Reason(
        "SIGNATURE_INVALID",
        ExitStatus.NEGATIVE,
        "the signature does not match what it signs",
        "Do not use this model: the bundle names your key, but its contents were altered.",
    ),
    Reason(
        "SIGNATURES_TOO_FEW",
        ExitStatus.NEGATIVE,
        "not enough of the keys you named have signed the model",
        "Ask the missing signers for their bundles, or lower --threshold.",
        "Several --key mean that all of them must have signed, unless --threshold says how many are enough. One key "
        "counts once, whatever its encoding and however many bundles it made.",
    ),
    Reason(
        "FILE_CHANGED",
        ExitStatus.NEGATIVE,
        "a file's bytes are not the ones that were signed",
        "Do not load this model; fetch it again from its publisher.",
    ),
    Reason(
        "FILE_MISSING",
        ExitStatus.NEGATIVE,
        "a signed file is not there",
        "Fetch the model again; the download may be incomplete.",
    ),
    Reason(
        "FILE_UNSIGNED",
        ExitStatus.NEGATIVE,
        "a file is there that nobody signed",
        "Remove the file, or ask the signer to sign the model again. --ignore-unsigned-files only lists inert ones.",
    ),
    Reason(
        "UNSIGNED_LOADABLE",
        ExitStatus.NEGATIVE,
        "an unsigned file could be loaded",
        "Remove the file. Only --insecure-unsigned-loadable admits it, and then the signature protects nothing.",
        "Under --ignore-unsigned-files extra text and plain JSON are only listed. A file that a loader could take "
        "weights or code from makes the signature of the rest worthless, so it is refused still.",
    ),
    Reason(
        "MODEL_RENAMED",
        ExitStatus.NEGATIVE,
        "the file has another name than the one that was signed",
        "Give the file its signed name again.",
        "The ending of a name chooses the loader: weights.safetensors renamed to weights.pkl would be unpickled.",
    ),
    Reason(
        "SIGNER_IGNORES_MORE",
        ExitStatus.NEGATIVE,
        "the signer left paths out of the signature",
        "If you accept that, name each of them with --ignore-paths.",
        "OMS lets a signer write down paths the verifier shall not look at. Beyond the default names that is "
        "accepted only if whoever verifies names the same paths.",
    ),
    Reason(
        "LEGACY_NOT_ALLOWED",
        ExitStatus.NEGATIVE,
        "the signature has an old format",
        "Ask the signer for a current signature, or pass --allow-legacy.",
        "Formats from before OMS v1.0 bind less: the very first one has no manifest and a broken encoding of what "
        "is signed. The result names the format.",
    ),
    Reason(
        "NOT_A_MODEL_SIGNATURE",
        ExitStatus.NEGATIVE,
        "the bundle signs something else than a model",
        "Pass the model's own signature; an attestation is not one.",
        "Key roles are separate: only the OMS predicate makes a signature one of a model, so that a key that signs "
        "scan reports or build provenance never vouches for weights.",
    ),
    Reason(
        "NOT_OMS",
        ExitStatus.NEGATIVE,
        "the signature does not follow OMS v1.0 in every part",
        "Ask the signer for one that does, or leave out --require-oms.",
        "Read are also the order and the spellings of the reference implementation, further kinds of keys, legacy "
        "shapes and fields nobody knows; the result then says `oms: false`. --require-oms refuses them.",
    ),
    Reason(
        "NOT_AN_ATTESTATION",
        ExitStatus.NEGATIVE,
        "the envelope does not hold an in-toto statement",
        "Pass a bundle whose payload is application/vnd.in-toto+json.",
    ),
    Reason(
        "EVIDENCE_NOT_A_BUNDLE",
        ExitStatus.NEGATIVE,
        "a file in the place of evidence is not a signature bundle",
        "Remove the file, or fetch it again.",
        "model.sig, model.sig.d/*.sig and model.intoto.jsonl are in no manifest. Only strict bundles are admitted "
        "there, because anything else would be bytes in the model that nobody signed.",
    ),
    Reason(
        "BUNDLE_MALFORMED",
        ExitStatus.UNDECIDED,
        "the bundle is malformed or cut short",
        "Fetch the bundle again.",
        "A bundle is read strictly: duplicate keys, unknown fields, excess depth or size and anything but one "
        "signature are errors, because two readers could understand such a bundle differently.",
    ),
    Reason(
        "BUNDLE_UNSUPPORTED",
        ExitStatus.UNDECIDED,
        "the bundle has a version or content this program does not know",
        "Upgrade modelsign, or ask the signer for a Sigstore bundle v0.3 with a DSSE envelope.",
    ),
    Reason(
        "MANIFEST_MALFORMED",
        ExitStatus.UNDECIDED,
        "the signed manifest is malformed",
        "Ask the signer for a new signature.",
    ),
    Reason(
        "MANIFEST_DUPLICATE_NAME",
        ExitStatus.UNDECIDED,
        "the signed manifest lists a name twice",
        "Ask the signer for a new signature.",
        "Of two entries for one name, one reader would take the first and another the last.",
    ),
    Reason(
        "MANIFEST_UNSORTED",
        ExitStatus.UNDECIDED,
        "the signed manifest is in neither known order",
        "Ask the signer for a new signature.",
        "OMS v1.0 lists resources by code points of their names; the reference implementation by the parts of "
        "their paths. Anything else is not a manifest of either.",
    ),
    Reason(
        "MANIFEST_INCONSISTENT",
        ExitStatus.UNDECIDED,
        "the signed digests contradict each other",
        "Ask the signer for a new signature.",
        "The subject's root digest or tree digest does not follow from the resources that are listed.",
    ),
    Reason(
        "HASH_UNSUPPORTED",
        ExitStatus.UNDECIDED,
        "the manifest uses a hash algorithm or method this program does not have",
        "Ask the signer to sign with SHA-256 over whole files.",
    ),
    Reason(
        "NO_TRUST_SOURCE",
        ExitStatus.USAGE,
        "nothing says whom to trust",
        "Name the publisher's public key with --key, or an identity: see `modelsign verify --help`.",
        "Without a trust source there is no verdict: a signature proves nothing until you say whose it must be.",
    ),
    Reason(
        "NO_SIGNING_METHOD",
        ExitStatus.USAGE,
        "nothing says how to sign",
        "Name a private key with --key (`modelsign key generate` makes one), or pass --keyless.",
    ),
    Reason(
        "THRESHOLD_IMPOSSIBLE",
        ExitStatus.USAGE,
        "the threshold cannot be met",
        "Give at least as many different keys as the threshold demands; one key in two encodings is one key.",
    ),
    Reason(
        "KEY_MALFORMED",
        ExitStatus.UNDECIDED,
        "the key cannot be read",
        "Pass a key in PEM or DER.",
    ),
    Reason(
        "KEY_UNSUPPORTED",
        ExitStatus.UNDECIDED,
        "the key has a kind or size that is not accepted",
        "Use ECDSA on P-256, P-384 or P-521, Ed25519, RSA with at least 3072 bits, ML-DSA-65 or ML-DSA-87.",
    ),
    Reason(
        "KEY_IS_PRIVATE",
        ExitStatus.USAGE,
        "a private key stands where a public one is wanted",
        "Make the public key with `modelsign key show PRIVATE --public-out FILE`, and keep the private one private.",
    ),
    Reason(
        "KEY_IS_PUBLIC",
        ExitStatus.USAGE,
        "a public key stands where a private one is wanted",
        "Signing needs the private key.",
    ),
    Reason(
        "KEY_PASSWORD_NEEDED",
        ExitStatus.USAGE,
        "the private key is encrypted",
        "Pass its password with --password-file FILE or --password-file env:NAME.",
    ),
    Reason(
        "KEY_PASSWORD_WRONG",
        ExitStatus.USAGE,
        "the password does not open the private key",
        "Check the password; a newline at the end of a password file is left out.",
    ),
    Reason(
        "KEY_NOT_ENCRYPTED",
        ExitStatus.USAGE,
        "a password was given for a key that is not encrypted",
        "Leave the password out, or check that the right key was named.",
    ),
    Reason(
        "KEY_INSIDE_MODEL",
        ExitStatus.USAGE,
        "a key would be written into a model",
        "Choose a place outside the folder of the model.",
    ),
    Reason(
        "PRIVATE_KEY_IN_MODEL",
        ExitStatus.NEGATIVE,
        "the model holds a private key",
        "Move the key out of the model, and replace the key if the model was ever published.",
        "Files are looked at by content, not by name: PEM, OpenSSH, OpenPGP, PuTTY, DER and PKCS#12 private keys, and "
        "JSON Web Keys. All of a file up to 4 MiB and of a text up to 256 MiB is searched, of others the first and the "
        "last MiB.",
    ),
)
