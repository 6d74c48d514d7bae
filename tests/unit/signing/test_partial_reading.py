"""Lazy verification: each file, range or tensor is compared with what was signed before a byte is returned."""

from __future__ import annotations

import json
import os
import struct
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import build, refused_with

from modelsign.artifact.manifest import Serialization
from modelsign.artifact.model import open_artifact
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.keys import generate
from modelsign.signing.oms import parse_statement
from modelsign.signing.partial import LocalBytes, open_signed
from modelsign.signing.revocation import Revocations
from modelsign.signing.revocation_list import RevocationList, Revoked
from modelsign.signing.sign import sign_model
from modelsign.signing.verify import VerifyOptions
from modelsign.verdict import VerifyVerdict

if TYPE_CHECKING:
    from pathlib import Path

    from modelsign.signing.partial import SignedFiles

KEY, OTHER = generate(), generate()
NUMBERS = {"first": (1.0, 2.0), "second": (3.0, 4.0, 5.0), "empty": ()}


def safetensors() -> bytes:
    header, at = {}, 0
    for name, values in NUMBERS.items():
        header[name] = {"dtype": "F64", "shape": [len(values)], "data_offsets": [at, at + 8 * len(values)]}
        at += 8 * len(values)
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    data = b"".join(struct.pack(f"<{len(values)}d", *values) for values in NUMBERS.values())
    return struct.pack("<Q", len(text)) + text + data


CONTENTS = {"model.safetensors": safetensors(), "big/w": os.urandom(2_500_000), "config.json": b"{}"}
SHARDS = Serialization("sha256", 64)
LARGE_SHARDS = Serialization("blake3", 1_100_000)
SERIALIZATIONS = [Serialization(), Serialization("blake2b"), SHARDS, LARGE_SHARDS]
ids = {"ids": lambda value: f"{value.algorithm}-{value.shard_size}"}


class Remote:
    """A server of ranges that keeps what it was asked for; it may lie."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents = contents
        self.asked: list[tuple[str, int, int]] = []

    def size(self, name: str) -> int:
        return len(self.contents[name])

    def read(self, name: str, start: int, end: int) -> bytes:
        self.asked.append((name, start, end))
        return self.contents[name][start:end]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[Serialization, bytes]:
    model = build(tmp_path_factory.mktemp("p") / "m", CONTENTS)
    with open_artifact(model) as artifact:
        return {each: sign_model(artifact, KEY, serialization=each).bundle for each in SERIALIZATIONS}


@pytest.fixture(params=SERIALIZATIONS, **ids)
def signed(bundles: dict[Serialization, bytes], request: pytest.FixtureRequest) -> SignedFiles:
    return open_signed(bundles[request.param], [KEY.public])


def test_files_ranges_and_tensors_are_returned_verified(signed: SignedFiles) -> None:
    remote = Remote(CONTENTS)
    assert signed.names == tuple(sorted(CONTENTS))
    for name, content in CONTENTS.items():
        assert signed.read(remote, name) == content
        assert signed.read(remote, name, 1, 3) == content[1:3]
        assert signed.read(remote, name, len(content) - 1, 10**9) == content[-1:]
        assert signed.read(remote, name, 10**9) == b""
    tensor = signed.tensor(remote, "model.safetensors", "second")
    assert (tensor.dtype, tensor.shape) == ("F64", (3,))
    assert struct.unpack("<3d", tensor.data) == NUMBERS["second"]
    assert signed.tensor(remote, "model.safetensors", "empty").data == b""
    with pytest.raises(KeyError):
        signed.tensor(remote, "model.safetensors", "third")


def test_nothing_is_said_of_the_model_but_partial(signed: SignedFiles) -> None:
    remote = Remote(CONTENTS)
    assert signed.result().verdict is VerifyVerdict.PARTIAL
    signed.check(remote, "config.json")
    signed.read(remote, "big/w", 0, 1)
    assert signed.unchecked == ("big/w", "model.safetensors")
    for name in signed.names:
        signed.check(remote, name)
    result = signed.result()
    assert (result.verdict, result.files.unchecked, result.files.checked) == (VerifyVerdict.PARTIAL, (), 3)
    assert (result.root_digest, result.tree_digest) == (None, None)
    assert [signer.key_digest for signer in result.signers] == [KEY.public.digest]
    assert "the model as a whole is not verified" in result.warnings[0]


def test_shards_read_no_more_than_what_a_range_touches(bundles: dict[Serialization, bytes]) -> None:
    remote = Remote(CONTENTS)
    signed = open_signed(bundles[LARGE_SHARDS], [KEY.public])
    assert signed.read(remote, "big/w", 1_099_999, 1_100_001) == CONTENTS["big/w"][1_099_999:1_100_001]
    assert max(end for _, _, end in remote.asked) == 2_200_000
    remote.asked.clear()
    signed.read(remote, "big/w", 2_300_000, 2_300_001)
    assert min(start for _, start, _ in remote.asked) == 2_200_000


def test_a_change_is_refused_where_it_is_read_and_nowhere_else(bundles: dict[Serialization, bytes]) -> None:
    content = bytearray(CONTENTS["big/w"])
    content[2_400_000] ^= 1
    remote = Remote({**CONTENTS, "big/w": bytes(content)})
    signed = open_signed(bundles[LARGE_SHARDS], [KEY.public])
    assert signed.read(remote, "big/w", 0, 10) == CONTENTS["big/w"][:10]
    assert refused_with(signed.read, remote, "big/w", 2_200_000, 2_200_001) == "FILE_CHANGED"
    assert refused_with(signed.check, remote, "big/w") == "FILE_CHANGED"
    result = signed.result()
    assert (result.verdict, result.files.changed) == (VerifyVerdict.REFUSED, ("big/w",))
    whole = open_signed(bundles[SERIALIZATIONS[0]], [KEY.public])
    assert refused_with(whole.read, remote, "big/w", 0, 10) == "FILE_CHANGED"


@pytest.mark.parametrize("content", [b"", CONTENTS["big/w"][:-1], CONTENTS["big/w"] + b"0"])
def test_a_file_cut_short_or_appended_to_is_refused(signed: SignedFiles, content: bytes) -> None:
    remote = Remote({**CONTENTS, "big/w": content})
    assert refused_with(signed.check, remote, "big/w") == "FILE_CHANGED"
    assert "big/w" in signed.unchecked


def test_a_file_nobody_signed_is_refused(signed: SignedFiles) -> None:
    assert refused_with(signed.read, Remote({"x": b"x"}), "x") == "FILE_UNSIGNED"
    assert refused_with(signed.read, Remote(CONTENTS), "config.json", 2, 1) == "ARGUMENT_INVALID"
    assert refused_with(signed.read, Remote(CONTENTS), "config.json", -1) == "ARGUMENT_INVALID"


def test_a_folder_on_disk_is_a_source_and_a_missing_file_is_missing(
    tmp_path: Path, bundles: dict[Serialization, bytes]
) -> None:
    model = build(tmp_path / "m", {"config.json": b"{}", "model.safetensors": CONTENTS["model.safetensors"]})
    with open_artifact(model) as artifact:
        local = LocalBytes(artifact)
        signed = open_signed(bundles[SHARDS], [KEY.public])
        assert signed.read(local, "config.json") == b"{}"
        assert signed.tensor(local, "model.safetensors", "first").shape == (2,)
        assert refused_with(signed.check, local, "big/w") == "FILE_MISSING"
        (model / "config.json").write_bytes(b"[]")
        assert refused_with(signed.read, local, "config.json") == "FILE_CHANGED"


def test_all_that_are_named_must_have_signed_and_all_must_agree(
    tmp_path: Path, bundles: dict[Serialization, bytes]
) -> None:
    model = build(tmp_path / "m", {**CONTENTS, "config.json": b"[]"})
    with open_artifact(model) as artifact:
        other = sign_model(artifact, OTHER, serialization=SHARDS).bundle
    both = [bundles[SERIALIZATIONS[0]], other]
    keys = [KEY.public, OTHER.public]
    assert refused_with(open_signed, both[:1], keys) == "SIGNATURES_TOO_FEW"
    signed = open_signed(both, keys)
    assert signed.read(Remote(CONTENTS), "big/w", 5, 9) == CONTENTS["big/w"][5:9]
    assert refused_with(signed.read, Remote(CONTENTS), "config.json") == "FILE_CHANGED"
    one = open_signed([b"{}", *both], keys[:1])
    assert one.read(Remote(CONTENTS), "config.json") == b"{}"
    assert len(one.result().warnings) == 3


def test_without_a_good_signature_nothing_is_opened(bundles: dict[Serialization, bytes]) -> None:
    bundle = bundles[SHARDS]
    assert refused_with(open_signed, bundle, [OTHER.public]) == "SIGNATURE_WRONG_KEY"
    assert refused_with(open_signed, bundle, []) == "NO_TRUST_SOURCE"
    assert refused_with(open_signed, [], [KEY.public]) == "SIGNATURE_MISSING"
    tree = str(parse_statement(parse_bundle(bundle).payload).tree_digest)
    then = datetime(2026, 1, 1, tzinfo=UTC)
    revoked = Revocations([RevocationList(1, then, then, (Revoked("model", tree, "backdoor", then),))])
    refused = refused_with(open_signed, bundle, [KEY.public], options=VerifyOptions(revocations=revoked))
    assert refused == "MODEL_REVOKED"


def test_a_single_file_is_known_by_its_name(tmp_path: Path) -> None:
    path = build(tmp_path, {"w.bin": "0123456789"}) / "w.bin"
    with open_artifact(path) as artifact:
        for dotted in (True, False):
            bundle = sign_model(artifact, KEY, whole_model_name=dotted, serialization=Serialization("sha256", 4)).bundle
            signed = open_signed(bundle, [KEY.public])
            assert signed.names == ("w.bin",)
            assert signed.read(LocalBytes(artifact), "w.bin", 3, 5) == b"34"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 2) + b"{",
        struct.pack("<Q", 9) + b'{"a": 1} ',
        b"%b%b" % (struct.pack("<Q", 56), b'{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}  '),
        b"%b%b" % (struct.pack("<Q", 56), b'{"a":{"dtype":"F64","shape":[1],"data_offsets":[8,0]}}  '),
    ],
)
def test_a_header_that_cannot_be_read_has_no_tensors(tmp_path: Path, content: bytes) -> None:
    model = build(tmp_path / "m", {"w": content, "x": b"x"})
    with open_artifact(model) as artifact:
        signed = open_signed(sign_model(artifact, KEY).bundle, [KEY.public])
        assert refused_with(signed.tensors, LocalBytes(artifact), "w") == "TENSORS_MALFORMED"


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 90), st.integers(0, 255))
def test_any_range_of_any_shards_is_exact_or_refused(start: int, length: int, step: int, flipped: int) -> None:
    content = bytes(range(256))
    statement = _listing(content, step)
    assert statement.read(Remote({"w": content}), "w", start, start + length) == content[start : start + length]
    changed = bytearray(content)
    changed[flipped] ^= 1
    touched = range(start // step * step, -(-min(start + length, 256) // step) * step) if start < 256 and length else ()
    source = Remote({"w": bytes(changed)})
    if flipped in touched:
        assert refused_with(statement.read, source, "w", start, start + length) == "FILE_CHANGED"
    else:
        assert statement.read(source, "w", start, start + length) == content[start : start + length]


def _listing(content: bytes, step: int) -> SignedFiles:
    import hashlib  # noqa: PLC0415

    from modelsign.signing.dsse import IN_TOTO  # noqa: PLC0415
    from modelsign.signing.methods.key import KeySealer  # noqa: PLC0415
    from modelsign.signing.oms import write_statement  # noqa: PLC0415

    digests = {
        f"w:{start}:{end}": hashlib.sha256(content[start:end]).hexdigest()
        for start, end in Serialization("sha256", step).spans(len(content))
    }
    payload = write_statement("m", digests, tree=None, serialization=Serialization("sha256", step))
    return open_signed(KeySealer(KEY).seal(IN_TOTO, payload).bundle, [KEY.public])


class Endless(Remote):
    """A server that says a file is huge, and has bytes for all of it."""

    def __init__(self, size: int, *, then: int | None = None) -> None:
        super().__init__({})
        self.sizes = [size] if then is None else [size, then]
        self.given = 0

    def size(self, name: str) -> int:
        del name
        return self.sizes[0] if len(self.sizes) == 1 else self.sizes.pop(0)

    def read(self, name: str, start: int, end: int) -> bytes:
        del name
        self.given += end - start
        return bytes(end - start)


def peak_of(read) -> int:
    tracemalloc.start()
    try:
        read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_source_that_never_ends_takes_no_memory(bundles):
    signed, source = open_signed(bundles[Serialization()], [KEY.public]), Endless(1 << 28)
    peak = peak_of(lambda: refused_with(signed.read, source, "config.json"))
    assert source.given == 1 << 28
    assert peak < 16 << 20


def test_a_source_that_changes_its_mind_about_a_size_is_read_as_it_said_first(bundles):
    signed, source = open_signed(bundles[Serialization()], [KEY.public]), Endless(100, then=1 << 40)
    assert refused_with(signed.read, source, "config.json") == "FILE_CHANGED"
    assert source.given == 100


def test_reading_a_file_takes_twice_its_bytes_at_most(tmp_path):
    size = 80 << 20
    model = build(tmp_path / "m", {"w": bytes(size)})
    with open_artifact(model) as artifact:
        signed = open_signed([sign_model(artifact, KEY).bundle], [KEY.public])
        peak = peak_of(lambda: signed.read(LocalBytes(artifact), "w"))
    assert peak <= 2 * size + (16 << 20)
