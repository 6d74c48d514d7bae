"""Decides on each thing the machine sees a pickle do: import, call, make, give state, add items.

By exact names and their allowed use (``scan.knowledge``); what is not known is a finding. The one guess is
made against a name: a call whose last part can only mean running something is called that, with medium confidence.
It never looks at the running interpreter, so a verdict is a function of the bytes and the ruleset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan import knowledge
from modelsign.scan.machine import opcodes as op
from modelsign.scan.machine import rules
from modelsign.scan.machine.arguments import fits, fits_signature
from modelsign.scan.machine.chain import Chain
from modelsign.scan.machine.construction import PARTIAL, constructed, is_given
from modelsign.scan.machine.contents import Contents
from modelsign.scan.machine.dtypes import REVIEWED, review_state
from modelsign.scan.machine.faults import Exhausted
from modelsign.scan.machine.joblib import ARRAY_CLASSES, WRAPPER, array_bytes
from modelsign.scan.machine.render import value_text
from modelsign.scan.machine.spatial import SPATIAL
from modelsign.scan.machine.special import SPECIAL
from modelsign.scan.machine.states import is_watched, review, watch
from modelsign.scan.machine.torch import persistent_in_tar, persistent_module, persistent_storage
from modelsign.scan.machine.values import UNKNOWN, Global, Instance, Unknown
from modelsign.scan.trust import is_trusted
from modelsign.verdict import Confidence

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.artifact.reading import Reading
    from modelsign.scan.format import Member
    from modelsign.scan.machine.arrays import Arrays
    from modelsign.scan.machine.source import Source
    from modelsign.scan.machine.values import Value
    from modelsign.verdict import Finding, Rule

__all__ = ["Judge"]

_EMPTY_CONTAINERS: Final = frozenset({"list", "dict", "set", "frozenset"})
_CALLS: Final = 1000
_CALLS_OWN_METHODS: Final = "calls-own-methods"
"""The tag of classes whose ``__setstate__`` calls methods by looking them up on the instance."""
_MAKES_CALLABLES: Final = "makes-callables"
"""The tag of names that are ordinary where they are called as reviewed, and nothing that a model stores."""
_TAKES_LISTS: Final = "takes-lists"
"""The tag of functions whose arguments are looked into down to what is in their lists."""
_VIEWS: Final = "array-of-bytes"
"""The tag of what makes an array of bytes, a type, a shape and an order."""
_HARMLESS_TO_CALL: Final = frozenset(
    {"factory", "numpy-scalar", "pure", "torch-dtype", "torch-layout", "torch-storage"}
)
"""Tags of names that may be stored beside such instances: calling them computes, whatever they are given."""
_MAPPED_UNTIL: Final = 3
"""Protocols below this have their Python 2 names mapped."""


class Judge:
    """Collects findings over all pickles of one reading."""

    def __init__(  # noqa: PLR0913 - what a judge must be told, all by name
        self,
        source: Source,
        *,
        member: str | None = None,
        persistent: str | None = None,
        raw_arrays: bool = True,
        nested: Callable[[Judge, str, Reading], bool] | None = None,
        inline: Callable[[Judge, int], int] | None = None,
        depth: int = 0,
    ) -> None:
        """Take the bytes, the caller's reading of persistent ids, and how pickles inside are scanned.

        ``nested`` scans bytes that a deserialiser of some kind is handed, and says whether it could; ``inline`` scans
        the pickle that joblib reads from the same stream and returns the offset behind it.
        """
        self.source = source
        self.member = member
        self.persistent_shape = persistent
        self.raw_arrays = raw_arrays
        self.nested = nested
        self.inline = inline
        self.depth = depth
        self.globals: dict[tuple[str, str], Global] = {}
        self.names: set[str] = set()
        self.chain = Chain(source)
        self._calls_inside: list[str] = []
        self.contents: Contents | None = None
        """What went into containers, kept from the first dtype on that has parts or objects."""
        self.arrays: Arrays | None = None
        """Arrays whose numbers may matter, kept from the first object on whose state native code follows."""
        self.stateless: dict[Instance, int] = {}
        """What holds whatever was in memory, as it has no state yet, and where it was made."""
        self.last_use = -1
        """The offset of the last call that may have used a dtype."""
        self.may_hold_np = False  # whether a text is, or may be, one that machine.formulas asks for
        self.frames_differ = False
        self.unaligned_arrays = False
        """Whether a plain unpickler would take a joblib array's numbers for opcodes."""
        self.aligned_arrays = False
        self.ignores_alignment = False
        """Whether arrays are read as joblib before 1.2 reads them: as if there were no padding."""
        self.inner_pickles = False
        """Whether a plain unpickler would read on in the pickle of an object array, with the outer memo."""
        self.guesses = False
        """Whether this reading takes numbers for opcodes, or finds other things in its memo than were put there: known
        classes and functions turn up where containers stood, which take no items, and the reading stops."""
        self.skips: dict[int, int] | None = None
        """Where arrays between opcodes start and end, for whoever watches."""
        self._self_caller: str | None = None
        self.members: list[Member] = []
        """Models in formats of their own that states hold, for the engine to scan."""
        self.storage_ids: list[tuple[Value, ...]] = []
        self.keeps_storages = False
        """Whether the caller wants to know which PyTorch storages are referred to."""
        self._instances: dict[str, Instance] = {}
        self._findings: dict[tuple[str, str], Finding] = {}
        self._noted: set[str] = set()
        self._name_bytes = 0
        self._made = 0

    # --- what was found ------------------------------------------------------------------

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings so far, each rule and message once, in the order of the bytes' execution."""
        return tuple(self._findings.values())

    @property
    def calls(self) -> tuple[str, ...]:
        """The calls that have a finding, as pseudo-Python, with those of pickles inside and other readings behind."""
        return (*self.chain.texts, *self._calls_inside)

    def note(  # noqa: PLR0913 - what a finding is made of
        self,
        rule: Rule,
        message: str,
        offset: int | None = None,
        *,
        call: int = 0,
        name: str | None = None,
        confidence: Confidence = Confidence.HIGH,
    ) -> None:
        """Record a finding, unless the same was recorded before.

        ``call`` is the number of the call it is about, ``name`` the unknown name where it is about nothing else,
        ``confidence`` the most that it can have.
        """
        key = (rule.id, message)
        if key in self._findings:
            return
        if len(self._findings) <= limits.SCAN_FINDINGS or rule.id not in self._noted:
            self._noted.add(rule.id)  # the first of each rule is kept, however many findings others had
            found = rule.finding(message, member=self.member, offset=offset, calls=self.chain.upto(call), name=name)
            self._findings[key] = found.at_most(confidence)

    def absorb(
        self, other: Judge, without: frozenset[str] = frozenset(), *, confidence: Confidence = Confidence.HIGH
    ) -> None:
        """Take over what another judge found in a pickle inside this one, or in another reading of it."""
        for finding in other.findings:
            if finding.rule not in without and (finding.rule, finding.message) not in self._findings:
                self._findings[finding.rule, finding.message] = finding.at_most(confidence)
        self._calls_inside += other.calls[: max(_CALLS - len(self.calls), 0)]
        if rules.UNKNOWN_GLOBAL.id not in without:
            self.names |= other.names
            self.members += other.members

    def finish(self) -> None:
        """Judge the names that were imported and never called; a walk ends here, whole or broken."""
        for made, offset in self.stateless.items():
            self.note(rules.UNREVIEWED_USE, f"makes a {made.cls} and gives it no state", offset)
        self.stateless.clear()
        for found in self.globals.values():
            if found.entry is not None:
                if found.pushed > found.consumed and not found.entry.reference:
                    danger = knowledge.capability(found.module, found.name)
                    rule = rules.CAPABILITIES[danger] if danger else rules.UNREVIEWED_USE
                    self.note(rule, f"passes {found.path} on instead of calling it", found.offset)
                elif found.pushed > found.consumed and _MAKES_CALLABLES in found.entry.tags:
                    self.note(
                        rules.UNREVIEWED_USE, f"stores {found.path}, which makes what can be called", found.offset
                    )
                elif found.pushed > found.consumed and self._self_caller:
                    self._beside_self_caller(found)
            elif not found.called and not self._is_trusted(found):
                rule, words = self._rule_of(found)
                name = None if found.capability else found.path
                self.note(rule, f"imports {found.path}{words}", found.offset, name=name)
        self.globals.clear()

    def calls_own_methods(self, cls: str) -> None:
        """Remember that an object was given attributes while methods of its own may still be called on loading."""
        self._self_caller = cls

    def _beside_self_caller(self, found: Global) -> None:
        """Judge a stored name where an attribute might take the place of a method that is called on loading."""
        if found.entry is None or found.entry.tags.isdisjoint(_HARMLESS_TO_CALL):
            message = f"stores {found.path} where the state of a {self._self_caller} may have it called"
            self.note(rules.UNREVIEWED_USE, message, found.offset)

    # --- names ---------------------------------------------------------------------------

    def imported(self, module: str, name: str, protocol: int, offset: int) -> Global:
        """GLOBAL, STACK_GLOBAL, INST: return what stands for the name, as CPython would resolve it."""
        if protocol < _MAPPED_UNTIL:
            module, name = knowledge.mapped(module, name)
        found = self.globals.get((module, name))
        if found is None:
            found = self.named(module, name, offset)
        found.pushed += 1
        if found.takes_lists:
            self.keep_lists(offset)
        return found

    def keep_lists(self, offset: int) -> None:
        """Keep what goes into lists from here, until the function that was named is called."""
        self.contents = self.contents or Contents()
        self.contents.lists_from(offset)

    def named(self, module: str, name: str, offset: int) -> Global:
        """Return what stands for a name of Python 3, which counts as imported from here on."""
        found = self.globals.get((module, name))
        if found is None:
            if len(self.names) >= limits.PICKLE_GLOBALS:
                raise Exhausted(f"imports more than {limits.PICKLE_GLOBALS} names", offset)
            found = Global(module, name, offset)
            found.entry = knowledge.allowed(found.path)
            if found.entry is None:
                found.capability = knowledge.capability(module, name) or knowledge.capability(
                    *knowledge.mapped(module, name)
                )
            found.takes_lists = found.entry is not None and _TAKES_LISTS in found.entry.tags
            self.globals[(module, name)] = found
            self._name_bytes += len(module) + len(name)
            if self._name_bytes > limits.PICKLE_NAME_BYTES:
                raise Exhausted("imports names that are too long together", offset)
            self.names.add(found.path)
        return found

    def underivable_name(self, offset: int) -> Value:
        """STACK_GLOBAL on something that is no string literal."""
        self.note(rules.UNDERIVABLE, "imports a name that is computed or no string", offset)
        return UNKNOWN

    def extension(self, code: int, offset: int) -> Value:
        """EXT1, EXT2, EXT4: a name from the loading process's registry."""
        self.note(rules.EXTENSION_CODE, f"imports whatever is registered under extension code {code}", offset)
        return UNKNOWN

    # --- calls ---------------------------------------------------------------------------

    def call(self, function: Value, arguments: Value, offset: int) -> Value:
        """REDUCE: ``function(*arguments)``."""
        if not isinstance(function, Global):
            made = constructed(self, function, arguments, offset)
            return self._call_of_no_name(function, arguments, offset) if made is None else made
        function.consumed += 1
        entry = function.entry
        if entry is None:
            return self._unknown_call(function, arguments, offset)
        if entry.special is not None:
            return SPECIAL[entry.special](self, function, arguments, offset)
        self.last_use = offset
        if isinstance(arguments, tuple):
            for form in entry.call:
                if fits_signature(self.source, form, arguments):
                    made = self.result(function, arguments)
                    if self.arrays is not None and _VIEWS in entry.tags:
                        self.arrays.viewed(self, made, arguments)
                    return made
        return self.unreviewed(function, arguments, offset)

    def new(self, cls: Value, arguments: Value, keywords: Value | None, offset: int) -> Value:
        """NEWOBJ, NEWOBJ_EX: ``cls.__new__(cls, *arguments, **keywords)``."""
        if not isinstance(cls, Global):
            return self._call_of_no_name(cls, arguments, offset)
        cls.consumed += 1
        entry = cls.entry
        if entry is None:
            return self._unknown_call(cls, arguments, offset)
        self.last_use = offset
        if (
            isinstance(arguments, tuple)
            and (keywords is None or (entry.keywords is not None and fits(self.source, entry.keywords, keywords)))
            and any(fits_signature(self.source, form, arguments) for form in entry.new)
        ):
            return self.made(entry, offset)
        return self.unreviewed(cls, arguments, offset)

    def made(self, entry: knowledge.Entry, offset: int) -> Instance:
        """Return what stands for a new instance of a known class; its state is watched where the class asks for it."""
        return watch(self, entry, offset) if is_watched(self, entry.review) else self.instance(entry.name, entry)

    def instantiate(self, cls: Value, arguments: tuple[Value, ...], offset: int) -> Value:
        """INST, OBJ: ``cls.__new__(cls)`` of a class without arguments, else ``cls(*arguments)``."""
        if isinstance(cls, Global) and cls.entry is not None and not arguments and () in cls.entry.new:
            cls.consumed += 1
            return self.made(cls.entry, offset)
        return self.call(cls, arguments, offset)

    def instance(self, cls: str, entry: knowledge.Entry | None = None) -> Instance:
        """Return what stands for an instance of a class: one for all of them, unless what was done to it matters."""
        if entry is not None and (entry.state is not None or entry.items):
            self._made += 1
            if self._made > limits.PICKLE_OBJECTS:
                raise Exhausted(f"makes more than {limits.PICKLE_OBJECTS} objects", self.source.base)
            return Instance(cls, entry)
        found = self._instances.get(cls)
        if found is None:
            found = self._instances[cls] = Instance(cls, entry)
        return found

    def result(self, function: Global, arguments: tuple[Value, ...]) -> Value:
        """Return what stands for the result of an allowed call."""
        entry = function.entry
        returns = entry.returns if entry else None
        if returns is not None and returns in self._instances:
            return self._instances[returns]
        if returns == "arg0" and isinstance(arguments[0], Global) and arguments[0].entry is not None:
            return self.instance(arguments[0].entry.name, arguments[0].entry)
        if returns is None and entry is not None:
            return self.instance(entry.name, entry)
        return self.instance(returns or "object", knowledge.allowed(returns) if returns else None)

    def unreviewed(self, function: Global, arguments: Value, offset: int) -> Value:
        """Record a call of a known name with arguments that are not known to be safe."""
        function.called = True
        text, call = self.chain.add(function.path, arguments)
        danger = knowledge.capability(function.module, function.name)
        if danger:
            self.note(rules.CAPABILITIES[danger], f"calls {text}", offset, call=call)
        else:
            message = f"calls {text}, which is not known to be safe with these arguments"
            self.note(rules.UNREVIEWED_USE, message, offset, call=call)
        return Instance("object", call=call)

    def _unknown_call(self, function: Global, arguments: Value, offset: int) -> Value:
        function.capability = function.capability or knowledge.capability_of_call(function.module, function.name)
        call = 0
        if (not function.called or function.capability) and not self._is_trusted(function):
            text, call = self.chain.add(function.path, arguments)
            self._note_unknown_call(function, text, call, offset)
        function.called = True
        return Instance(function.path, call=call) if call else self.instance(function.path)

    def _note_unknown_call(self, function: Global, text: str, call: int, offset: int) -> None:
        """Record a call of a name that is a known danger, sounds like one, or is not known."""
        rule, words = self._rule_of(function)
        if not function.capability and (guess := knowledge.guessed_capability(function.module, function.name)):
            message = f"calls {text}, by its name what runs programs or code"
            self.note(rules.CAPABILITIES[guess], message, offset, call=call, confidence=Confidence.MEDIUM)
            return
        name = None if function.capability else function.path
        self.note(rule, f"calls {text}{words}", offset, call=call, name=name)

    def _call_of_no_name(self, function: Value, arguments: Value, offset: int) -> Value:
        text, call = self.chain.add(function, arguments)
        self.note(rules.COMPUTED_CALL, f"calls {text}, which is the result of a computation", offset, call=call)
        return Unknown(call) if call else UNKNOWN

    @staticmethod
    def _is_trusted(found: Global) -> bool:
        """Whether the caller takes an unknown name for safe; a known danger stays one."""
        return not found.capability and is_trusted(found.path)

    @staticmethod
    def _rule_of(found: Global) -> tuple[Rule, str]:
        if found.capability:
            return rules.CAPABILITIES[found.capability], ""
        return rules.UNKNOWN_GLOBAL, ", which is not known to be safe"

    # --- state and items -----------------------------------------------------------------

    def build(self, target: Value, state: Value, offset: int) -> Value:
        """BUILD: ``target.__setstate__(state)`` or its attributes set from the state."""
        if isinstance(target, Instance):
            if target.built:
                self.note(rules.STATE_AGAIN, f"gives state to the same {target.cls} again", offset)
            target.built = target.entry is not None
            if target.entry is None:
                if target.cls == "object":  # the result of a call that has its own finding
                    self.note(rules.UNREVIEWED_USE, "gives state to the result of an unreviewed call", offset)
            elif target.entry.state is None or not fits(self.source, target.entry.state, state):
                text = value_text(self.source, state)
                self.note(rules.UNREVIEWED_USE, f"gives {target.cls} the state {text}, which nobody reviewed", offset)
            self._look_into(target, state, offset)
            if target.entry is not None and _CALLS_OWN_METHODS in target.entry.tags:
                self.calls_own_methods(target.cls)
            if target.cls in REVIEWED:
                review_state(self, target, state, offset)
                if self.arrays is not None:
                    self.arrays.built(self, target, state)
            else:
                self.last_use = offset
            return target
        if isinstance(target, Global):
            text = value_text(self.source, state)
            self.note(rules.STATE_ON_NAME, f"changes {target.path} itself by the state {text}", offset)
        else:
            self.note(
                rules.UNREVIEWED_USE, f"gives state to {value_text(self.source, target)}, which takes none", offset
            )
        return target

    def _look_into(self, target: Instance, state: Value, offset: int) -> None:
        """Judge what a state holds, for classes to which that matters."""
        flaw = review(self, target, state)
        if flaw is not None:
            is_followed = target.entry is not None and target.entry.review in SPATIAL
            is_other = self.guesses or self.ignores_alignment  # of such a reading, what is unreviewed does not count
            rule = rules.CAPABILITIES["native-code"] if is_followed and is_other else rules.UNREVIEWED_USE
            self.note(rule, f"gives {target.cls} a state {flaw}", offset)
        if target.cls == PARTIAL and not is_given(self, target, state) and not self._may_be_stored(state):
            text = value_text(self.source, state)
            self.note(rules.UNREVIEWED_USE, f"makes a functools.partial of {text}, which nobody reviewed", offset)

    @staticmethod
    def _may_be_stored(state: Value) -> bool:
        """Whether the function of a partial's state is a name that may be stored; an object might be callable."""
        inner = state[0] if isinstance(state, tuple) and state else None
        return isinstance(inner, Global) and inner.entry is not None and inner.entry.reference

    def add_items(self, target: Value, items: list[Value], code: int, offset: int) -> None:
        """APPEND(S), SETITEM(S), ADDITEMS on something that may be no plain container."""
        kind = "dict" if code in {op.SETITEM, op.SETITEMS} else "set" if code == op.ADDITEMS else "list"
        if isinstance(target, int) and target < 0:
            if self.source.kind(~target) in _EMPTY_CONTAINERS:
                return
        elif isinstance(target, Instance):
            if target.entry is None and target.cls != "object":
                return  # an unknown class has its own finding
            if target.built and items:
                self.note(rules.STATE_AGAIN, f"puts items into a {target.cls} after its state", offset)
            if target.entry is not None and kind in target.entry.items:
                return
        elif isinstance(target, Global):
            if target.entry is None or not self.guesses:
                self.note(rules.STATE_ON_NAME, f"puts items into {target.path} itself", offset)
            return
        if items:
            text = value_text(self.source, target)
            self.note(rules.UNREVIEWED_USE, f"puts items into {text}, which is no container known to be safe", offset)

    # --- the loader's hooks --------------------------------------------------------------

    def persistent(self, identifier: Value | str, offset: int) -> Value:
        """PERSID, BINPERSID: the loader's own hook is asked."""
        if self.persistent_shape == "torch" and not isinstance(identifier, str):
            found = persistent_storage(self, identifier) or persistent_module(self, identifier)
            if found is not None:
                return found
        if self.persistent_shape == "torch-tar":
            found = persistent_in_tar(self, identifier)
            if found is not None:
                return found
        text = repr(identifier[:60]) if isinstance(identifier, str) else value_text(self.source, identifier)
        self.note(rules.PERSISTENT_ID, f"asks the loader for the object with the id {text}", offset)
        return UNKNOWN

    def out_of_band(self, offset: int) -> None:
        """NEXT_BUFFER: data from outside of the file."""
        self.note(rules.OUT_OF_BAND, "takes a buffer that is not in the file", offset)

    def frame_crossed(self, offset: int) -> None:
        """Record a frame that does not fit; the reading that jumps at frame ends is analysed too."""
        self.frames_differ = True
        self.note(rules.FRAME_CROSSED, "has a frame that its opcodes cross, nest or outrun", offset)

    def is_array_wrapper(self, value: Value) -> bool:
        """Say whether BUILD on this value makes joblib read an array from the stream."""
        return isinstance(value, Instance) and value.cls == WRAPPER

    def raw_array(self, state: list[Value], offset: int) -> tuple[Value, int]:
        """BUILD of a joblib wrapper: return the array and the offset behind its bytes."""
        self.last_use = offset
        array = array_bytes(self.source, state, offset)
        if array is None:
            self.note(rules.UNREVIEWED_USE, "gives a joblib array wrapper a state that nobody can follow", offset)
            return Instance("object"), offset
        for item in state:
            if isinstance(item, Global) and item.entry is not None and item.entry.name in ARRAY_CLASSES:
                item.consumed += 1
        value = self.instance("numpy.ndarray", knowledge.allowed("numpy.ndarray"))
        self.unaligned_arrays |= not array.aligned
        self.aligned_arrays |= array.aligned and not array.pickled
        self.inner_pickles |= array.pickled
        if array.pickled:
            return value, self.inline(self, offset) if self.inline else offset
        end = array.unpadded_end if self.ignores_alignment else array.end
        if self.arrays is not None:
            self.arrays.dumped(self, value, array)
        if self.skips is not None:
            self.skips[offset] = end
        return value, end
