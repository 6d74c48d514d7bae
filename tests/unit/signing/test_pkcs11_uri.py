"""PKCS#11 URIs say which key, and never more than was understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusal, refused_with

from modelsign.errors import ModelsignError
from modelsign.signing.pkcs11_uri import Pkcs11Uri, parse_pkcs11_uri


def test_every_attribute_of_rfc_7512_is_read() -> None:
    uri = parse_pkcs11_uri(
        "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;serial=;model=1.0;"
        "slot-description=Sun%20Metaslot;slot-manufacturer=x;slot-id=327;library-manufacturer=Snake;"
        "library-description=%C3%A9;library-version=1.2;object=my-signing-key;type=private;id=%69%95%3E%00"
        "?module-path=/usr/lib/libmypkcs11.so&module-name=name&pin-source=file:/etc/token_pin"
    )
    assert uri.texts == {
        "token": "The Software PKCS#11 Softtoken",
        "manufacturer": "Snake Oil, Inc.",
        "serial": "",
        "model": "1.0",
        "slot-description": "Sun Metaslot",
        "slot-manufacturer": "x",
        "library-manufacturer": "Snake",
        "library-description": "é",
    }
    assert (uri.label, uri.id, uri.slot_id, uri.library_version) == ("my-signing-key", b"i\x95>\0", 327, (1, 2))
    assert (uri.module_name, uri.module_path) == ("name", "/usr/lib/libmypkcs11.so")
    assert (uri.pin_file, uri.pin) == ("/etc/token_pin", None)


def test_the_shortest_uri_names_a_key_and_nothing_else() -> None:
    assert parse_pkcs11_uri("pkcs11:object=a") == Pkcs11Uri(texts={}, label="a")
    assert parse_pkcs11_uri("pkcs11:id=%01?") == Pkcs11Uri(texts={}, id=b"\x01")
    assert parse_pkcs11_uri("pkcs11:object=a;library-version=3").library_version == (3, None)


@pytest.mark.parametrize(
    "source", ["/run/pin", "file:/run/pin", "file:///run/pin", "file://localhost/run/pin", "file:%2Frun%2Fpin"]
)
def test_a_pin_source_is_a_file_with_an_absolute_path(source: str) -> None:
    assert parse_pkcs11_uri(f"pkcs11:object=a?pin-source={source}").pin_file == "/run/pin"


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "pkcs11",
        "PKCS11:object=a",
        "pkcs11:",
        "pkcs11:token=a",
        "pkcs11:object",
        "pkcs11:object=a;",
        "pkcs11:object=a;object=b",
        "pkcs11:object=a;colour=red",
        "pkcs11:object=a;x-vendor=1",
        "pkcs11:object=a;OBJECT=b",
        "pkcs11:object=a;module-path=/x",
        "pkcs11:object=a;type=cert",
        "pkcs11:object=a b",
        "pkcs11:object=%zz",
        "pkcs11:object=%4",
        "pkcs11:object=%ff",
        "pkcs11:object=a%00b",
        "pkcs11:object=é",
        "pkcs11:object=a;slot-id=x",
        "pkcs11:object=a;slot-id=%D9%A1",
        "pkcs11:object=a;slot-id=-1",
        "pkcs11:object=a;library-version=1.2.3",
        "pkcs11:object=a;library-version=%D9%A1",
        "pkcs11:object=a?module-path=lib.so",
        "pkcs11:object=a?module-name=../x",
        "pkcs11:object=a?pin-source=|cat",
        "pkcs11:object=a?pin-source=pin",
        "pkcs11:object=a?pin-source=file:pin",
        "pkcs11:object=a?pin-source=https://example.org/pin",
        "pkcs11:object=a?pin-source=/x&pin-value=1",
        "pkcs11:object=a?token=b",
        "pkcs11:object=" + "a" * 5000,
    ],
)
def test_what_was_not_understood_is_refused(uri: str) -> None:
    fault = refusal(parse_pkcs11_uri, uri, pin_allowed=True)
    assert (fault.code, fault.exit_status) == ("PKCS11_URI_INVALID", 2)


def test_a_pin_in_a_uri_that_others_see_is_refused_and_not_repeated() -> None:
    fault = refusal(parse_pkcs11_uri, "pkcs11:object=a?pin-value=hunter2")
    assert (fault.code, fault.exit_status) == ("PKCS11_PIN_EXPOSED", 2)
    assert "hunter2" not in f"{fault.message} {fault.advice}"
    assert parse_pkcs11_uri("pkcs11:object=a?pin-value=hunter2", pin_allowed=True).pin == b"hunter2"


def test_a_pin_is_never_shown() -> None:
    uri = parse_pkcs11_uri("pkcs11:object=a?pin-value=hunter2", pin_allowed=True)
    assert "hunter2" not in repr(uri)
    assert "hunter2" not in refusal(parse_pkcs11_uri, "pkcs11:object=a?pin-value=hunter2 ", pin_allowed=True).message
    assert refused_with(parse_pkcs11_uri, "pkcs11:object=a?pin-value=a&pin-value=b") == "PKCS11_URI_INVALID"


@given(
    st.text(max_size=80).map(lambda text: f"pkcs11:{text}")
    | st.from_regex(r"pkcs11:([a-z-]{1,9}=[%a-f0-9]{0,6}[;&?]){0,4}")
)
def test_any_text_is_a_uri_or_refused(text: str) -> None:
    try:
        parse_pkcs11_uri(text)
    except ModelsignError as fault:
        assert fault.code in {"PKCS11_URI_INVALID", "PKCS11_PIN_EXPOSED"}  # noqa: PT017 - few texts are URIs
