"""What may be done with one name: an entry of the knowledge, as the data files spell it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """The good uses of one name; a use that is not listed is a finding.

    Signatures are lists of parameter patterns (see ``machine.arguments``). ``reference``: it may be stored or
    passed on without being called. ``call``: signatures of a call. ``new``: signatures of ``cls.__new__(cls, …)``,
    ``keywords``: the pattern of the keywords it may be given beside those, None if none.
    ``state``: the pattern of what BUILD may hand to an instance, None if nothing. ``items``: kinds of items
    (``list``, ``dict``, ``set``) an instance may receive. ``returns``: the class of a call's result, ``arg0`` for the
    class given first, None for an instance of the name itself. ``special``: the reviewed rule in
    ``machine.special`` that judges the call. ``review``: the one in ``machine.states`` that looks into the state.
    ``tags``: groups that patterns refer to.
    """

    name: str
    reference: bool = False
    call: tuple[tuple[str, ...], ...] = ()
    new: tuple[tuple[str, ...], ...] = ()
    keywords: str | None = None
    state: str | None = None
    items: frozenset[str] = frozenset()
    returns: str | None = None
    special: str | None = None
    review: str | None = None
    tags: frozenset[str] = frozenset()
