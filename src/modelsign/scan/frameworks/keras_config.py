"""What a Keras configuration would make the loader import, look up or run.

Every object of the tree is judged, wherever it hangs: layers, wrapped layers, losses, optimizers, metrics, what a
model was compiled and built with. An object is a name in a module; which names are parts of models is data
(``knowledge/keras.generated.json``, ``knowledge/keras.json``). Older loaders import any module that a configuration
names, and the loader of ``.h5`` files ignores ``safe_mode``, so neither counts as protection. Follows
keras/src/saving/serialization_lib.py 3.15 and keras/src/legacy/saving/serialization.py.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.scan import knowledge
from modelsign.scan.tables import table
from modelsign.scan.trust import is_trusted
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.verdict import Finding

__all__ = ["RULES", "holds_objects", "judge"]

_SAVING: Final = "https://keras.io/guides/serialization_and_saving/"
LAMBDA: Final = Rule(
    "keras-lambda",
    "the Keras model holds a function as bytecode",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "A Lambda layer or an object of the class `__lambda__` carries marshalled bytecode, which becomes a function that "
    "runs when the model is loaded or called. Loaders of `.h5` files do so whatever `safe_mode` says.",
    "Do not load the model. Ask for one whose layers are classes of Keras.",
    ("CVE-2024-3660", "CVE-2025-9905", "CVE-2026-12481", _SAVING),
)
FUNCTION: Final = Rule(
    "keras-function",
    "the Keras model reaches for a function that is no part of models",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The configuration names a function or class that runs commands, fetches or reads files, loads other models, or "
    "switches the loader's protection off. Loaders look it up, and a layer can call it with arguments of its choice.",
    "Do not load the model.",
    ("CVE-2025-1550", "CVE-2025-8747", "CVE-2025-9906"),
)
LOADS: Final = Rule(
    "keras-loading-layer",
    "a layer of the Keras model loads another model",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The layer unpickles a PyTorch module, or loads a TensorFlow SavedModel from a path, when it is made from its "
    "configuration.",
    "Do not load the model. Ask for one with Keras' own layers.",
    ("CVE-2025-49655", "CVE-2026-1462"),
)
PATH: Final = Rule(
    "keras-vocabulary-path",
    "a layer of the Keras model reads its vocabulary from a path",
    Severity.HIGH,
    Outcome.UNSAFE,
    "The vocabulary of a lookup layer is the name of a file or a URL, which is opened when the model is loaded. What "
    "stands there ends up in the model; a URL is fetched.",
    "Do not load the model. Saved models hold their vocabulary themselves.",
    ("CVE-2025-12058",),
)
SWITCH: Final = Rule(
    "keras-safe-mode",
    "the Keras model's configuration turns safe mode off",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "A configuration hands `safe_mode` to a loader inside the model with another value than true. Models have no use "
    "for it.",
    "Do not load the model.",
    ("CVE-2026-12481", "CVE-2025-9906"),
)
CUSTOM: Final = Rule(
    "keras-custom-object",
    "the Keras model uses a class or function that is not Keras' own",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The name is not one of those known to be parts of Keras models. The loader needs it registered, or imports it "
    "where it is old; nobody has reviewed what it does.",
    "Review the code behind the name, and accept it with `--trust-global module.name`.",
    ("CVE-2025-1550", _SAVING),
)
RULES: Final = (LAMBDA, FUNCTION, LOADS, PATH, SWITCH, CUSTOM)
_BUILTINS: Final = (
    "keras.activations", "keras.constraints", "keras.initializers", "keras.losses", "keras.metrics",
    "keras.optimizers", "keras.regularizers",
)  # fmt: skip
_OPERATOR_LAYERS: Final = frozenset({"TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"})
_PATH_KEYS: Final = ("vocabulary", "idf_weights")
_SHOWN: Final = 100


class _Tables(NamedTuple):
    """The data, as it is asked for."""

    classes: Mapping[str, frozenset[str]]
    names: frozenset[str]
    functions: Mapping[str, frozenset[str]]
    builtins: frozenset[str]


def _names(group: str, key: str = "names") -> frozenset[str]:
    return frozenset(name for row in table("keras")[group] for name in row[key])


@functools.cache
def _tables() -> _Tables:
    made = table("keras.generated")
    classes = {space: frozenset(names) for space, names in made["classes"].items()}
    functions = {space: frozenset(names) for space, names in made["functions"].items()}
    known = frozenset().union(*classes.values()) | _names("names")
    return _Tables(
        classes,
        known - _single("unreviewed"),
        functions,
        frozenset().union(
            *(functions.get(space, frozenset()) | classes.get(space, frozenset()) for space in _BUILTINS)
        ),
    )


@functools.cache
def _single(group: str) -> frozenset[str]:
    return frozenset(row["name"] for row in table("keras")[group])


@functools.cache
def _group(group: str, key: str) -> tuple[str, ...]:
    return tuple(sorted(_names(group, key)))


def holds_objects(document: object) -> bool:
    """Whether a document has an object of Keras' anywhere: a name of a class."""
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(node.get("class_name"), str):
                return True
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return False


def judge(document: object, *, member: str | None = None) -> tuple[Finding, ...]:
    """Walk a configuration without recursion and report what its objects would do, each once."""
    found: dict[Finding, None] = {}
    waiting: list[object] = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            for rule, text in _judge_node(node):
                found[rule.finding(text, member=member)] = None
    return tuple(sorted(found, key=lambda finding: (finding.rule, finding.message)))


def _judge_node(node: dict[str, object]) -> list[tuple[Rule, str]]:
    found = []
    if "safe_mode" in node and node["safe_mode"] is not True:
        found.append((SWITCH, f"safe_mode is {str(node['safe_mode'])[:_SHOWN]}"))
    if "__lambda__" in node:
        found.append((LAMBDA, "a value is marked as __lambda__"))
    name = node.get("class_name")
    if not isinstance(name, str):
        return found
    config = node.get("config")
    module = node.get("module")
    place = module if isinstance(module, str) else ""
    verdict = _judge_object(name, place, config, node)
    registered = node.get("registered_name")
    if verdict is None and not _is_own(registered, name, config):
        shown = str(registered)[:_SHOWN]
        verdict = None if is_trusted(str(registered)) else (CUSTOM, f"{shown} is looked up among registered objects")
    return found if verdict is None else [*found, verdict]


def _is_own(registered: object, name: str, config: object) -> bool:
    """Whether a registered name says no more than the class name does."""
    return registered in (None, "", name, f"Custom>{name}") or (name == "function" and registered == config)


def _judge_object(name: str, module: str, config: object, node: dict[str, object]) -> tuple[Rule, str] | None:
    """Return the rule an object breaks, and how."""
    if name == "__lambda__":
        return LAMBDA, "an object of the class __lambda__"
    if name in _names("tensors"):
        spec = node.get("spec_name")
        if name == "__typespec__" and spec not in _group("typespecs", "names"):
            return CUSTOM, f"the type specification {str(spec)[:_SHOWN]} is not known to be safe"
        return None
    if name == "function":
        return _judge_function(config, module)
    return _judge_layer(name, module, config)


def _judge_layer(name: str, module: str, config: object) -> tuple[Rule, str] | None:
    """A class by the rules for its kind, whatever package it is registered under."""
    base = name.rsplit(">", 1)[-1]
    unsafe = {row["name"]: row for row in table("keras")["unsafe"]}.get(base)
    if unsafe is not None:
        return LOADS, f"the layer {base} {unsafe['does']}"
    if base == "Lambda":
        return _judge_lambda(config)
    if base in _OPERATOR_LAYERS:
        return _judge_operator(base, config)
    found = _judge_lookup(base, config) if base in _single("lookups") else None
    return found if found is not None or base in _single("lookups") else _judge_class(name, module)


def _judge_class(name: str, module: str) -> tuple[Rule, str] | None:
    """A class is known under its exact module, without a module, or where older versions kept it."""
    known = _tables()
    full = f"{module}.{name}" if module else name
    if name in known.names and (
        not module or name in known.classes.get(module, ()) or module.startswith(_group("modules", "prefixes"))
    ):
        return None
    if is_trusted(full):
        return None
    if module and _reaches(module, name):
        return FUNCTION, f"names {full[:_SHOWN]}"
    return CUSTOM, f"{full[:_SHOWN]} is not known to be safe"


def _judge_function(config: object, module: str) -> tuple[Rule, str] | None:
    """A function is known under its exact module, or by its name alone where Keras asks its own first."""
    if not isinstance(config, str):
        return LAMBDA, "a function is given as something else than its name"
    known = _tables()
    full = f"{module}.{config}" if module else config
    if module in {"builtins", ""} and config in known.builtins:
        return None
    if config in known.functions.get(module, ()) or config in known.classes.get(module, ()):
        return None
    if is_trusted(full) or (module == "builtins" and is_trusted(config)):
        return None
    if _reaches(module, config):
        return FUNCTION, f"names the function {full[:_SHOWN]}"
    return CUSTOM, f"the function {full[:_SHOWN]} is not known to be safe"


def _reaches(module: str, name: str) -> bool:
    """Whether a name has a known danger, or stands where Keras keeps functions that fetch, load or switch."""
    if module and knowledge.capability(module, name):
        return True
    spaces = _group("reaching_modules", "modules")
    return any(module == space or module.startswith(f"{space}.") for space in spaces)


def _judge_lambda(config: object) -> tuple[Rule, str] | None:
    """A Lambda layer may hold a function's name, which is an object of its own or a text of older versions."""
    if not isinstance(config, dict):
        return LAMBDA, "a Lambda layer without a configuration that can be read"
    for key in ("function", "output_shape", "mask"):
        value, kind = config.get(key), config.get(f"{key}_type")
        if kind == "lambda" or (key == "function" and not isinstance(value, str | dict)):
            return LAMBDA, f"the {key} of a Lambda layer is bytecode"
        if isinstance(value, list) and value and isinstance(value[0], str):
            return LAMBDA, f"the {key} of a Lambda layer is bytecode"
        module = config.get("module") if key == "function" else config.get(f"{key}_module")
        if isinstance(value, str):
            verdict = _judge_function(value, module if isinstance(module, str) else "builtins")
            if verdict is not None:
                return verdict
        if isinstance(value, dict) and not isinstance(value.get("class_name"), str):
            return LAMBDA, f"the {key} of a Lambda layer is no known form of a function"
    return None


def _judge_operator(name: str, config: object) -> tuple[Rule, str] | None:
    """A layer of tf.keras that calls a function of TensorFlow by name, or holds a node of a graph."""
    function = config.get("function") if isinstance(config, dict) else None
    if isinstance(function, str):
        if function in _group("operators", "names") or function.startswith(_group("operators", "prefixes")):
            return None
        if function.startswith(
            ("io.", "raw_ops.", "py_function", "numpy_function", "saved_model.", "compat.v1.py_func")
        ):
            return FUNCTION, f"the layer {name} calls TensorFlow's {function[:_SHOWN]}"
    return CUSTOM, f"the layer {name} calls {str(function)[:_SHOWN]}, which is not known to be safe"


def _judge_lookup(name: str, config: object) -> tuple[Rule, str] | None:
    if isinstance(config, dict):
        for key in _PATH_KEYS:
            value = config.get(key)
            if isinstance(value, str) and value:
                return PATH, f"the {key} of {name} is {value[:_SHOWN]!r}"
    return None
