"""Reasons that come from keys kept elsewhere: PKCS#11 tokens and key management services."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "EXTRA_MISSING",
        ExitStatus.UNDECIDED,
        "an optional part of the installation is missing",
        "Install the extra that the message names; `modelsign doctor` lists what is there.",
    ),
    Reason(
        "KEY_CONTRADICTS_ITSELF",
        ExitStatus.UNDECIDED,
        "a token or service made a signature that its own public key does not verify",
        "Do not use this key before you know why; compare the public key with the one you expect.",
        "Every signature that is made outside of this process is verified with the public key that the token or "
        "service showed before, and is handed out only if it is good. A wrong one means that private and public key "
        "do not belong together, that the answer was changed on its way, or that the device is broken.",
    ),
    Reason(
        "PKCS11_URI_INVALID",
        ExitStatus.USAGE,
        "the PKCS#11 URI cannot be used",
        "Write it as `pkcs11:token=LABEL;object=KEY?module-path=/path/to/module.so` (RFC 7512).",
        "Attributes that RFC 7512 does not have are refused, since one that was meant to narrow the choice must not be "
        "overlooked. The URI names the key by object, id or both; `modelsign explain` never shows a PIN.",
    ),
    Reason(
        "PKCS11_PIN_EXPOSED",
        ExitStatus.USAGE,
        "a PIN was given where other users can read it",
        "Change the PIN, and give it by --pin-file FILE, --pin-file env:NAME, pin-source=file:/path, or when asked.",
        "The arguments of a process can be read by every user of the machine, and shells keep them. A URI that comes "
        "from MODELSIGN_SIGN_PKCS11_URI or a configuration file that you name may hold pin-value.",
    ),
    Reason(
        "PKCS11_MODULE_UNUSABLE",
        ExitStatus.UNDECIDED,
        "the PKCS#11 module of the token cannot be loaded",
        "Name the token's library with module-path=/path/to/module.so in the URI.",
        "The module is the library that the maker of the token supplies, such as /usr/lib/softhsm/libsofthsm2.so. "
        "Without module-path and module-name p11-kit-proxy is looked for in the usual folders.",
    ),
    Reason(
        "PKCS11_TOKEN_NOT_FOUND",
        ExitStatus.UNDECIDED,
        "no token fits the PKCS#11 URI",
        "Check that the token is there with `pkcs11-tool --module MODULE --list-slots`, and compare every attribute.",
    ),
    Reason(
        "PKCS11_TOKEN_AMBIGUOUS",
        ExitStatus.USAGE,
        "several tokens fit the PKCS#11 URI",
        "Name one of them by token=, serial= or slot-id= in the URI.",
    ),
    Reason(
        "PKCS11_KEY_NOT_FOUND",
        ExitStatus.UNDECIDED,
        "the token holds no such key pair",
        "List what it holds with `pkcs11-tool --module MODULE --login --list-objects`.",
        "The private key is looked for by the URI's object and id. Its public half, or a certificate, must lie beside "
        "it under the same id: signatures are verified with it, and bundles name the key by it.",
    ),
    Reason(
        "PKCS11_KEY_AMBIGUOUS",
        ExitStatus.USAGE,
        "several keys of the token fit the PKCS#11 URI",
        "Name one of them by id= in the URI; labels need not be unique.",
    ),
    Reason(
        "PKCS11_PIN_NEEDED",
        ExitStatus.USAGE,
        "the token asks for a PIN and none was given",
        "Give it by --pin-file FILE or --pin-file env:NAME, or run the command on a terminal.",
    ),
    Reason(
        "PKCS11_PIN_WRONG",
        ExitStatus.USAGE,
        "the token does not accept the PIN",
        "Check the PIN before you try again: tokens lock themselves after a few wrong ones.",
        "A PIN is tried once in a run, and never again after a refusal.",
    ),
    Reason(
        "PKCS11_FAILED",
        ExitStatus.UNDECIDED,
        "the token failed",
        "Read what the token said in the message; its maker's documentation says what it means.",
    ),
    Reason(
        "KMS_URI_INVALID",
        ExitStatus.USAGE,
        "the URI of the key management service cannot be used",
        "Write it as awskms://, gcpkms://, azurekms://, hashivault:// or openbao://, as cosign does.",
    ),
    Reason(
        "KMS_CREDENTIALS_MISSING",
        ExitStatus.UNDECIDED,
        "nothing usable says who asks the key management service",
        "Set up what the service's own tools use (`aws`, `gcloud`, `az`, `vault`), and try there first.",
        "Credentials are never part of the URI. They come from the variables and files of the service's own tools.",
    ),
    Reason(
        "KMS_ACCESS_DENIED",
        ExitStatus.UNDECIDED,
        "the key management service refuses access to the key",
        "Grant the right to read the public key and to sign, and nothing else; the service's words are in the message.",
    ),
    Reason(
        "KMS_KEY_NOT_FOUND",
        ExitStatus.UNDECIDED,
        "the key management service has no such key",
        "Check the URI, the region, the project or vault, and which account asks.",
    ),
    Reason(
        "KMS_FAILED",
        ExitStatus.UNDECIDED,
        "the key management service failed",
        "The service's words are in the message; a key may be disabled, or made for something else than signing.",
    ),
)
