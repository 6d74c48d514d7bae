"""The way to a network as a command's flags and the environment describe it.

Not a member of the family.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.cli.session import Session
    from modelsign.transport import Transport

__all__ = ["transport_of"]


def transport_of(session: Session, values: Mapping[str, Any]) -> Transport:
    """Return what sends requests: nothing under ``--offline``, else through the proxy that the environment names."""
    from modelsign.transport import Transport

    environ = session.environ
    proxy = environ.get("https_proxy") or environ.get("HTTPS_PROXY")
    without = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    return Transport(offline=bool(values["offline"]), proxy=proxy or None, direct=tuple(without.split(",")))
