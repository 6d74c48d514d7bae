"""What a caller trusts to vouch for bytes, and how many have to.

Each signing method has its own kind of trust: a public key, roots with an identity, a Sigstore trust root with an
identity. All have one shape, so that verification, attestations and policies ask each of them the same question: is
this bundle's signature one of yours? Trust is named by the caller and holds every setting, the present time included;
nothing here looks at a clock, an environment or a network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from modelsign.errors import ModelsignError, error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelsign.signing.bundle import Bundle
    from modelsign.verdict import Signer

__all__ = ["BY_KEY", "BY_NAME", "CountBy", "Trust", "Vouch", "ask", "count_distinct", "refuse_legacy"]

CountBy = Literal["signer", "issuer"]
"""What makes two signers distinct: their keys and identities, or who confirmed their identities."""

BY_KEY: Final = "Name the signer's public key with --key, if you have it from the signer and not from beside the model."
"""What helps who named an identity, where a bare key signed."""
BY_NAME: Final = "Name who must have signed: --certificate-identity, with --certificate-oidc-issuer or with --ca-roots."
"""What helps who named a key, where a certificate signed."""
_NEAR: Final = {"SIGNATURE_WRONG_KEY": 2, "CERTIFICATE_IDENTITY_MISMATCH": 1}
"""How far from it somebody else's bundle is; 0 where it claims to be theirs."""


class Vouch(NamedTuple):
    """What one trust says of a bundle it recognises.

    ``oms`` says whether OMS v1.0 knows this way to sign. ``v0_2`` says that the signature is over the encoding of
    model-signing 0.2.0, which is good for its own predicate and nothing else.
    """

    signer: Signer
    oms: bool
    warnings: tuple[str, ...] = ()
    v0_2: bool = False


class Trust(Protocol):
    """One thing the caller trusts."""

    @property
    def method(self) -> str:
        """The id of the signing method."""
        ...

    @property
    def id(self) -> str:
        """What tells this trust from others: a key's digest, or everything that an identity was asked to be."""
        ...

    @property
    def label(self) -> str:
        """What messages call it."""
        ...

    @property
    def single(self) -> bool:
        """Whether at most one distinct signer can meet it."""
        ...

    def vouch(self, bundle: Bundle, *, allow_legacy: bool = False) -> Vouch:
        """Say who of those trusted made the bundle's signature over its raw bytes.

        Raises:
            ModelsignError: ``SIGNATURE_WRONG_KEY`` or ``CERTIFICATE_IDENTITY_MISMATCH`` where it was somebody else, and
                any other reason where the bundle claims to be theirs and is not good.

        """
        ...


def ask(trusted: Sequence[Trust], bundle: Bundle, *, allow_legacy: bool = False) -> dict[int, Vouch]:
    """Return what each trust that recognises the bundle says of it, by its place in ``trusted``; never empty.

    Raises:
        ModelsignError: ``NO_TRUST_SOURCE`` where nothing is trusted; else, where nobody vouches, the reason of whoever
            came nearest.

    """
    vouches: dict[int, Vouch] = {}
    faults: list[ModelsignError] = []
    for number, trust in enumerate(trusted):
        try:
            vouches[number] = trust.vouch(bundle, allow_legacy=allow_legacy)
        except ModelsignError as fault:
            faults.append(fault)
    if vouches:
        return vouches
    if not faults:
        raise error("NO_TRUST_SOURCE", "nothing was named that could have signed")
    raise min(faults, key=lambda fault: _NEAR.get(fault.code, 0))


def refuse_legacy(bundle: Bundle, *, allow_legacy: bool) -> None:
    """Refuse a bundle of a shape from before OMS v1.1 unless the caller asked for it.

    Raises:
        ModelsignError: ``LEGACY_NOT_ALLOWED``.

    """
    if bundle.legacy and not allow_legacy:
        raise error("LEGACY_NOT_ALLOWED", "the bundle has a shape from before OMS v1.1")


def count_distinct(signers: Iterable[Signer], by: CountBy = "signer") -> int:
    """Count signers that are distinct: as many as can stand side by side, no two with one key or one identity.

    With ``by="issuer"`` no two whom the same issuer confirmed, either (DESIGN, security rule 4). A further signer never
    makes the number smaller, so nobody is helped by taking a signature away (security rule 3).
    """
    found = tuple(signers)
    return min(_count(found, known_by) for known_by in ("signer", "names", by))


def _count(signers: Iterable[Signer], by: Literal["signer", "names", "issuer"]) -> int:
    names: dict[str, dict[str, None]] = {}
    for signer in signers:
        names.setdefault(signer.key_digest, {})[_name(signer, by)] = None
    holder: dict[str, str] = {}
    held: dict[str, str] = {}
    return sum(_is_matched(key, names, holder, held) for key in names)


def _name(signer: Signer, by: Literal["signer", "names", "issuer"]) -> str:
    """Return what a signer goes by beside the key: only one of those with the same name counts.

    By ``names`` all names of a certificate together are one: who has several, and several keys, is asked for by one of
    them with one key, and by another with another.
    """
    # A root may certify one person through several authorities, and by which of several roots an authority is known
    # depends on the certificates that the signer puts into the bundle: so the root tells issuers apart, not persons.
    certified = signer.method == "certificate"
    issuer = signer.root if certified and by == "issuer" else None if certified else signer.issuer
    if by == "issuer" and issuer is not None:
        return f"issuer {issuer}"
    if by == "names" and certified and signer.names:
        return f"names {sorted(signer.names)}"
    return f"key {signer.key_digest}" if signer.identity is None else f"identity {signer.identity}\n{issuer}"


def _is_matched(key: str, names: Mapping[str, Iterable[str]], holder: dict[str, str], held: dict[str, str]) -> bool:
    """Give one more key a name of its own, if need be by giving others another one of theirs (Kuhn 1955)."""
    reached: dict[str, str] = {}
    waiting = [key]
    for current in waiting:  # grows while it is walked
        for name in names[current]:
            if name in reached:
                continue
            reached[name] = current
            if name in holder:
                waiting.append(holder[name])
                continue
            given: str | None = name
            while given is not None:
                owner = reached[given]
                holder[given] = owner
                held[owner], given = given, held.get(owner)
            return True
    return False
