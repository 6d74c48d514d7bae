"""OMS v1.0, section 8: the verification procedure."""

from __future__ import annotations

import omsbundles
import pytest
from omsbundles import FILES, Statement, sealed
from refusals import refused_with

from modelsign.signing.keys import generate


@pytest.mark.oms("8.2-key")
def test_a_signature_is_checked_with_the_key_that_was_named(verify, refused, model, key) -> None:
    bundle = sealed(Statement(), key)
    assert verify(model, bundle).reasons == ()
    assert refused(model, bundle, by=generate().public) == ["SIGNATURE_WRONG_KEY"]
    forged = sealed(Statement(), key, signature=key.sign(b"other"))
    assert refused(model, forged) == ["SIGNATURE_INVALID"]


@pytest.mark.oms("8.2-key")
def test_the_payload_is_not_looked_at_before_the_signature_is_right(refused, model, key) -> None:
    assert refused(model, sealed(b"not json", key, signature=key.sign(b"other"))) == ["SIGNATURE_INVALID"]
    assert refused(model, sealed(b"not json", key)) == ["MANIFEST_MALFORMED"]


@pytest.mark.oms("8.4-steps")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda model: (model / "weights.bin").write_bytes(b"other"), "FILE_CHANGED"),
        (lambda model: (model / "weights.bin").write_bytes(b""), "FILE_CHANGED"),
        (lambda model: (model / "weights.bin").unlink(), "FILE_MISSING"),
        (lambda model: omsbundles.put(model, {"more": b"x"}), "FILE_UNSIGNED"),
        (lambda model: omsbundles.put(model, {"sub/more": b"x"}), "FILE_UNSIGNED"),
    ],
)
def test_whatever_differs_from_the_manifest_is_a_failure(refused, model, key, change, code) -> None:
    change(model)
    assert refused(model, sealed(Statement(), key)) == [code]


@pytest.mark.oms("8.4-failure")
def test_a_model_that_cannot_be_enumerated_fails(verify, model, key) -> None:
    (model / "link").symlink_to("nowhere")
    assert refused_with(verify, model, sealed(Statement(), key)) == "LINK_DANGLING"


@pytest.mark.oms("8.5-default")
def test_unsigned_files_fail_by_default(refused, model, key) -> None:
    omsbundles.put(model, {"README.md": b"text"})
    assert refused(model, sealed(Statement(), key)) == ["FILE_UNSIGNED"]


@pytest.mark.oms("8.5-ignored")
def test_unsigned_files_are_listed_when_asked_for_and_signed_ones_still_checked(verify, refused, model, key) -> None:
    bundle = sealed(Statement(), key)
    omsbundles.put(model, {"more.bin": b"\x80\x04N."})
    assert refused(model, bundle, ignore_unsigned_files=True) == ["UNSIGNED_LOADABLE"]
    asked = {"ignore_unsigned_files": True, "unsigned_loadable": True}
    result = verify(model, bundle, **asked)
    assert (result.reasons, result.files.unsigned) == ((), ("more.bin",))
    (model / next(iter(FILES))).write_bytes(b"other")
    assert refused(model, bundle, **asked) == ["FILE_CHANGED"]
