"""Writes pickles opcode by opcode: inert gadgets by every route an unpickler offers. Nothing here is ever loaded.

``gadgets`` are names known to be dangerous, from the advisories and the standard library's own reference; ``routes``
say how a pickle can reach a name and use it. Their product is the corpus.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PROTO2, PROTO4 = b"\x80\x02", b"\x80\x04"
STOP = b"."


def short(text: str) -> bytes:
    """SHORT_BINUNICODE, or BINUNICODE where it is longer."""
    data = text.encode()
    return b"\x8c" + bytes([len(data)]) + data if len(data) < 256 else b"X" + struct.pack("<I", len(data)) + data


def binary(data: bytes) -> bytes:
    """BINBYTES."""
    return b"B" + struct.pack("<I", len(data)) + data


def name(module: str, qualname: str) -> bytes:
    """GLOBAL."""
    return b"c" + module.encode() + b"\n" + qualname.encode() + b"\n"


def stack_name(module: str, qualname: str) -> bytes:
    """STACK_GLOBAL of two short strings."""
    return short(module) + short(qualname) + b"\x93"


def frame(body: bytes, length: int | None = None) -> bytes:
    """FRAME around a body, or of another length."""
    return b"\x95" + struct.pack("<Q", len(body) if length is None else length) + body


ARGUMENT = short("true") + b"\x85"

GADGETS: tuple[tuple[str, str], ...] = tuple(
    (module, qualname)
    for module, names in {
        "os": "system popen execv spawnl remove environ",
        "posix": "system popen fork",
        "nt": "system startfile",
        "subprocess": "Popen call check_output run getoutput",
        "pty": "spawn",
        "builtins": "eval exec compile open __import__ getattr breakpoint input setattr globals map",
        "runpy": "run_path run_module _run_code",
        "pip": "main",
        "pip._internal": "main",
        "pkgutil": "resolve_name",
        "operator": "methodcaller",
        "_operator": "methodcaller",
        "uuid": "_get_command_stdout _popen",
        "imaplib": "IMAP4_stream",
        "idlelib.pyshell": "ModifiedInterpreter.runcode",
        "idlelib.run": "Executive.runcode",
        "idlelib.calltip": "get_entity",
        "lib2to3.pgen2.grammar": "Grammar.loads",
        "lib2to3.pgen2.pgen": "ParserGenerator.make_label",
        "numpy.f2py": "compile",
        "numpy.f2py.crackfortran": "myeval getlincoef",
        "numpy.testing._private.utils": "runstring",
        "torch.utils.collect_env": "run",
        "torch.utils.bottleneck.__main__": "run_cprofile",
        "torch.utils._config_module": "ConfigModule.load_config",
        "torch.utils.data.datapipes.utils.decoder": "basichandlers",
        "torch.jit.unsupported_tensor_ops": "execWrapper",
        "torch._inductor.codecache": "compile_file",
        "torch._dynamo.guards": "GuardBuilder.get",
        "torch.fx.experimental.symbolic_shapes": "ShapeEnv.evaluate_guards_expression",
        "torch.serialization": "load",
        "torch.hub": "load",
        "torch": "load",
        "asyncio.unix_events": "_UnixSubprocessTransport._start",
        "cProfile": "run runctx",
        "profile": "run",
        "timeit": "timeit",
        "trace": "Trace.run",
        "doctest": "debug_script",
        "bdb": "Bdb.run",
        "pdb": "run runeval",
        "code": "interact InteractiveInterpreter.runcode",
        "codeop": "compile_command",
        "pydoc": "pipepager locate",
        "ctypes": "CDLL string_at",
        "_ctypes": "dlopen",
        "marshal": "loads",
        "pickle": "loads load",
        "_pickle": "loads",
        "types": "FunctionType CodeType",
        "importlib": "import_module",
        "importlib.machinery": "SourceFileLoader",
        "imp": "load_source",
        "zipimport": "zipimporter",
        "webbrowser": "open",
        "http.client": "HTTPSConnection",
        "urllib.request": "urlopen",
        "socket": "create_connection",
        "ftplib": "FTP",
        "smtplib": "SMTP",
        "telnetlib": "Telnet",
        "xmlrpc.client": "ServerProxy",
        "requests.api": "get",
        "aiohttp.client": "ClientSession",
        "shutil": "rmtree copyfile",
        "pathlib": "Path.write_text Path.unlink",
        "logging.config": "dictConfig fileConfig",
        "logging": "FileHandler",
        "multiprocessing.util": "spawnv_passfds",
        "multiprocessing.reduction": "ForkingPickler.loads",
        "distutils.file_util": "write_file",
        "distutils.spawn": "spawn",
        "ensurepip": "_run_pip",
        "venv": "create",
        "sys": "modules settrace exit",
        "tempfile": "mktemp",
        "io": "open FileIO",
        "_io": "FileIO",
        "codecs": "open",
        "fileinput": "FileInput",
        "linecache": "getline",
        "signal": "signal",
        "threading": "Thread",
        "_thread": "start_new_thread",
        "functools": "reduce",
        "itertools": "starmap",
        "atexit": "register",
        "inspect": "getattr_static",
        "gc": "get_objects",
        "test.support.script_helper": "assert_python_ok",
        "_pyrepl.pager": "pipe_pager",
        "_osx_support": "_read_output",
        "_aix_support": "_read_cmd_output",
        "cloudpickle.cloudpickle": "_make_function subimport",
        "dill._dill": "_create_function _import_module",
        "joblib": "load",
        "joblib.numpy_pickle": "load",
        "numpy": "load fromfile memmap",
        "pandas": "read_pickle read_csv",
        "pandas.core.computation.eval": "eval",
        "yaml": "unsafe_load",
        "sympy": "sympify",
        "mlflow.projects.backend.local": "_run_entry_point",
        "numba": "jit",
    }.items()
    for qualname in names.split()
)
"""Names known to be dangerous."""

PYTHON2_GADGETS: tuple[tuple[str, str], ...] = (
    ("__builtin__", "eval"),
    ("__builtin__", "execfile"),
    ("__builtin__", "apply"),
    ("__builtin__", "reduce"),
    ("commands", "getoutput"),
    ("cPickle", "loads"),
    ("httplib", "HTTPConnection"),
    ("urllib2", "urlopen"),
    ("imp", "load_module"),
    ("os", "popen2"),
    ("popen2", "popen2"),
    ("itertools", "imap"),
    ("UserDict", "os.system"),
)


def reduce_global(module: str, qualname: str) -> bytes:
    """GLOBAL, REDUCE, protocol 0 style."""
    return name(module, qualname) + b"(" + short("true") + b"tR."


def reduce_stack(module: str, qualname: str) -> bytes:
    """STACK_GLOBAL, REDUCE."""
    return PROTO4 + stack_name(module, qualname) + ARGUMENT + b"R."


def stack_by_memo(module: str, qualname: str) -> bytes:
    """The two strings come out of the memo, in a mix of PUT, MEMOIZE and GET."""
    return (
        PROTO4 + short(module) + b"\x94" + short("decoy") + b"q\x05" + short(qualname) + b"r\x07\x00\x00\x00000"
        b"h\x00j\x07\x00\x00\x00\x93" + ARGUMENT + b"R."
    )


def memo_by_count(module: str, qualname: str) -> bytes:
    """MEMOIZE twice on one string: the index is the number of entries, not of strings."""
    return PROTO4 + short(module) + b"\x94\x94" + short(qualname) + b"\x940h\x01h\x02\x93" + ARGUMENT + b"R."


def stack_of_other_strings(module: str, qualname: str) -> bytes:
    """UNICODE and BINUNICODE8."""
    long = b"\x8d" + struct.pack("<Q", len(qualname.encode())) + qualname.encode()
    return PROTO4 + b"V" + module.encode() + b"\n" + long + b"\x93" + ARGUMENT + b"R."


def duplicated(module: str, qualname: str) -> bytes:
    """DUP of the name; the copy is called."""
    return PROTO4 + stack_name(module, qualname) + b"2" + ARGUMENT + b"R."


def inst(module: str, qualname: str) -> bytes:
    """INST."""
    return b"(" + short("true") + b"i" + module.encode() + b"\n" + qualname.encode() + b"\n."


def obj(module: str, qualname: str) -> bytes:
    """OBJ."""
    return b"(" + name(module, qualname) + short("true") + b"o."


def obj_popped(module: str, qualname: str) -> bytes:
    """OBJ, whose result is dropped."""
    return b"N(" + name(module, qualname) + short("true") + b"o0."


def newobj(module: str, qualname: str) -> bytes:
    """NEWOBJ."""
    return PROTO4 + stack_name(module, qualname) + ARGUMENT + b"\x81."


def newobj_ex(module: str, qualname: str) -> bytes:
    """NEWOBJ_EX."""
    return PROTO4 + stack_name(module, qualname) + ARGUMENT + b"}\x92."


def build(module: str, qualname: str) -> bytes:
    """BUILD on the name itself."""
    return PROTO4 + stack_name(module, qualname) + b"}" + short("x") + short("y") + b"sb."


def slot_state(module: str, qualname: str) -> bytes:
    """BUILD with slot state that stores the name as an attribute of an instance."""
    return (
        PROTO4 + stack_name("fractions", "Fraction") + b"K\x01K\x02\x86RN}" + short("__class__")
        + stack_name(module, qualname) + b"s\x86b."
    )  # fmt: skip


def stored(module: str, qualname: str) -> bytes:
    """Only imported, and kept in a list in a dict."""
    return PROTO4 + b"}" + short("key") + b"]" + stack_name(module, qualname) + b"as."


def factory(module: str, qualname: str) -> bytes:
    """As the factory of a defaultdict."""
    return PROTO4 + stack_name("collections", "defaultdict") + stack_name(module, qualname) + b"\x85R."


def partial(module: str, qualname: str) -> bytes:
    """As the function of a functools.partial."""
    return PROTO4 + stack_name("functools", "partial") + stack_name(module, qualname) + b"\x85R."


def reconstructed(module: str, qualname: str) -> bytes:
    """As the class of numpy's _reconstruct."""
    return (
        PROTO4 + stack_name("numpy._core.multiarray", "_reconstruct") + stack_name(module, qualname)
        + b"K\x00\x85C\x01b\x87R."
    )  # fmt: skip


def dotted(module: str, qualname: str) -> bytes:
    """Through an attribute of another module."""
    return PROTO4 + stack_name("torch", f"{module}.{qualname}") + ARGUMENT + b"R."


def framed(module: str, qualname: str) -> bytes:
    """Inside a frame."""
    return PROTO4 + frame(stack_name(module, qualname) + ARGUMENT + b"R.")


def second_stream(module: str, qualname: str) -> bytes:
    """In the third pickle of a stream."""
    return PROTO4 + b"N." + PROTO4 + b"}." + reduce_stack(module, qualname)


def before_breakage(module: str, qualname: str) -> bytes:
    """Before bytes that are no pickle."""
    return reduce_stack(module, qualname)[:-1] + b"\xff\xff\xff"


def truncated(module: str, qualname: str) -> bytes:
    """Before the end of the file, without STOP."""
    return reduce_stack(module, qualname)[:-1]


def after_array(module: str, qualname: str) -> bytes:
    """Behind an ordinary array, by the array's own memo."""
    array = stack_name("numpy", "dtype") + short("f8") + b"\x89\x88\x87R"
    return PROTO4 + b"(" + array + stack_name(module, qualname) + ARGUMENT + b"Rt."


def nested_torch(module: str, qualname: str) -> bytes:
    """Inside the bytes of a pickled PyTorch storage."""
    magic = PROTO2 + b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
    inner = magic + PROTO2 + b"M\xe9\x03." + PROTO2 + b"}." + reduce_stack(module, qualname) + PROTO2 + b"]."
    return PROTO4 + stack_name("torch.storage", "_load_from_bytes") + binary(inner) + b"\x85R."


def behind_frame(payload: bytes) -> bytes:
    """A string that crosses its frame's end: read straight on, or from behind the frame (python/cpython gh-154848).

    Straight on, the string is ``abc``, then None is returned. A file reader drops ``ab`` with the rest of the frame,
    takes ``cN.`` for the string, pops it, and goes on to the payload.
    """
    return PROTO4 + frame(b"X" + struct.pack("<I", 3) + b"ab") + b"cN." + b"0" + payload


ROUTES: tuple[Callable[[str, str], bytes], ...] = (
    reduce_global, reduce_stack, stack_by_memo, memo_by_count, stack_of_other_strings, duplicated, inst, obj,
    obj_popped, newobj, newobj_ex, build, slot_state, stored, factory, partial, reconstructed, dotted, framed,
    second_stream, before_breakage, truncated, after_array, nested_torch,
)  # fmt: skip
"""How a pickle reaches a name."""
