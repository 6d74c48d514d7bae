"""Materials: what went into a model, as SLSA resource descriptors with a role.

On the command line: ``role=base-model,uri=hf://org/name@rev,digest=sha256:…`` with fields ``role``, ``uri``,
``name`` and ``digest``; ``digest`` may be given several times. A comma inside a value is kept unless a field
name and ``=`` follow it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ROLES", "Material", "read_material"]

ROLES: Final = (
    "source",
    "base-model",
    "adapter",
    "teacher",
    "dataset",
    "tokenizer",
    "container",
    "package-lock",
    "config",
)
"""What a material was for. Policies match on them, so a misspelt one is refused."""
_DIGESTS: Final[dict[str, tuple[int, ...]]] = {
    "sha256": (64,),
    "sha384": (96,),
    "sha512": (128,),
    "dirHash1": (64,),
    "gitCommit": (40, 64),
    "gitTree": (40, 64),
    "gitBlob": (40, 64),
    "gitTag": (40, 64),
}
"""in-toto digest algorithms that are accepted, with the number of hex digits."""
_FIELD: Final = re.compile(r",(?=(?:role|uri|name|digest)=)")
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x1f\x7f]{1,4000}\Z")


@dataclass(frozen=True, slots=True)
class Material:
    """One thing that went into a model; at least a URI or a digest says which."""

    role: str | None
    uri: str | None = None
    name: str | None = None
    digest: Mapping[str, str] = field(default_factory=dict)

    def descriptor(self) -> dict[str, Any]:
        """Return the in-toto ResourceDescriptor; the role is an annotation."""
        values: dict[str, Any] = {"name": self.name, "uri": self.uri, "digest": dict(self.digest)}
        if self.role is not None:
            values["annotations"] = {"role": self.role}
        return {key: value for key, value in values.items() if value}


def read_material(text: str) -> Material:
    """Read a material as the command line gives it.

    Raises:
        ModelsignError: ``MATERIAL_INVALID``.

    """
    single: dict[str, str] = {}
    digests: dict[str, str] = {}
    for part in _FIELD.split(text):
        name, _, value = part.partition("=")
        if name not in ("role", "uri", "name", "digest") or not value:
            raise _invalid(text, f"{part!r} is not role=, uri=, name= or digest= with a value")
        if name == "digest":
            algorithm, digest = _digest(text, value)
            if algorithm in digests:
                raise _invalid(text, f"{algorithm} is given twice")
            digests[algorithm] = digest
        elif name in single:
            raise _invalid(text, f"{name} is given twice")
        else:
            single[name] = value
    if single.get("role", ROLES[0]) not in ROLES:
        raise _invalid(text, f"the role is one of {', '.join(ROLES)}")
    if "uri" in single and not _URI.match(single["uri"]):
        raise _invalid(text, f"{single['uri']!r} is not a URI with a scheme")
    if "uri" not in single and not digests:
        raise _invalid(text, "it has neither uri nor digest")
    return Material(single.get("role"), single.get("uri"), single.get("name"), digests)


def _digest(text: str, value: str) -> tuple[str, str]:
    algorithm, _, digest = value.partition(":")
    lengths = _DIGESTS.get(algorithm)
    if lengths is None:
        raise _invalid(text, f"the digest algorithm is one of {', '.join(_DIGESTS)}")
    if len(digest) not in lengths or not re.fullmatch(r"[0-9a-f]+", digest):
        raise _invalid(text, f"a {algorithm} digest has {' or '.join(map(str, lengths))} lowercase hex digits")
    return algorithm, digest


def _invalid(text: str, why: str) -> Exception:
    return error("MATERIAL_INVALID", f"the material {text!r}: {why}")
