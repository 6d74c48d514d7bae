"""The rules of pickles: everything the machine can observe."""

from __future__ import annotations

from typing import Final

from modelsign.verdict import Outcome, Rule, Severity

__all__ = ["CAPABILITIES", "RULES"]

_PEP307: Final = "https://docs.python.org/3/library/pickle.html#restricting-globals"


def _capability(name: str, does: str) -> Rule:
    return Rule(
        f"pickle-{name}",
        f"the pickle {does} when loaded",
        Severity.CRITICAL,
        Outcome.UNSAFE,
        f"Loading this pickle imports or calls a name that {does}. Weights and fitted models have no use for it.",
        "Do not load the file. Ask its author for a format without code, such as safetensors.",
        (_PEP307, "CWE-502"),
    )


CAPABILITIES: Final[dict[str, Rule]] = {
    "execute": _capability("execute", "runs commands or code"),
    "import": _capability("import", "imports or looks up modules by name"),
    "attribute-access": _capability("attribute-access", "reaches into objects by attribute name"),
    "read": _capability("read", "reads files"),
    "write": _capability("write", "writes, moves or deletes files"),
    "network": _capability("network", "talks to the network"),
    "native-code": _capability("native-code", "loads native code or touches memory"),
    "nested-deserialisation": _capability("nested-deserialisation", "deserialises further bytes"),
    "environment": _capability("environment", "reads or changes the process and its environment"),
}
"""Capability class to rule."""

UNKNOWN_GLOBAL: Final = Rule(
    "pickle-unknown-global",
    "the pickle uses a name not known to be safe",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "Loading imports this name and may call it. Nobody has reviewed what it does: it may be the author's own class.",
    "Review the code behind the name, or ask for a format without code.",
    (_PEP307,),
)
UNREVIEWED_USE: Final = Rule(
    "pickle-unreviewed-use",
    "the pickle uses a known name in a way not known to be safe",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "The name is harmless in its usual role, but here it is called, stored or given state in another way.",
    "Review what the call does with these arguments before loading.",
    (_PEP307,),
)
UNDERIVABLE: Final = Rule(
    "pickle-underivable",
    "the pickle computes the name it imports",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The module or the name is itself the result of a call, or no string. No pickler writes this; it hides what is "
    "imported.",
    "Do not load the file.",
    (_PEP307,),
)
COMPUTED_CALL: Final = Rule(
    "pickle-computed-call",
    "the pickle calls something that is not a name",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "What is called is itself the result of a call, or data. No pickler writes this; it hides what is run.",
    "Do not load the file.",
    (_PEP307,),
)
STATE_AGAIN: Final = Rule(
    "pickle-state-again",
    "the pickle changes an object after it gave it its state",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The first state can put a function on the object under the name of a method that the unpickler looks up there "
    "(`__setstate__`, `extend`, `add`); what follows is handed to it. No pickler writes this.",
    "Do not load the file.",
    (_PEP307,),
)
STATE_ON_NAME: Final = Rule(
    "pickle-state-on-name",
    "the pickle changes an imported module, class or function",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "BUILD or an item assignment is applied to an imported name itself, which changes it for the whole process.",
    "Do not load the file.",
    (_PEP307,),
)
PERSISTENT_ID: Final = Rule(
    "pickle-persistent-id",
    "the pickle refers to objects outside of it",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "A persistent id is handed to the loader's own hook; what comes back depends on that loader.",
    "Load it only with the library that wrote it, after a review.",
)
EXTENSION_CODE: Final = Rule(
    "pickle-extension-code",
    "the pickle names something by an extension code",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "EXT opcodes stand for names registered in the loading process (copyreg); the file does not say which.",
    "Find out which program registered the code.",
)
OUT_OF_BAND: Final = Rule(
    "pickle-out-of-band",
    "the pickle needs buffers that are not in the file",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "NEXT_BUFFER takes data from outside of the file (PEP 574), which nobody has scanned.",
    "Ask for a file that carries its own data.",
)
FRAME_CROSSED: Final = Rule(
    "pickle-frame-crossed",
    "the pickle's frames do not fit its opcodes",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "An opcode crosses the end of a frame, a frame opens inside another, or one is longer than the file. Unpicklers "
    "differ in what they read then (python/cpython gh-154848); both readings were analysed.",
    "Do not load the file: no pickler writes this.",
    ("https://peps.python.org/pep-3154/#framing",),
)
BROKEN: Final = Rule(
    "pickle-broken",
    "the pickle breaks off",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "The bytes stop being a pickle before its end. A loader runs everything up to that point.",
    "Fetch the file again; if it stays broken, do not load it.",
)
BUDGET: Final = Rule(
    "pickle-budget",
    "the pickle is larger than the scanner's budget",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "A bound on operations, depth or entries was reached, so the rest was not judged.",
    "Split the file, or ask for a format without code.",
)
TRAILING: Final = Rule(
    "pickle-trailing-bytes",
    "bytes follow the end of the pickle",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "Behind the last STOP stand bytes that are no pickle. A loader may ignore them, or read them as something else.",
    "Find out which program wrote the file.",
)
STORAGE_SIZE: Final = Rule(
    "pytorch-storage-size",
    "a tensor's storage is declared larger than its record",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "The pickle says that a storage has more bytes than the record beside it. PyTorch before 2.10 reads on in memory "
    "behind the record, restricted to weights or not.",
    "Fetch the file again; if it stays so, do not load it.",
    ("CVE-2026-24747",),
)
NESTED_UNREAD: Final = Rule(
    "pickle-nested-unread",
    "the pickle deserialises bytes that could not be scanned",
    Severity.HIGH,
    Outcome.UNSAFE,
    "A reviewed deserialiser is handed bytes that are computed, or in a form nobody could follow.",
    "Do not load the file.",
)

RULES: Final[tuple[Rule, ...]] = (
    *CAPABILITIES.values(),
    UNKNOWN_GLOBAL,
    UNREVIEWED_USE,
    UNDERIVABLE,
    COMPUTED_CALL,
    STATE_AGAIN,
    STATE_ON_NAME,
    PERSISTENT_ID,
    EXTENSION_CODE,
    OUT_OF_BAND,
    FRAME_CROSSED,
    BROKEN,
    BUDGET,
    TRAILING,
    STORAGE_SIZE,
    NESTED_UNREAD,
)
