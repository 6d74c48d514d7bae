"""Who a rule trusts to have signed, and what must be proven of each signature: shared by the rules on evidence.

Trust is named by the caller: keys, and identities together with what anchors them. Signers are counted, never bundles
(:func:`modelsign.signing.trust.count_distinct`), and each must meet everything the rule asks for alone.

*Existed by* is what a timestamp or a log proves. *Made at* is what was signed, or else the start of a certificate's
validity; it cannot be later than *existed by* (DESIGN, security rule 10). What a rule needs and is not there is a
shortfall.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple

from msgspec import Meta

from modelsign import strictjson, timestamp
from modelsign.policy import duration
from modelsign.policy.identities import has_issuer
from modelsign.policy.rule import ParameterName, PolicyRule, Use
from modelsign.signing.freshness import CLOCK_SKEW
from modelsign.signing.keys import Family, family
from modelsign.signing.revocation import proven_time
from modelsign.signing.trust import CountBy
from modelsign.verdict import who

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from modelsign.verdict import Signer

    Parameters = Mapping[str, tuple[str, ...]]

__all__ = [
    "Claimant",
    "Shortfall",
    "SignerRule",
    "claimants",
    "demands",
    "described",
    "doubts",
    "shortfall",
    "trusted",
    "uses",
]

_SHOWN: Final = 10
ParameterNames = Annotated[tuple[ParameterName, ...], Meta(min_length=1, max_length=20)]


class SignerRule(PolicyRule, frozen=True, kw_only=True):
    """At least ``threshold`` distinct signers of ``keys`` and ``identities``, each alone meeting everything else.

    ``trust_root`` names the parameter with the Sigstore trust root that anchors identities with an issuer, and the
    logs and timestamps of keys; ``certificate_roots`` the one that anchors identities without; ``timestamp_roots`` the
    one with roots of timestamp authorities for the latter, and ``certificate_status`` the one with CRLs and OCSP
    responses, without whose good word none of those certificates counts. ``count_by: issuer`` counts all whom one
    issuer confirmed once. ``family`` is the kind of algorithm. ``time: proven`` asks for a proof of when the signature
    existed by, ``logs`` and ``timestamps`` for so many different ones. ``max_age`` bounds the time since the signature
    was made.
    """

    keys: ParameterNames | None = None
    identities: ParameterNames | None = None
    trust_root: ParameterName | None = None
    certificate_roots: ParameterName | None = None
    timestamp_roots: ParameterName | None = None
    certificate_status: ParameterName | None = None
    threshold: Annotated[int, Meta(ge=1, le=100)] = 1
    count_by: CountBy = "signer"
    family: Family | None = None
    time: Literal["proven"] | None = None
    logs: Annotated[int, Meta(ge=0, le=10)] | None = None
    timestamps: Annotated[int, Meta(ge=1, le=10)] | None = None
    max_age: Annotated[str, Meta(pattern=duration.PATTERN)] | None = None

    def __post_init__(self) -> None:
        """Refuse what nobody could meet, and anchors of nothing."""
        if self.max_age is not None:
            duration.parse(self.max_age)
        problem = _problem(self)
        if problem is not None:
            raise ValueError(problem)


def _problem(rule: SignerRule) -> str | None:
    proofs = rule.time is not None or bool(rule.logs) or rule.timestamps is not None
    keys, identities = rule.keys is not None, rule.identities is not None
    sigstore, roots, stamps = (
        name is not None for name in (rule.trust_root, rule.certificate_roots, rule.timestamp_roots)
    )
    problems = (
        (not keys and not identities, "the rule names neither keys nor identities, so nobody could meet it"),
        (
            identities and not sigstore and not roots,
            "identities need trust_root or certificate_roots: a name alone is anybody's",
        ),
        (roots and not identities, "certificate_roots anchor identities, and none are named"),
        (stamps and not roots, "timestamp_roots go with certificate_roots; a trust root names its own authorities"),
        (rule.certificate_status is not None and not roots, "certificate_status goes with certificate_roots"),
        (bool(rule.logs) and not sigstore, "logs need trust_root: nothing else names the logs that count"),
        (
            proofs and not sigstore and not stamps,
            "time, logs and timestamps need trust_root or timestamp_roots: nothing else proves them",
        ),
        (sigstore and not identities and not proofs, "trust_root is named, and nothing of it is asked for"),
    )
    return next((words for wrong, words in problems if wrong), None)


class Claimant(NamedTuple):
    """One thing that a rule trusts: a key, or an identity under an anchor.

    ``kind`` is a signing method, ``value`` the parameter's value (a key's digest, an identity's canonical JSON),
    ``trust_root``, ``roots`` and ``timestamp_roots`` the digests of what anchors it, ``status`` those of what says
    whether its certificates stand, None where nobody asks. ``logs`` and ``timestamps`` are how many different ones must
    confirm the signature, ``times`` how many of them with a time.
    """

    kind: Literal["key", "certificate", "keyless"]
    value: str
    trust_root: str | None = None
    roots: tuple[str, ...] = ()
    timestamp_roots: tuple[str, ...] = ()
    status: tuple[str, ...] | None = None
    logs: int = 0
    timestamps: int = 0
    times: int = 0

    @property
    def id(self) -> str:
        """What facts name it by: the digest of a bare key, or one that covers everything that it is asked to be."""
        if self.kind == "key" and self.trust_root is None:
            return self.value
        return hashlib.sha256(strictjson.canonical(list(self))).hexdigest()


def claimants(rule: SignerRule, parameters: Parameters) -> Iterator[Claimant]:
    """Yield everything a rule trusts. A trust root document anchors alone, certificate roots all together."""
    documents: tuple[str | None, ...] = (None,) if rule.trust_root is None else parameters[rule.trust_root]
    logs, timestamps = rule.logs or 0, rule.timestamps or 0
    for value in _values(rule.keys, parameters):
        for document in documents:
            times = int(rule.time is not None)
            yield Claimant("key", value, document, logs=logs, timestamps=timestamps, times=times)
    for value in _values(rule.identities, parameters):
        sigstore = has_issuer(value)
        for document in documents:
            if sigstore and document is not None:
                wanted = 1 if rule.logs is None else logs
                yield Claimant("keyless", value, document, logs=wanted, timestamps=timestamps, times=1)
            elif not sigstore and rule.certificate_roots is not None:
                roots = tuple(sorted(parameters[rule.certificate_roots]))
                stamps = () if rule.timestamp_roots is None else tuple(sorted(parameters[rule.timestamp_roots]))
                known = rule.certificate_status
                status = None if known is None else tuple(sorted(parameters[known]))
                yield Claimant("certificate", value, document, roots, stamps, status, logs, timestamps)


def _values(names: tuple[str, ...] | None, parameters: Parameters) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for name in names or () for value in parameters[name]))


def trusted(rule: SignerRule, parameters: Parameters) -> frozenset[str]:
    """Return the ids of everything a rule trusts."""
    return frozenset(claimant.id for claimant in claimants(rule, parameters))


def uses(rule: SignerRule) -> tuple[Use, ...]:
    """Return the parameters a rule refers to for its signers."""
    found = [Use("keys", name) for name in rule.keys or ()]
    found += [Use("identities", name) for name in rule.identities or ()]
    found += [Use("trust-root", rule.trust_root)] if rule.trust_root is not None else []
    found += [Use("certificate-status", rule.certificate_status)] if rule.certificate_status is not None else []
    anchors = (rule.certificate_roots, rule.timestamp_roots)
    return (*found, *(Use("certificate-roots", name) for name in anchors if name is not None))


class Shortfall(NamedTuple):
    """Why something does not meet a rule; ``met`` counts what it does meet."""

    met: int
    code: str
    observed: str


def shortfall(
    rule: SignerRule, signer: Signer, made_at: datetime | None, now: datetime, *, stale: str
) -> Shortfall | None:
    """Say what of a rule one verified signature does not meet; ``stale`` is the reason's code for its age."""
    existed = proven_time(signer)
    if existed is not None and existed - now > CLOCK_SKEW:  # no proof yet at the time that is judged
        existed = None
    if signer.not_before is not None and timestamp.read(signer.not_before) - now > CLOCK_SKEW:
        observed = f"its certificate is of {signer.not_before}, later than the time that is judged"
        return Shortfall(0, "POLICY_SIGNATURE_UNPROVEN", observed)
    if rule.family is not None and family(signer.algorithm) != rule.family:
        observed = f"{signer.algorithm} is not {rule.family}"
        return Shortfall(0, "POLICY_ALGORITHM_FAMILY", observed)
    # The trust counted the authorities, which stamp within one second where they are asked one after another.
    logs, stamps = len({proof.log for proof in signer.logs}), len(signer.timestamps)
    for step, (wanted, found, what) in enumerate(
        (
            (int(rule.time is not None), int(existed is not None), "proof of the time it existed by"),
            (rule.logs or 0, logs, "transparency log"),
            (rule.timestamps or 0, stamps, "timestamp"),
        ),
        1,
    ):
        if found < wanted:
            observed = f"{found or 'no'} {what}{'' if found < 2 else 's'}"  # noqa: PLR2004 - plural
            return Shortfall(step, "POLICY_SIGNATURE_UNPROVEN", observed)
    words = None if rule.max_age is None else _stale(rule.max_age, made_at, signer, now)
    return None if words is None else Shortfall(4, stale, words)


def _stale(max_age: str, said: datetime | None, signer: Signer, now: datetime) -> str | None:
    existed = proven_time(signer)
    made_at = said
    if made_at is None and signer.not_before is not None:
        made_at = timestamp.read(signer.not_before)
    if made_at is None:
        return "it does not say when it was made"
    if made_at - now > CLOCK_SKEW:  # a sum could lie behind the last year there is
        return f"it says it was made in the future ({timestamp.write(made_at)})"
    if existed is not None and made_at - existed > CLOCK_SKEW:
        return f"it says it was made at {timestamp.write(made_at)}, and existed by {timestamp.write(existed)}"
    if now - made_at > duration.parse(max_age):
        return f"it was made at {timestamp.write(made_at)}, more than {max_age} ago"
    return None


def demands(rule: SignerRule) -> str:
    """Say how many of whom a rule asks for."""
    kind = "key" if rule.identities is None else "identity" if rule.keys is None else "signer"
    kinds = {"key": "keys", "identity": "identities", "signer": "signers"}[kind]
    which = "" if rule.family is None else f"{rule.family} "
    count = f"1 {which}{kind}" if rule.threshold == 1 else f"{rule.threshold} distinct {which}{kinds}"
    words = f"at least {count} of {', '.join((*(rule.keys or ()), *(rule.identities or ())))}"
    anchors = [name for name in (rule.trust_root, rule.certificate_roots) if name is not None]
    words += f" under {' or '.join(anchors)}" if anchors else ""
    words += ", counted by issuer" if rule.count_by == "issuer" else ""
    return "; ".join([words, *_proofs(rule)])


def _proofs(rule: SignerRule) -> Iterator[str]:
    if rule.time is not None:
        yield "at a proven time"
    if rule.logs:
        yield f"in {rule.logs} transparency log{'s' if rule.logs > 1 else ''}"
    if rule.certificate_status is not None:
        yield "with certificates shown not to be revoked"
    if rule.timestamps is not None:
        yield f"with {rule.timestamps} timestamp{'s' if rule.timestamps > 1 else ''}"


def described(signers: Iterable[Signer]) -> str:
    """Name verified signers in a few words."""
    names = sorted({signer.key_digest[:12] if signer.identity is None else who(signer) for signer in signers})
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def doubts(rule: SignerRule) -> tuple[str, ...]:
    """Warn of what counts more, or less, than it seems."""
    found = []
    if rule.logs == 0 and rule.identities is not None and rule.trust_root is not None:
        found.append("logs: 0 accepts signatures in no log, where those whose name is misused could notice them")
    if rule.count_by == "issuer" and rule.keys is not None:
        found.append("count_by: issuer counts each bare key by itself, since nobody confirmed it")
    return tuple(found)
