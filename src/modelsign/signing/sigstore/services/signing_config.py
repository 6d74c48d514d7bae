"""Which services sign: a Sigstore signing configuration, and the choice among what it lists.

Follows ``SigningConfig`` v0.2 of sigstore/protobuf-specs (``sigstore_trustroot.proto``), whose rules say which of
several services a client takes: one of each operator, of the highest version it speaks, valid at this time (both ends
included), the newest first, and as many as the selector says. Unknown fields are passed over.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from modelsign import limits, strictjson, timestamp
from modelsign.errors import error
from modelsign.signing.sigstore.services.rekor import Log
from modelsign.transport import check_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsign.errors import ModelsignError

__all__ = ["Services", "choose_services", "parse_signing_config"]

_MEDIA_TYPE: Final = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
_MOST: Final = 100
_SHOWN: Final = 100
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SELECTORS: Final = {"ALL": "ALL", "ANY": "ANY", "EXACT": "EXACT", 1: "ALL", 2: "ANY", 3: "EXACT"}

_Object = dict[str, object]


class Services(NamedTuple):
    """The services of one signature. ``issuer`` is where a person logs in; None where nobody can."""

    authority: str
    issuer: str | None
    logs: tuple[Log, ...]
    timestamp_authorities: tuple[str, ...]


class _Service(NamedTuple):
    url: str
    version: int
    start: datetime
    end: datetime | None
    operator: str


def parse_signing_config(data: bytes) -> Mapping[str, object]:
    """Read a signing configuration.

    Raises:
        ModelsignError: ``SIGNING_CONFIG_MALFORMED``.

    """
    return _object(
        strictjson.loads(
            data,
            most_bytes=limits.TRUST_ROOT_BYTES,
            what="signing configuration",
            code="SIGNING_CONFIG_MALFORMED",
        ),
        "it",
    )


def choose_services(
    config: Mapping[str, object],
    *,
    now: datetime,
    logs: Sequence[Log] = (),
    timestamp_authorities: Sequence[str] = (),
) -> Services:
    """Choose the services that a signature made now uses; logs and authorities that are named replace the listed ones.

    Raises:
        ModelsignError: ``SIGNING_CONFIG_MALFORMED``, ``SIGNING_CONFIG_NO_SERVICE`` or ``NETWORK_URL_REFUSED``.

    """
    media_type = config.get("mediaType")
    if media_type != _MEDIA_TYPE:
        raise _malformed(f"its media type is {str(media_type)[:_SHOWN]}; known is {_MEDIA_TYPE}")
    authority = _one(_services(config, "caUrls"), 1, now)
    if authority is None:
        raise _none("certificate authority")
    issuer = _one(_services(config, "oidcUrls"), 1, now)
    if not logs:
        listed = _several(config, "rekorTlogUrls", "rekorTlogConfig", 2, now, "transparency log")
        logs = [Log(log.url, log.version) for log in listed]
    if not logs:
        raise _none("transparency log")
    if not timestamp_authorities:
        listed = _several(config, "tsaUrls", "tsaConfig", 1, now, "timestamp authority")
        timestamp_authorities = [stamp.url for stamp in listed]
    if not timestamp_authorities and any(log.version > 1 for log in logs):
        raise error(
            "SIGNING_CONFIG_NO_SERVICE",
            "the log proves no time (Rekor v2), and the signing configuration has no timestamp authority valid now",
        )
    for url, what in [(authority.url, "certificate authority"), *((log.url, "transparency log") for log in logs)]:
        check_url(url, what=what)
    for url in timestamp_authorities:
        check_url(url, what="timestamp authority", plain=True)
    return Services(authority.url, None if issuer is None else issuer.url, tuple(logs), tuple(timestamp_authorities))


def _one(services: Sequence[_Service], highest: int, now: datetime) -> _Service | None:
    found = _usable(services, highest, now)
    return found[0] if found else None


def _several(  # noqa: PLR0913, PLR0917 - the two fields of one kind of service, and what is known of it
    config: Mapping[str, object], field: str, selector_field: str, highest: int, now: datetime, what: str
) -> list[_Service]:
    selector, count = _selector(config, selector_field)
    by_operator: dict[str, _Service] = {}
    for service in _usable(_services(config, field), highest, now):
        by_operator.setdefault(service.operator, service)
    found = list(by_operator.values())
    if selector == "ALL":
        return found
    if selector == "EXACT":
        if len(found) < count:
            raise error(
                "SIGNING_CONFIG_NO_SERVICE",
                f"the signing configuration wants {count} of the {what}, of different operators, and {len(found)} "
                "can be used now",
            )
        return found[:count]
    return found[:1]


def _usable(services: Sequence[_Service], highest: int, now: datetime) -> list[_Service]:
    """Return the services that can be used now, the highest version first, of each the newest first."""
    valid = [
        service
        for service in services
        if 1 <= service.version <= highest and service.start <= now and (service.end is None or now <= service.end)
    ]
    return sorted(valid, key=lambda service: (service.version, service.start), reverse=True)


def _selector(config: Mapping[str, object], field: str) -> tuple[str, int]:
    found = config.get(field)
    if found is None:
        return "ANY", 1
    chosen = _object(found, field)
    given = chosen.get("selector", "ANY")
    selector = _SELECTORS.get(given) if isinstance(given, str | int) and not isinstance(given, bool) else None
    if selector is None:
        raise _malformed(f"{field} selects by {str(given)[:_SHOWN]}, which is not known")
    count = chosen.get("count", 0)
    if isinstance(count, bool) or not isinstance(count, int) or (selector == "EXACT" and not 1 <= count <= _MOST):
        raise _malformed(f"{field} has no count")
    return selector, count


def _services(config: Mapping[str, object], field: str) -> list[_Service]:
    entries = config.get(field)
    if entries is None:
        return []
    if not isinstance(entries, list) or len(entries) > _MOST:
        raise _malformed(f"{field} is no list of at most {_MOST}")
    return [_service(_object(entry, field), field) for entry in entries]


def _service(entry: _Object, field: str) -> _Service:
    url, version, operator = entry.get("url"), entry.get("majorApiVersion", 0), entry.get("operator", "")
    if not isinstance(url, str) or isinstance(version, bool) or not isinstance(version, int):
        raise _malformed(f"a service in {field} has no URL or no version")
    if not isinstance(operator, str):
        raise _malformed(f"a service in {field} has an operator that is no text")
    valid = _object({} if entry.get("validFor") is None else entry["validFor"], "validFor")
    return _Service(url, version, _time(valid.get("start")) or _BEGINNING, _time(valid.get("end")), operator or url)


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return timestamp.read(value)
    except ValueError:
        pass
    raise _malformed(f"{str(value)[:_SHOWN]} is no time")


def _object(value: object, where: str) -> _Object:
    if not isinstance(value, dict):
        raise _malformed(f"{where} is no object")
    return cast("_Object", value)


def _none(what: str) -> ModelsignError:
    return error("SIGNING_CONFIG_NO_SERVICE", f"the signing configuration has no {what} that can be used now")


def _malformed(what: str) -> ModelsignError:
    return error("SIGNING_CONFIG_MALFORMED", f"the signing configuration is refused: {what}")
