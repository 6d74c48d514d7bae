"""Which services sign: the rules of sigstore_trustroot.proto, one by one."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from refusals import refusal, refused_with

from modelsign.signing.sigstore.services.rekor import Log
from modelsign.signing.sigstore.services.signing_config import choose_services, parse_signing_config

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TYPE = "application/vnd.dev.sigstore.signingconfig.v0.2+json"


def service(url, version=1, start="2020-01-01T00:00:00Z", end=None, operator="one"):
    valid = {"start": start, **({"end": end} if end else {})}
    return {"url": f"https://{url}.example", "majorApiVersion": version, "validFor": valid, "operator": operator}


def config(**changes):
    return {
        "mediaType": TYPE,
        "caUrls": [service("ca")],
        "oidcUrls": [service("oidc")],
        "rekorTlogUrls": [service("log")],
        "tsaUrls": [service("tsa")],
        "rekorTlogConfig": {"selector": "ANY"},
        "tsaConfig": {"selector": "ANY"},
        **changes,
    }


def chosen(**changes):
    return choose_services(config(**changes), now=NOW)


def names(services):
    return [url.removeprefix("https://").removesuffix(".example") for url in services]


def test_the_configuration_that_sigstore_ships_can_be_used():
    from modelsign.signing.sigstore.services.signing_config import Services  # noqa: PLC0415 - beside what it stands for

    text = json.dumps(config(unknownField=1)).encode()
    assert choose_services(parse_signing_config(text), now=NOW) == Services(
        "https://ca.example", "https://oidc.example", (Log("https://log.example", 1),), ("https://tsa.example",)
    )


def test_of_several_authorities_the_newest_that_is_valid_is_taken():
    several = [
        service("old"),
        service("new", start="2025-01-01T00:00:00Z"),
        service("next", start="2027-01-01T00:00:00Z"),
    ]
    assert names([chosen(caUrls=several).authority]) == ["new"]


@pytest.mark.parametrize(("end", "taken"), [("2026-06-01T00:00:00Z", True), ("2026-05-31T23:59:59Z", False)])
def test_both_ends_of_a_validity_belong_to_it(end, taken):
    one = service("ca", start="2026-06-01T00:00:00Z" if taken else "2020-01-01T00:00:00Z", end=end)
    if taken:
        assert chosen(caUrls=[one])
    else:
        assert refused_with(chosen, caUrls=[one]) == "SIGNING_CONFIG_NO_SERVICE"


def test_the_highest_known_version_is_taken_and_no_other():
    logs = [service("one", 1), service("two", 2), service("three", 3), service("zero", 0)]
    assert chosen(rekorTlogUrls=logs).logs == (Log("https://two.example", 2),)


SEVERAL = [service("a"), service("b", operator="two"), service("c", operator="three"), service("d")]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({"selector": "ANY"}, 1),
        ({"selector": "ALL"}, 3),
        ({"selector": "EXACT", "count": 2}, 2),
        ({"selector": 1}, 3),
        (None, 1),
    ],
)
def test_as_many_are_taken_as_the_selector_says_at_most_one_of_each_operator(selector, expected):
    assert len(chosen(tsaUrls=SEVERAL, tsaConfig=selector).timestamp_authorities) == expected
    assert len(chosen(rekorTlogUrls=SEVERAL, rekorTlogConfig=selector).logs) == expected


def test_too_few_for_an_exact_count_is_a_refusal():
    fault = refusal(chosen, tsaUrls=SEVERAL, tsaConfig={"selector": "EXACT", "count": 4})
    assert fault.code == "SIGNING_CONFIG_NO_SERVICE"
    assert "4" in fault.message
    assert "3" in fault.message


def test_a_log_that_proves_no_time_needs_a_timestamp_authority():
    assert refused_with(chosen, rekorTlogUrls=[service("log", 2)], tsaUrls=[]) == "SIGNING_CONFIG_NO_SERVICE"
    assert chosen(rekorTlogUrls=[service("log", 1)], tsaUrls=[]).timestamp_authorities == ()


def test_services_that_are_named_replace_the_listed_ones():
    named = {"logs": [Log("https://mine.example", 2)], "timestamp_authorities": ["http://clock.example"]}
    found = choose_services(config(rekorTlogUrls=[], tsaUrls=[]), now=NOW, **named)
    assert (found.logs, found.timestamp_authorities) == ((named["logs"][0],), ("http://clock.example",))
    code = refused_with(choose_services, config(), now=NOW, logs=[Log("http://mine.example", 1)])
    assert code == "NETWORK_URL_REFUSED"


@pytest.mark.parametrize("field", ["caUrls", "rekorTlogUrls"])
def test_without_an_authority_or_a_log_nobody_signs(field):
    assert refused_with(chosen, **{field: []}) == "SIGNING_CONFIG_NO_SERVICE"
    assert refused_with(chosen, **{field: None}) == "SIGNING_CONFIG_NO_SERVICE"


def test_without_an_identity_provider_nobody_logs_in():
    assert chosen(oidcUrls=[]).issuer is None


def test_services_are_asked_over_encrypted_lines_but_for_timestamps():
    open_line = {**service("x"), "url": "http://x.example"}
    assert refused_with(chosen, caUrls=[open_line]) == "NETWORK_URL_REFUSED"
    assert refused_with(chosen, rekorTlogUrls=[open_line]) == "NETWORK_URL_REFUSED"
    assert chosen(tsaUrls=[open_line]).timestamp_authorities == ("http://x.example",)


@pytest.mark.parametrize(
    "changes",
    [
        {"mediaType": None}, {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.1+json"},
        {"caUrls": {}}, {"caUrls": [1]}, {"caUrls": [{}]}, {"caUrls": [{"url": 1}]},
        {"caUrls": [service("x")] * 101}, {"caUrls": [{**service("x"), "majorApiVersion": "1"}]},
        {"caUrls": [{**service("x"), "majorApiVersion": True}]}, {"caUrls": [{**service("x"), "operator": 1}]},
        {"caUrls": [{**service("x"), "validFor": []}]}, {"caUrls": [{**service("x"), "validFor": {"start": "soon"}}]},
        {"caUrls": [{**service("x"), "validFor": {"start": 1}}]},
        {"tsaConfig": []}, {"tsaConfig": {"selector": "SOME"}}, {"tsaConfig": {"selector": "EXACT"}},
        {"tsaConfig": {"selector": "EXACT", "count": 0}}, {"tsaConfig": {"selector": "EXACT", "count": "2"}},
        {"tsaConfig": {"selector": True}}, {"tsaConfig": {"selector": []}},
    ],
)  # fmt: skip
def test_a_configuration_that_is_malformed_is_refused(changes):
    changed = {name: value for name, value in config(**changes).items() if value is not None}
    assert refused_with(choose_services, changed, now=NOW) == "SIGNING_CONFIG_MALFORMED"


@pytest.mark.parametrize("data", [b"", b"[]", b"nonsense", b'{"a": 1, "a": 2}', b"\xff"])
def test_what_is_no_configuration_is_refused(data):
    assert refused_with(parse_signing_config, data) == "SIGNING_CONFIG_MALFORMED"
