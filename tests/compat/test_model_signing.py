"""Both ways with the reference implementation, run as its users run it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from refusals import build

from modelsign.artifact.manifest import Serialization
from modelsign.artifact.model import open_artifact
from modelsign.artifact.names import path_part_order
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.evidence import bundle_place
from modelsign.signing.keys import generate
from modelsign.signing.oms import parse_statement
from modelsign.signing.sign import sign_model
from modelsign.signing.validity import Validity
from modelsign.signing.verify import VerifyOptions, verify_model

if TYPE_CHECKING:
    from pathlib import Path

    from modelsign.signing.keys import SigningKey
    from modelsign.verdict import VerifyResult

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("model_signing") is None, reason="model_signing is not installed"),
]

CURVES = ("ecdsa-p256-sha256", "ecdsa-p384-sha384", "ecdsa-p521-sha512")
# The two orders of resources differ for these names, and git's names are left out by default.
FILES = {"A": "1", "a-b": "2", "a.txt": "3", "a/b": "4", "é x": "5", ".gitattributes": "* text", "empty": ""}


def reference(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    files = {name: content for name, content in FILES.items() if name != "A"} | {"Z": "1"}
    return build(tmp_path / "my model", files)


def keys(folder: Path, algorithm: str) -> SigningKey:
    key = generate(algorithm)
    (folder / "key").write_bytes(key.pem())
    (folder / "pub").write_bytes(key.public.pem)
    return key


def sign(model: Path, key: SigningKey, *, whole_model_name: bool = False) -> Path:
    with open_artifact(model) as artifact:
        done = sign_model(artifact, key, whole_model_name=whole_model_name)
    place = model.parent / "out.sig" if model.is_file() else model / "model.sig"
    place.write_bytes(done.bundle)
    assert str(place) == bundle_place(model) or model.is_file()
    return place


def verify(model: Path, place: Path, key: SigningKey, **options: Any) -> VerifyResult:
    with open_artifact(model, bundles=[place]) as artifact:
        return verify_model(artifact, place.read_bytes(), [key.public], options=VerifyOptions(**options))


@pytest.mark.parametrize("algorithm", CURVES)
def test_the_reference_verifies_what_is_signed_here(model: Path, tmp_path: Path, algorithm: str) -> None:
    key = keys(tmp_path, algorithm)
    place = sign(model, key)
    words = ("verify", "key", model, "--signature", place, "--public_key", tmp_path / "pub")
    answer = reference(*words)
    assert answer.returncode == 0, answer.stderr
    (model / "a-b").write_text("changed")
    assert reference(*words).returncode != 0


@pytest.mark.parametrize("algorithm", CURVES)
def test_what_the_reference_signs_verifies_here(model: Path, tmp_path: Path, algorithm: str) -> None:
    key = keys(tmp_path, algorithm)
    place = model / "model.sig"
    answer = reference("sign", "key", model, "--signature", place, "--private_key", tmp_path / "key")
    assert answer.returncode == 0, answer.stderr
    names = parse_statement(parse_bundle(place.read_bytes()).payload).names
    assert list(names) == sorted(names, key=path_part_order) != sorted(names)
    result = verify(model, place, key)
    assert (result.reasons, result.oms, result.format) == ((), False, "oms-v1.0")
    assert result.root_digest == result.signed_root_digest
    (model / "a-b").write_text("changed")
    assert [reason.code for reason in verify(model, place, key).reasons] == ["FILE_CHANGED"]


def test_a_signature_kept_outside_the_model_works_both_ways(model: Path, tmp_path: Path) -> None:
    key = keys(tmp_path, CURVES[0])
    place = tmp_path / "theirs.sig"
    assert reference("sign", "key", model, "--signature", place, "--private_key", tmp_path / "key").returncode == 0
    assert verify(model, place, key).reasons == ()
    ours = sign(model, key).rename(tmp_path / "ours.sig")
    answer = reference("verify", "key", model, "--signature", ours, "--public_key", tmp_path / "pub")
    assert answer.returncode == 0, answer.stderr


def test_further_evidence_in_the_model_does_not_disturb_the_reference(model: Path, tmp_path: Path) -> None:
    key = keys(tmp_path, CURVES[0])
    place = sign(model, key)
    build(model, {"model.sig.d/again.sig": place.read_bytes(), "model.intoto.jsonl": place.read_bytes() + b"\n"})
    answer = reference("verify", "key", model, "--signature", place, "--public_key", tmp_path / "pub")
    assert answer.returncode == 0, answer.stderr
    assert verify(model, place, key).reasons == ()


def test_links_inside_a_model_work_both_ways(model: Path, tmp_path: Path) -> None:
    key = keys(tmp_path, CURVES[0])
    (model / "link").symlink_to("a.txt")
    with open_artifact(model, allow_symlinks=True) as artifact:
        (model / "model.sig").write_bytes(sign_model(artifact, key).bundle)
    words = ("verify", "key", model, "--signature", model / "model.sig", "--public_key", tmp_path / "pub")
    answer = reference(*words, "--allow_symlinks")
    assert answer.returncode == 0, answer.stderr


def test_files_under_gits_names_that_the_reference_signed_are_checked(model: Path, tmp_path: Path) -> None:
    key = keys(tmp_path, CURVES[0])
    place = model / "model.sig"
    words = ("sign", "key", model, "--signature", place, "--private_key", tmp_path / "key", "--no-ignore-git-paths")
    assert reference(*words).returncode == 0
    assert verify(model, place, key).reasons == ()
    (model / ".gitattributes").write_text("changed")
    assert [reason.code for reason in verify(model, place, key).reasons] == ["FILE_CHANGED"]


def test_a_single_file_the_reference_signed_verifies_here_under_its_name_only(model: Path, tmp_path: Path) -> None:
    key = keys(tmp_path, CURVES[0])
    place = tmp_path / "x.sig"
    words = ("sign", "key", model / "a.txt", "--signature", place, "--private_key", tmp_path / "key")
    assert reference(*words).returncode == 0
    assert verify(model / "a.txt", place, key).reasons == ()
    (model / "a.txt").rename(model / "a.pkl")
    assert verify(model / "a.pkl", place, key).reasons[0].code == "MODEL_RENAMED"


def test_a_single_file_signed_here_verifies_there_only_under_the_name_it_wants(model: Path, tmp_path: Path) -> None:
    """OMS names a single file by its base name, the reference `.`; docs/decisions/single-file-names.md."""
    key = keys(tmp_path, CURVES[0])
    path = model / "a.txt"
    dotted = sign(path, key, whole_model_name=True)
    words = ("verify", "key", path, "--signature", dotted, "--public_key", tmp_path / "pub")
    answer = reference(*words)
    assert answer.returncode == 0, answer.stderr
    assert verify(path, dotted, key).reasons == ()
    sign(path, key)
    assert reference(*words).returncode != 0


SHARDED = """
import pathlib, sys
from model_signing import hashing, signing
model, key, out = map(pathlib.Path, sys.argv[1:4])
config, algorithm = hashing.Config(), sys.argv[5]
if sys.argv[4] == "shards":
    config.use_shard_serialization(hashing_algorithm=algorithm, shard_size=3)
else:
    config.use_file_serialization(hashing_algorithm=algorithm)
signing.Config().use_elliptic_key_signer(private_key=key).set_hashing_config(config).sign(model, out)
"""


@pytest.mark.parametrize("algorithm", ["sha256", "blake2", "blake3"])
@pytest.mark.parametrize("method", ["files", "shards"])
@pytest.mark.parametrize("single", [False, True])
def test_every_manifest_of_the_reference_verifies_here(
    tmp_path: Path, method: str, algorithm: str, *, single: bool
) -> None:
    """Its shards have a float for a size, another name for the algorithm, and its own order; it cannot read them."""
    names = {"Z": "1234567", "a-b": "22", "a/b": "333", "é:0:x": "4444", "é/y": "55555"}
    model = build(tmp_path / "m", names)
    changed = model / "Z"
    path = changed if single else model
    key = keys(tmp_path, CURVES[0])
    place = tmp_path / "x.sig"
    words = [sys.executable, "-c", SHARDED, path, tmp_path / "key", place, method, algorithm]
    answer = subprocess.run(words, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    statement = parse_statement(parse_bundle(place.read_bytes()).payload)
    sharded = method == "shards" and algorithm != "blake3"  # asked for shards of BLAKE3 it writes whole files
    assert statement.shard_size == (3 if sharded else None)
    result = verify(path, place, key)
    assert (result.reasons, result.oms) == ((), False)
    assert result.tree_digest is not None
    changed.write_text("1234568")
    assert [reason.code for reason in verify(path, place, key).reasons] == ["FILE_CHANGED"]


VERIFY_AGAIN = """
import pathlib, sys
from model_signing import hashing, verifying
model, key, signature = map(pathlib.Path, sys.argv[1:4])
config = hashing.Config()
if sys.argv[4] == "shards":
    config.use_shard_serialization(hashing_algorithm=sys.argv[5], shard_size=3)
else:
    config.use_file_serialization(hashing_algorithm=sys.argv[5])
checker = verifying.Config().use_elliptic_key_verifier(public_key=key).set_hashing_config(config)
checker.verify(model, signature)
"""


@pytest.mark.parametrize("algorithm", ["sha256", "blake2", "blake3"])
def test_the_reference_verifies_other_hashes_of_ours_where_it_is_told_which(tmp_path: Path, algorithm: str) -> None:
    model = build(tmp_path / "m", {"A": "1234567", "b/c": "22", "empty": ""})
    key = keys(tmp_path, CURVES[0])
    with open_artifact(model) as artifact:
        serialization = Serialization(algorithm.replace("blake2", "blake2b"))
        (model / "model.sig").write_bytes(sign_model(artifact, key, serialization=serialization).bundle)
    words = [sys.executable, "-c", VERIFY_AGAIN, model, tmp_path / "pub", model / "model.sig", "files", algorithm]
    answer = subprocess.run(words, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    (model / "A").write_text("1234568")
    assert subprocess.run(words, capture_output=True, text=True, check=False).returncode != 0


def test_the_reference_verifies_a_signature_that_expires_and_does_not_enforce_it(model: Path, tmp_path: Path) -> None:
    """The times stand in the subject's annotations; docs/decisions/expiry-stands-in-annotations.md."""
    key = keys(tmp_path, CURVES[0])
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    with open_artifact(model) as artifact:
        done = sign_model(artifact, key, validity=Validity(long_ago, long_ago + timedelta(days=1)))
    assert done.oms
    place = model / "model.sig"
    place.write_bytes(done.bundle)
    answer = reference("verify", "key", model, "--signature", place, "--public_key", tmp_path / "pub")
    assert answer.returncode == 0, answer.stderr
    assert [reason.code for reason in verify(model, place, key, now=datetime.now(UTC)).reasons] == ["SIGNATURE_EXPIRED"]
