"""The advisories of picklescan: names that its list lacked, and files that it did not read as their loaders do."""

from __future__ import annotations

import struct
import zlib

import model_files
import picklebytes as p

from attacks.attack import EVIL, Attack, bare, calls

_TORCH = model_files.pytorch(EVIL)
_MAGIC = p.PROTO2 + p.name("__builtin__", "eval") + p.short("0x1950A86A20F9469CFC6C") + b"\x85R."


def _name(identifier: str, what: str, module: str, qualname: str, capability: str = "execute", *also: str) -> Attack:
    return Attack(identifier, what, *calls(module, qualname, capability), also=also)


NAMES: tuple[Attack, ...] = (
    _name("CVE-2025-1716", "pip.main installs a package", "pip", "main"),
    _name(
        "GHSA-4r9r-ch6f-vxmx",
        "PyTorch's bottleneck profiles text as code",
        "torch.utils.bottleneck.__main__",
        "run_cprofile",
    ),
    _name(
        "GHSA-4whj-rm5r-c2v8",
        "PyTorch's bottleneck profiles text as code",
        "torch.utils.bottleneck.__main__",
        "run_autograd_prof",
    ),
    _name("GHSA-86cj-95qr-2p4f", "Dynamo's guards evaluate text", "torch._dynamo.guards", "GuardBuilder.get"),
    _name(
        "GHSA-f4x7-rfwp-v3xw",
        "symbolic shapes evaluate guards",
        "torch.fx.experimental.symbolic_shapes",
        "ShapeEnv.evaluate_guards_expression",
    ),
    _name("GHSA-f745-w6jp-hpxx", "collect_env runs a command", "torch.utils.collect_env", "run"),
    _name(
        "GHSA-jhph-76pp-mggw",
        "collect_env runs a command through another function",
        "torch.utils.collect_env",
        "run_and_read_all",
    ),
    _name(
        "GHSA-h3qp-7fh3-f8h4",
        "a data pipe's decoder unpickles",
        "torch.utils.data.datapipes.utils.decoder",
        "basichandlers",
    ),
    _name(
        "GHSA-vr7h-p6mm-wpmh",
        "the JIT's list of unsupported operators runs text",
        "torch.jit.unsupported_tensor_ops",
        "execWrapper",
    ),
    _name(
        "GHSA-vv6j-3g6g-2pvj",
        "a configuration of PyTorch's unpickles",
        "torch.utils._config_module",
        "ConfigModule.load_config",
    ),
    _name("GHSA-5qwp-399c-mjwf", "the tracer runs text", "trace", "Trace.run"),
    _name("GHSA-g344-hcph-8vgg", "the tracer runs text", "trace", "Trace.runctx"),
    _name("GHSA-x696-vm39-cp64", "the profiler runs text", "profile", "Profile.run"),
    _name("GHSA-6vqj-c2q5-j97w", "the profiler runs text", "profile", "Profile.runctx"),
    _name("GHSA-7wx9-6375-f5wh", "the profiler runs text", "profile", "run"),
    _name("GHSA-49gj-c84q-6qm9", "the C profiler runs text", "cProfile", "run"),
    _name("GHSA-9w88-8rmg-7g2p", "the C profiler runs text", "cProfile", "runctx"),
    _name(
        "GHSA-f54q-57x4-jg88", "a grammar unpickles", "lib2to3.pgen2.grammar", "Grammar.loads", "nested-deserialisation"
    ),
    _name(
        "GHSA-p9w7-82w4-7q8m",
        "a parser generator evaluates a label",
        "lib2to3.pgen2.pgen",
        "ParserGenerator.make_label",
    ),
    _name("GHSA-3vg9-h568-4w9m", "IDLE's object browser evaluates text", "idlelib.debugobj", "ObjectTreeItem.SetText"),
    _name("GHSA-6w4w-5w54-rjvr", "IDLE's completion evaluates text", "idlelib.autocomplete", "AutoComplete.get_entity"),
    _name(
        "GHSA-7cq8-mj8x-j263",
        "IDLE's completion evaluates text",
        "idlelib.autocomplete",
        "AutoComplete.fetch_completions",
    ),
    _name("GHSA-8r4j-24qv-fmq9", "IDLE's call tips evaluate text", "idlelib.calltip", "Calltip.fetch_tip"),
    _name("GHSA-9xph-j2h6-g47v", "IDLE's call tips evaluate text", "idlelib.calltip", "get_entity"),
    _name("GHSA-m869-42cg-3xwr", "IDLE's runner runs code", "idlelib.run", "Executive.runcode"),
    _name("GHSA-j343-8v2j-ff7w", "IDLE's shell runs a command", "idlelib.pyshell", "ModifiedInterpreter.runcommand"),
    _name("GHSA-3gf5-cxq9-w223", "IDLE's shell runs code", "idlelib.pyshell", "ModifiedInterpreter.runcode"),
    _name("GHSA-cj3c-v495-4xqh", "the interactive interpreter runs code", "code", "InteractiveInterpreter.runcode"),
    _name("GHSA-xp4f-hrf8-rxw7", "ensurepip runs pip", "ensurepip", "_run_pip"),
    _name("GHSA-fqq6-7vqf-w3fg", "doctest debugs a script", "doctest", "debug_script"),
    _name("GHSA-q77w-mwjj-7mqx", "asyncio starts a process", "asyncio.unix_events", "_UnixSubprocessTransport._start"),
    _name(
        "GHSA-f7qq-56ww-84cr",
        "a module below a blocked one was not blocked",
        "asyncio.unix_events",
        "ThreadedChildWatcher",
        "execute",
        "CVE-2025-10157",
    ),
    _name("GHSA-vvpj-8cmc-gx39", "pkgutil finds anything by its name", "pkgutil", "resolve_name", "import"),
    _name("GHSA-m273-6v24-x4m4", "distutils writes a file", "distutils.file_util", "write_file", "write"),
    _name("GHSA-4675-36f9-wf6r", "ctypes loads a library", "ctypes", "CDLL", "native-code"),
    _name(
        "GHSA-46h3-79wf-xr6c", "_operator's attrgetter is operator's", "_operator", "methodcaller", "attribute-access"
    ),
    _name("GHSA-vqmv-47xg-9wpr", "pty starts a program", "pty", "spawn"),
    _name("GHSA-r8g5-cgf2-4m4m", "f2py evaluates a coefficient", "numpy.f2py.crackfortran", "getlincoef"),
    _name("GHSA-6556-fwc2-fg2p", "f2py evaluates a length", "numpy.f2py.crackfortran", "_eval_length"),
    _name("GHSA-rrxm-2pvv-m66x", "f2py evaluates a scalar", "numpy.f2py.crackfortran", "_eval_scalar"),
    _name("GHSA-cffc-mxrf-mhh4", "f2py evaluates a parameter", "numpy.f2py.crackfortran", "param_eval"),
    _name("GHSA-3329-ghmp-jmv5", "f2py evaluates text", "numpy.f2py.crackfortran", "myeval"),
    _name("GHSA-x843-g5mx-g377", "NumPy's tests run text", "numpy.testing._private.utils", "runstring"),
    _name(
        "GHSA-hgrh-qx5j-jfwx",
        "names of the network were unknown: DNS, SMTP, FTP",
        "ssl",
        "get_server_certificate",
        "network",
    ),
    _name(
        "GHSA-9726-w42j-3qjr", "a file is read and a URL opened by other names", "urllib.request", "urlopen", "network"
    ),
    _name("GHSA-m7j5-r2p5-c39r", "a log handler makes a file", "logging", "FileHandler", "write", "CVE-2026-56304"),
    _name("GHSA-9m3x-qqw2-h32h", "a code object is made", "types", "CodeType"),
    _name(
        "cloudpickle's _make_function",
        "cloudpickle makes a function from code",
        "cloudpickle.cloudpickle",
        "_make_function",
    ),
    _name("GHSA-g38g-8gr9-h9xp", "uuid runs a command", "uuid", "_get_command_stdout", "execute", "CVE-2026-56315"),
    _name("GHSA-g38g-8gr9-h9xp (imaplib)", "imaplib runs a command", "imaplib", "IMAP4_stream"),
    _name(
        "GHSA-g38g-8gr9-h9xp (test)", "the test suite starts Python", "test.support.script_helper", "assert_python_ok"
    ),
    _name("GHSA-g38g-8gr9-h9xp (_osx_support)", "_osx_support runs a command", "_osx_support", "_read_output"),
    _name("GHSA-g38g-8gr9-h9xp (_aix_support)", "_aix_support runs a command", "_aix_support", "_read_cmd_output"),
    _name("GHSA-g38g-8gr9-h9xp (_pyrepl)", "the pager runs a command", "_pyrepl.pager", "pipe_pager"),
)


def _flagged(at: int, flag: int) -> bytes:
    changed = bytearray(_TORCH)
    struct.pack_into("<H", changed, at, flag)
    return bytes(changed)


FILES: tuple[Attack, ...] = (
    Attack(
        "CVE-2025-1889",
        "a PyTorch archive loads a member whose extension scanners skip",
        lambda: ("model.pt", model_files.pytorch(extra={"archive/config.p": EVIL})),
        "pickle-execute",
        also=("GHSA-769v-p64c-89pr",),
    ),
    Attack(
        "CVE-2025-1944",
        "a member is named otherwise in its own header than in the directory",
        lambda: ("model.pt", _TORCH.replace(b"archive/data.pkl", b"archive/datap.kl", 1)),
        "pickle-execute",
        also=("GHSA-7q5r-7gvp-wc82",),
    ),
    Attack(
        "CVE-2025-1945",
        "flags of a member say that it is encrypted; PyTorch does not look at them",
        lambda: ("model.pt", _flagged(6, 0x1)),
        "pickle-execute",
        also=("GHSA-w8jq-xcqf-f792",),
    ),
    Attack(
        "CVE-2025-10155",
        "a pickle under the extension of PyTorch's archives",
        bare(EVIL, "pytorch_model.bin"),
        "pickle-execute",
        also=("GHSA-jgw4-cr84-mqxg",),
    ),
    Attack(
        "CVE-2025-10156",
        "a wrong checksum makes a scanner give up; PyTorch loads the member",
        lambda: ("model.pt", _TORCH.replace(struct.pack("<I", zlib.crc32(EVIL)), b"\xde\xad\xbe\xef")),
        "pickle-execute",
        also=("GHSA-mjqp-26hc-grxg",),
    ),
    Attack(
        "GHSA-97f8-7cmv-76j2",
        "the magic number of an older PyTorch file is itself the result of a call",
        lambda: ("model.pt", _MAGIC + p.PROTO2 + b"M\xe9\x03." + p.PROTO2 + b"}." + p.PROTO2 + b"]." + EVIL),
        "pickle-execute",
    ),
    Attack(
        "GHSA-9gvj-pp9x-gcfr",
        "bytes behind the call stop a scanner that reads the whole pickle first",
        bare(EVIL[:-1] + b"\xff\xff\xff"),
        "pickle-execute",
    ),
    Attack(
        "GHSA-955r-x9j8-7rhh",
        "methodcaller of a module that pydoc.locate finds",
        lambda: (
            "model.pkl",
            p.PROTO4
            + p.stack_name("operator", "methodcaller")
            + p.short("system")
            + p.short("true")
            + b"\x86R"
            + p.stack_name("pydoc", "locate")
            + p.short("os")
            + b"\x85R\x85R.",
        ),
        "pickle-attribute-access",
    ),
    Attack(
        "GHSA-84r2-jw7c-4r5q",
        "a pickle that loads another pickle",
        lambda: ("model.pkl", p.PROTO4 + p.stack_name("_pickle", "loads") + p.binary(EVIL) + b"\x85R."),
        "pickle-nested-deserialisation",
    ),
)
"""What other readers make of the same bytes."""
