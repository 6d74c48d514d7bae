"""From when and until when a signature says of itself that it is good.

OMS v1.0 has no field for it, and its predicate takes none. An in-toto subject may carry annotations (Resource
Descriptor v1), which the schemas of OMS admit and other clients read past, so the times stand there under a name of our
own. Only this project enforces them.

"Made at" is what the signer says; it decides freshness and nothing else, and can lie neither after the present nor
after the time a timestamp or a log proves (DESIGN, security rule 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import timestamp
from modelsign.errors import error
from modelsign.signing.freshness import CLOCK_SKEW
from modelsign.signing.revocation import proven_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelsign.errors import ModelsignError
    from modelsign.verdict import Signer

__all__ = ["ANNOTATION", "Validity", "check_validity", "read_validity", "subject_annotations"]

ANNOTATION: Final = "https://modelsign.dev/validity/v1"


class Validity(NamedTuple):
    """When the signer says the signature was made, and until when it is good (both in UTC)."""

    made_at: datetime
    expires: datetime


def subject_annotations(validity: Validity) -> dict[str, object]:
    """Return the annotations of the subject, as they are signed.

    Raises:
        ModelsignError: ``ARGUMENT_INVALID`` where it would have expired before it was made.

    """
    if validity.expires <= validity.made_at:
        raise error("ARGUMENT_INVALID", f"a signature that expires at {timestamp.write(validity.expires)} is of no use")
    written = {"madeAt": timestamp.write(validity.made_at), "expires": timestamp.write(validity.expires)}
    return {ANNOTATION: written}


def read_validity(subject: Mapping[str, object]) -> Validity | None:
    """Return the times in a subject's annotations, None where there are none of ours.

    Raises:
        ModelsignError: ``MANIFEST_MALFORMED``.

    """
    found = subject.get("annotations", {})
    if not isinstance(found, dict):
        raise error("MANIFEST_MALFORMED", "the signed manifest is refused: annotations is not an object")
    if ANNOTATION not in found:
        return None
    value = found[ANNOTATION]
    times = [value.get(name) for name in ("madeAt", "expires")] if isinstance(value, dict) else [None]
    try:
        made_at, expires = [timestamp.read(time if isinstance(time, str) else "") for time in times]
    except ValueError:
        raise error("MANIFEST_MALFORMED", f"the signed manifest is refused: {ANNOTATION} has no two times") from None
    return Validity(made_at, expires)


def check_validity(validity: Validity, signer: Signer, now: datetime | None) -> ModelsignError | None:
    """Return why a signature does not count by its own times, None where it does.

    That is ``SIGNATURE_EXPIRED``, ``SIGNING_TIME_IMPOSSIBLE``, or ``SIGNATURE_EXPIRY_UNCHECKED`` where no time was
    given to compare with.
    """
    made_at, expires = timestamp.write(validity.made_at), timestamp.write(validity.expires)
    existed = proven_time(signer)
    if existed is not None and validity.made_at - existed > CLOCK_SKEW:
        words = f"the signature says it was made at {made_at}, and existed by {timestamp.write(existed)}"
        return error("SIGNING_TIME_IMPOSSIBLE", words)
    if now is None:
        return error("SIGNATURE_EXPIRY_UNCHECKED", f"the signature is good until {expires}, and no time was given")
    if validity.made_at - now > CLOCK_SKEW:
        return error("SIGNING_TIME_IMPOSSIBLE", f"the signature says it was made at {made_at}, which is to come")
    if now >= validity.expires:
        return error("SIGNATURE_EXPIRED", f"the signature expired at {expires}")
    return None
