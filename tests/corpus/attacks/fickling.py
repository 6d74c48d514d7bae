"""The advisories of fickling."""

from __future__ import annotations

import picklebytes as p

from attacks.attack import Attack, bare, calls


def _name(identifier: str, what: str, module: str, qualname: str, capability: str = "execute", *also: str) -> Attack:
    return Attack(identifier, what, *calls(module, qualname, capability), also=also)


ATTACKS: tuple[Attack, ...] = (
    _name("GHSA-r7v6-mfhq-g3m2", "pty was not on the list", "pty", "spawn", "execute", "CVE-2025-67748"),
    _name(
        "GHSA-565g-hwwr-4pp3",
        "types makes a function from marshalled code",
        "types",
        "FunctionType",
        "execute",
        "CVE-2025-67747",
    ),
    _name("GHSA-565g-hwwr-4pp3 (marshal)", "marshal loads code", "marshal", "loads", "nested-deserialisation"),
    _name("GHSA-wfq2-52f7-7qvj", "runpy runs a file", "runpy", "run_path", "execute", "CVE-2026-22606"),
    _name("GHSA-p523-jq9w-64x9", "cProfile runs text", "cProfile", "run", "execute", "CVE-2026-22607"),
    _name("GHSA-5hvc-6wx8-mvv4", "ctypes loads a library", "ctypes", "CDLL", "native-code", "CVE-2026-22608"),
    _name("GHSA-5hvc-6wx8-mvv4 (pydoc)", "pydoc finds anything by its name", "pydoc", "locate", "import"),
    _name("GHSA-q5qq-mvfm-j35x", "importlib imports by name", "importlib", "import_module", "import", "CVE-2026-22609"),
    _name("GHSA-q5qq-mvfm-j35x (code)", "code runs text", "code", "interact"),
    _name(
        "GHSA-q5qq-mvfm-j35x (multiprocessing)",
        "multiprocessing starts a program",
        "multiprocessing.util",
        "spawnv_passfds",
    ),
    Attack(
        "GHSA-h4rm-mm56-xf63",
        "builtins' __import__ left no trace in what was analysed",
        bare(
            p.PROTO4
            + p.stack_name("builtins", "getattr")
            + p.stack_name("builtins", "__import__")
            + p.short("os")
            + b"\x85R"
            + p.short("system")
            + b"\x86R"
            + p.ARGUMENT
            + b"R."
        ),
        "pickle-import",
        also=("CVE-2026-22612",),
    ),
    Attack(
        "GHSA-mxhj-88fx-4pcv",
        "a call by OBJ, whose result POP throws away, was not seen",
        bare(p.obj_popped("os", "system")),
        "pickle-execute",
    ),
    _name("GHSA-5hwf-rc88-82xm", "uuid runs a command", "uuid", "_get_command_stdout"),
    _name("GHSA-5hwf-rc88-82xm (_aix_support)", "_aix_support runs a command", "_aix_support", "_read_cmd_output"),
    _name("GHSA-5hwf-rc88-82xm (_osx_support)", "_osx_support runs a command", "_osx_support", "_read_output"),
    Attack(
        "GHSA-5j3x-jp52-966f",
        "a dotted name reaches a dangerous module through one of the standard library",
        bare(p.reduce_stack("collections", "_sys.modules.get")),
        "pickle-environment",
    ),
    _name("GHSA-6ggj-6f2q-f7mx", "a private module makes interpreters", "_interpreters", "run_string", "native-code"),
    Attack(
        "GHSA-cffv-grgg-g429",
        "one analysis shadowed another, and a name on no list passed",
        *calls("smtplib", "SMTP", "network"),
        also=("the MLAllowlist that did nothing",),
    ),
    Attack(
        "GHSA-mhc9-48gj-9gp3",
        "a BUILD behind the call made it look like an object's state",
        bare(p.PROTO4 + p.stack_name("signal", "signal") + p.ARGUMENT + b"R}b."),
        "pickle-execute",
    ),
    _name(
        "GHSA-mhc9-48gj-9gp3 (socketserver)",
        "a server was a likely safe import",
        "socketserver",
        "TCPServer",
        "network",
    ),
    _name("GHSA-mhc9-48gj-9gp3 (compileall)", "so was what writes", "compileall", "compile_dir", "write"),
    _name("GHSA-mhc9-48gj-9gp3 (sqlite3)", "so was what makes files and runs SQL", "sqlite3", "connect"),
    _name("GHSA-m6fh-58r7-x697", "_posixsubprocess starts a program", "_posixsubprocess", "fork_exec"),
    _name("GHSA-m6fh-58r7-x697 (site)", "site runs the lines of a path file", "site", "addpackage", "import"),
    Attack(
        "ScannerDeactivation",
        "the pickle imports the scanner itself, to switch it off",
        bare(p.reduce_stack("fickling.hook", "remove_hook")),
        "pickle-unknown-global",
        outcome="unverified",
    ),
    Attack(
        "billion laughs",
        "tuples of tuples: little to read, and no end to what is made of it",
        bare(p.PROTO4 + p.short("a") + b"2\x86" * 400 + p.stack_name("os", "system") + p.ARGUMENT + b"R\x86."),
        "pickle-execute",
    ),
    Attack(
        "gh-154848",
        "a frame ends in the middle of an opcode: CPython's unpicklers of files and of bytes read two programs",
        bare(p.behind_frame(p.stack_name("os", "system") + p.ARGUMENT + b"R.")),
        "pickle-execute",
        also=("trailofbits/fickling#317",),
    ),
)
