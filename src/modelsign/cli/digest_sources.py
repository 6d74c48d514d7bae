"""Flags of ``sign`` for digests that are not computed here: those of a list, or of the previous signature.

Not a command. Turns flags into calls of the signing layer and decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from modelsign.cli.manifest_options import LIST_ADVICE, serialization_of
from modelsign.cli.sections import section
from modelsign.errors import error
from modelsign.report.escape import escape_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelsign.artifact.digest_list import DigestList
    from modelsign.artifact.model import Artifact
    from modelsign.cli.session import Session
    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.sealer import Sealer
    from modelsign.signing.sign import Prepared, SignResult
    from modelsign.signing.trust import Trust
    from modelsign.signing.validity import Validity

__all__ = ["check_sources", "prepare", "prepare_without_model", "source_options", "unread_notes", "unread_words"]

_Function = TypeVar("_Function", bound="Callable[..., Any]")
_SHOWN = 10

_OPTIONS = (
    click.option(
        "--from-digests",
        metavar="FILE",
        help="Sign these digests, computed elsewhere: the JSON of `modelsign digest`, or what sha256sum wrote. "
        "MODEL may be left out; its bytes are not read.",
    ),
    click.option("--name", metavar="NAME", help="The model's name, where --from-digests and no MODEL do not tell it."),
    click.option(
        "--previous",
        metavar="BUNDLE",
        help="Hash only what --changed names and new files; take the other digests over from this signature.",
    ),
    click.option(
        "--previous-key",
        metavar="FILE",
        help="The public key that made the --previous signature; by default the keys that sign now.",
    ),
    click.option(
        "--changed",
        multiple=True,
        metavar="PATH",
        help="A file or folder of MODEL that changed or is gone since --previous; relative to MODEL and exact.",
    ),
)


def source_options(function: _Function) -> _Function:
    """Add the flags that say where digests come from."""
    for option in reversed(section("Digests", _OPTIONS)):
        function = option(function)
    return function


def check_sources(model: str | None, values: Mapping[str, Any]) -> None:
    """Refuse combinations of flags that mean nothing."""
    listed, previous = values["from_digests"], values["previous"]
    if model is None and not listed:
        raise click.UsageError("Missing argument 'MODEL'.")
    if values["name"] is not None and (model is not None or not listed):
        raise click.UsageError("--name is for --from-digests without MODEL.")
    if listed and previous:
        raise click.UsageError("--from-digests and --previous both say where digests come from.")
    if not previous and (values["changed"] or values["previous_key"]):
        raise click.UsageError("--changed and --previous-key need --previous.")
    if listed and (values["serialization"] or values["shard_size"] or values["algorithm"]):
        raise click.UsageError("--from-digests says itself what it lists: leave out --serialization and --hash.")


def prepare(  # noqa: PLR0913 - the settings of one statement
    session: Session,
    artifact: Artifact,
    chosen: Sequence[Sealer],
    values: Mapping[str, Any],
    *,
    whole_model_name: bool,
    replaced: Sequence[str],
    validity: Validity | None,
    progress: Callable[[int], None] | None,
) -> Prepared:
    """Write down a model's statement as the flags say."""
    from modelsign.signing.sign import prepare_model

    if values["from_digests"]:
        from modelsign.signing.elsewhere import prepare_listed

        found = _read_list(session, values)
        return prepare_listed(artifact, found, whole_model_name=whole_model_name, replaced=replaced, validity=validity)
    if values["previous"]:
        from modelsign import limits
        from modelsign.signing.incremental import take_over

        asked = values["serialization"] or values["shard_size"] or values["algorithm"]
        data = session.read(values["previous"], limits.BUNDLE_BYTES, what="previous signature")
        trusted = _trusted(session, chosen, values["previous_key"])
        taken = take_over(
            artifact,
            data,
            trusted,
            values["changed"],
            serialization=serialization_of(values) if asked else None,
            tree=values["tree_digest"],
            now=session.now(),
            strict_names=not values["insecure_names"],
            progress=progress,
        )
        return prepare_model(artifact, digests=taken.digests, unread=taken.unread, replaced=replaced, validity=validity)
    return prepare_model(
        artifact,
        serialization=serialization_of(values),
        tree=values["tree_digest"],
        whole_model_name=whole_model_name,
        replaced=replaced,
        validity=validity,
        progress=progress,
    )


def prepare_without_model(
    session: Session, values: Mapping[str, Any], *, whole_model_name: bool, validity: Validity | None
) -> Prepared:
    """Write down the statement of a model that is not here."""
    from modelsign.signing.elsewhere import prepare_absent

    return prepare_absent(
        _read_list(session, values),
        values["name"],
        strict_names=not values["insecure_names"],
        whole_model_name=whole_model_name,
        validity=validity,
    )


def unread_notes(result: SignResult, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the warning that bytes were not read, empty where all were."""
    if not result.unread:
        return ()
    origin = values["from_digests"] or values["previous"]
    count = f"{len(result.unread)} of {result.files} files"
    return (f"the bytes of {count} were not read here: their digests come from {origin}",)


def unread_words(result: SignResult) -> str:
    """Return the lines of text that name the files whose bytes were not read."""
    lines = [f"  not read     {escape_line(name)}\n" for name in result.unread[:_SHOWN]]
    if len(result.unread) > _SHOWN:
        lines.append(f"  not read     … and {len(result.unread) - _SHOWN} more (--format json lists them)\n")
    return "".join(lines)


def _read_list(session: Session, values: Mapping[str, Any]) -> DigestList:
    from modelsign import limits
    from modelsign.artifact.digest_list import parse_digests, parse_sha256sum

    data = session.read(values["from_digests"], limits.DIGESTS_BYTES, what="list of digests")
    parse = parse_digests if data.lstrip()[:1] == b"{" else parse_sha256sum
    with session.naming(values["from_digests"], LIST_ADVICE):
        return parse(data, strict_names=not values["insecure_names"])


def _trusted(session: Session, chosen: Sequence[Sealer], named: str | None) -> list[Trust]:
    from modelsign.signing.incremental import OwnKey
    from modelsign.signing.methods.key import KeyTrust

    if named is not None:
        from modelsign.cli.model_options import read_public_key

        return [KeyTrust(read_public_key(session, named))]
    own: list[Trust] = [OwnKey(key) for key in map(_key_of, chosen) if key is not None]
    if not own:
        raise error(
            "NO_TRUST_SOURCE",
            "nothing says whose the previous signature must be",
            advice="Name the public key that made it with --previous-key.",
        )
    return own


def _key_of(sealer: Sealer) -> VerifyKey | None:
    """Return the public half of the key that signs; None where a key is made for each signature."""
    from modelsign.signing.methods.certificate import CertificateSealer
    from modelsign.signing.methods.key import KeySealer
    from modelsign.signing.sigstore.services.witnesses import WitnessedSealer

    if isinstance(sealer, WitnessedSealer):
        return _key_of(sealer.inner)
    if isinstance(sealer, CertificateSealer):
        return sealer.public
    return sealer.key.public if isinstance(sealer, KeySealer) else None
