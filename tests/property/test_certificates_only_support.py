"""Certificates in a bundle only ever support: none that is added or removed makes a refusal an acceptance."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from certificatelab import CA, DAY, LEAF, NAMES, NOW, Authority
from hypothesis import given
from hypothesis import strategies as st

from modelsign.errors import ModelsignError
from modelsign.signing.bundle import parse_bundle, write_bundle
from modelsign.signing.dsse import IN_TOTO, Envelope, pae
from modelsign.signing.methods.certificate import CertificateTrust
from modelsign.signing.x509.identity import exact_identity

if TYPE_CHECKING:
    from pathlib import Path

    from certificatelab import Issued, Lab

    from modelsign.signing.bundle import Bundle

WHO = exact_identity("ci@example.org")


class World:
    """Signed bundles that a verifier accepts or refuses, and certificates to throw in."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        old = Authority(folder, "old", lab.root, start=NOW - 20 * DAY, end=NOW - DAY)
        fake = Authority(folder, "fake", lab.root, extensions=LEAF)
        crossed = lab.stranger.issue(
            "crossed", subject="/O=Acme/CN=middle", extensions=CA, key=lab.middle.issued.key_path
        )
        other = lab.special("someone", LEAF + NAMES.replace("ci@", "someone@"))
        server = lab.special("for servers", LEAF.replace("codeSigning", "serverAuth") + NAMES)
        leaves = [
            lab.leaf,
            other,
            server,
            old.issue("leaf"),
            fake.issue("leaf"),
            lab.stranger.issue("leaf"),
            lab.middle.issue("late", start=NOW - 9 * DAY, end=NOW - DAY),
        ]
        self.good = 0
        self.leaves = [seal(leaf) for leaf in leaves]
        between = (old, fake, lab.middle, lab.root, lab.stranger, crossed, *leaves)
        self.certificates = [entry.certificate.der for entry in between]
        self.needed = lab.middle.certificate.der
        self.trust = CertificateTrust((lab.root.certificate,), WHO, NOW)

    def accepts(self, number: int, extra: list[int]) -> bool:
        bundle = self.leaves[number]
        chain = (bundle.material.certificates[0], *(self.certificates[index] for index in extra))
        try:
            self.trust.vouch(bundle._replace(material=bundle.material._replace(certificates=chain)))
        except ModelsignError:
            return False
        return True


def seal(leaf: Issued) -> Bundle:
    """Sign with a leaf's own key, whether or not a sealer would."""
    envelope = Envelope(IN_TOTO, b"{}", leaf.key.sign(pae(IN_TOTO, b"{}")))
    return parse_bundle(write_bundle(envelope, chain=(leaf.certificate.der,)))


@functools.cache
def world(lab: Lab, folder: Path) -> World:
    return World(lab, folder)


@given(data=st.data())
def test_nothing_thrown_in_helps_a_leaf_that_is_refused(lab: Lab, data: st.DataObject) -> None:
    here = world(lab, lab.folder / "property")
    number = data.draw(st.integers(0, len(here.leaves) - 1))
    extra = data.draw(st.lists(st.integers(0, len(here.certificates) - 1), max_size=8))
    accepted = here.accepts(number, extra)
    assert accepted is (number == here.good and here.needed in [here.certificates[index] for index in extra])
