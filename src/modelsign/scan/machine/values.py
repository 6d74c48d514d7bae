"""What stands on the machine's stack.

Most of a large pickle is plain data, so plain data costs next to nothing:

* a literal is the ``int`` offset (>= 0) of the opcode that pushed it; its type and value are read again
  from the bytes when somebody asks;
* a list, dict or set is ``~offset`` of the opcode that made it (< 0); its content is not kept;
* a tuple is a Python tuple of values, because calls are judged by their arguments;
* everything else is one of the classes below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, Union

if TYPE_CHECKING:
    from modelsign.scan.knowledge.entry import Entry

__all__ = ["BUFFER", "EMPTY_BYTES", "UNKNOWN", "Global", "Instance", "OfUnknownClass", "Unknown", "Value"]


@dataclass(slots=True, eq=False)
class Global:
    """A name that a pickle imports: one object per name and analysis.

    ``entry`` is what is known of its good uses, ``capability`` the dangerous class it belongs to.
    ``pushed`` and ``consumed`` count how often it came onto the stack and how often it left as the thing called:
    the difference was stored or passed on. ``takes_lists`` says that what it is called with is looked into, lists too.
    """

    module: str
    name: str
    offset: int
    entry: Entry | None = None
    capability: str | None = None
    pushed: int = 0
    consumed: int = 0
    called: bool = False
    takes_lists: bool = False

    @property
    def path(self) -> str:
        """The module and qualified name with a dot between."""
        return f"{self.module}.{self.name}"


@dataclass(slots=True, eq=False)
class Instance:
    """An object made from what a pickle names; ``cls`` is the canonical name of its class.

    ``entry`` is what is known of the class, None if nothing. ``detail`` carries what a later argument check
    needs: the string of a NumPy dtype (which its state may change), the place of a text that became bytes.
    ``built`` says that it was given state, ``call`` is the number of the recorded call that made it (0: none).
    """

    cls: str
    entry: Entry | None = None
    detail: str = ""
    built: bool = False
    call: int = 0


class OfUnknownClass(Instance):
    """An instance of a class that is not known, which is all that is known of it: no function chose what it is."""

    __slots__ = ()


class Unknown:
    """A value nobody can derive; any use of it is a finding."""

    __slots__ = ("call",)
    entry: Final = None

    def __init__(self, call: int = 0) -> None:
        """Take the number of the recorded call that made it."""
        self.call = call


EMPTY_BYTES: Final = "empty"
"""The ``detail`` of bytes that are known to be none."""
UNKNOWN: Final = Unknown()
BUFFER: Final = Instance("buffer")
"""An out-of-band buffer (PEP 574)."""

Value: TypeAlias = Union[int, "tuple[Value, ...]", Global, Instance, Unknown]
