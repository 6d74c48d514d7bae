"""Issues of modelscan, the literature on bypasses, and what was found on model hubs."""

from __future__ import annotations

import zlib

import picklebytes as p
from archive_files import Entry, sevenzip
from recall.parts import called, whole

from attacks.attack import EVIL, Attack, bare, calls


def _name(identifier: str, what: str, module: str, qualname: str, capability: str = "execute") -> Attack:
    return Attack(identifier, what, *calls(module, qualname, capability))


ATTACKS: tuple[Attack, ...] = (
    _name("protectai/modelscan#28", "dill makes a function from code", "dill._dill", "_create_function"),
    Attack(
        "protectai/modelscan#85",
        "BUILD with the state of slots sets any attribute, with a name that PUT kept",
        bare(p.slot_state("os", "system")),
        "pickle-execute",
    ),
    Attack(
        "protectai/modelscan#218",
        "a file that nobody understands was reported as one without issues",
        bare(b"\x01\x02 nothing anybody knows", "model.weights"),
        "unsupported-format",
        outcome="unsupported",
    ),
    Attack(
        "protectai/modelscan#263",
        "the advisories of picklescan apply to it as well",
        *calls("timeit", "timeit"),
    ),
    Attack(
        "protectai/modelscan#311",
        "of sixty ways to run code it found twenty-two: a name of importlib among those it did not",
        *calls("importlib.machinery", "SourceFileLoader", "import"),
    ),
    Attack(
        "protectai/modelscan#330",
        "modules leak __builtins__, and with them eval",
        bare(
            whole(
                called("operator", "getitem", p.stack_name("numpy", "__builtins__"), p.short("eval"))
                + p.ARGUMENT
                + b"R"
            )
        ),
        "pickle-attribute-access",
    ),
    _name("protectai/modelscan#338 (1)", "multiprocessing starts a program", "multiprocessing.util", "spawnv_passfds"),
    _name(
        "protectai/modelscan#338 (2)", "MLflow runs an entry point", "mlflow.projects.backend.local", "_run_entry_point"
    ),
    _name("protectai/modelscan#338 (3)", "pandas fetches a URL", "pandas.io.parsers.readers", "read_csv", "read"),
    _name(
        "protectai/modelscan#338 (4)",
        "collect_env, imported through another module",
        "torch.library",
        "torch.utils.collect_env.run",
    ),
    _name(
        "google/saferpickle#18",
        "the same names, behind an import that hides them",
        "torch.library",
        "torch.utils.collect_env.run",
    ),
    Attack(
        "picklescan#14",
        "PUT and MEMOIZE in a mix: which entry of the memo is which",
        bare(p.stack_by_memo("os", "system")),
        "pickle-execute",
    ),
    Attack(
        "picklescan#22",
        "MEMOIZE twice on one string, as in a capture-the-flag",
        bare(p.memo_by_count("os", "system")),
        "pickle-execute",
    ),
    Attack(
        "keyerror-exploit",
        "the memo is asked for what was never put there, behind the call",
        bare(p.PROTO4 + p.stack_name("os", "system") + p.ARGUMENT + b"Rj\xff\xff\xff\x00."),
        "pickle-execute",
    ),
    Attack(
        "type-confusion-exploit",
        "STACK_GLOBAL finds numbers where it looks for names, behind the call",
        bare(p.PROTO4 + p.stack_name("os", "system") + p.ARGUMENT + b"R0K\x01K\x02\x93."),
        "pickle-execute",
    ),
    Attack(
        "sys_module_override_sploit",
        "an entry of sys.modules is replaced, and imported again",
        bare(p.PROTO2 + p.name("sys", "modules") + p.short("os") + p.name("math", "sqrt") + b"s."),
        "pickle-environment",
    ),
    Attack(
        "picklescan#66",
        "a list of what is bad is never whole: a name on no list is not called clean",
        bare(p.reduce_stack("some_installed_package", "run_anything")),
        "pickle-unknown-global",
        outcome="unverified",
    ),
    Attack(
        "picklescan#74",
        "importlib and marshal were on no list",
        bare(
            whole(called("types", "FunctionType", called("marshal", "loads", b"C\x01N"), p.stack_name("mine", "scope")))
        ),
        "pickle-nested-deserialisation",
    ),
    Attack(
        "nullifAI",
        "the pickle is broken behind its payload, in a 7z archive under PyTorch's extension",
        bare(EVIL[:-1] + b"X", "model.bin"),
        "pickle-execute",
    ),
    Attack(
        "nullifAI (7z)",
        "the same in a 7z archive under PyTorch's extension: nobody looked inside",
        lambda: ("model.pt", sevenzip(Entry("model.pkl", EVIL[:-1] + b"X"))),
        "pickle-execute",
    ),
    Attack(
        "Sleepy Pickle",
        "the payload changes the model in memory: a class gets another method when the pickle is loaded",
        bare(
            whole(called("builtins", "setattr", p.stack_name("torch.nn", "Module"), p.short("forward"), p.short("x")))
        ),
        "pickle-attribute-access",
    ),
    Attack(
        "Hide and Seek (EOP)",
        "Exception-oriented programming: the payload runs, then an exception ends the scan and not the loader's caller",
        bare(p.PROTO4 + p.stack_name("os", "system") + p.ARGUMENT + b"R0" + b"\x80\x99" + b"."),
        "pickle-execute",
    ),
    Attack(
        "Hide and Seek (gadgets)",
        "a helper of a framework that runs text: 133 such gadgets were counted",
        *calls("torch._inductor.codecache", "compile_file"),
    ),
    Attack(
        "Hide and Seek (loading paths)",
        "joblib's old form: the pickle is compressed behind a head of its own",
        lambda: ("model.joblib", b"ZF" + f"{len(EVIL):#x}".ljust(19).encode() + zlib.compress(EVIL)),
        "pickle-execute",
    ),
    Attack(
        "Smashing Model Scanners",
        "a name built from pieces while loading, which no list can hold",
        bare(
            whole(
                called("operator", "add", p.short("o"), p.short("s")) + p.short("system") + b"\x93" + p.ARGUMENT + b"R"
            )
        ),
        "pickle-underivable",
    ),
    Attack(
        "CVE-2026-57845",
        "datasets' builder for pandas unpickles what it downloads",
        *calls("datasets.builder", "DatasetBuilder", "network"),
    ),
    Attack(
        "Stanza",
        "a loader that tries without code first and with code next: one name nobody knows is enough",
        bare(p.reduce_stack("stanza.models.common.pretrain", "Pretrain")[:-1] + b"0" + EVIL[2:]),
        "pickle-execute",
    ),
)
