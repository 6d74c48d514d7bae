"""What the recall family (tests/corpus) found first: each stays found, and its harmless neighbour stays quiet."""

from __future__ import annotations

import model_files
import packed_files
import picklebytes as p
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan import knowledge
from modelsign.scan.engine import scan_file

EVIL = p.reduce_stack("posix", "system")


def scan(data: bytes, name: str = "model.pkl"):
    return scan_file(BytesReading(data), name)


def rules(data: bytes, name: str = "model.pkl") -> set[str]:
    return {finding.rule for finding in scan(data, name).findings}


def test_a_memo_kept_from_the_first_pickle_counts_where_the_second_is_broken_without_it():
    first = p.PROTO4 + p.short("posix") + b"q\x05" + p.short("system") + b"q\x06\x86."
    data = first + p.PROTO4 + b"h\x05h\x06\x93" + p.ARGUMENT + b"R."
    assert scan(data).outcome == "unsafe"
    assert rules(first + b"h\x09.") == {"pickle-trailing-bytes"}


@pytest.mark.parametrize("before", [p.PROTO4 + b"}.", p.PROTO4 + p.frame(b"}.")])
def test_a_frame_that_is_dropped_counts_behind_another_pickle_too(before):
    assert scan(before + p.behind_frame(p.stack_name("posix", "system") + p.ARGUMENT + b"R.")).outcome == "unsafe"


def test_an_unpickler_of_its_own_for_each_pickle_skips_the_rest_of_the_frame_before():
    """The frame holds two opcodes more than the first pickle; straight on they swallow the payload as a text."""
    rest = b"B" + (len(EVIL)).to_bytes(4, "little")
    data = p.PROTO4 + p.frame(b"N." + rest) + EVIL + b"."
    assert scan(data).outcome == "unsafe"


def test_pickles_behind_an_older_pytorch_stream_count():
    data = model_files.pytorch_legacy()
    assert scan(data + EVIL, "model.pt").outcome == "unsafe"
    assert scan(data[:-20] + EVIL, "model.pt").outcome == "unsafe"
    assert rules(data + b"\1\2\3", "model.pt") == {"pickle-trailing-bytes"}


def test_pickles_behind_a_record_of_the_oldest_pytorch_form_count():
    data = packed_files.pytorch_tar(storages=p.PROTO2 + b"N." + p.PROTO2 + b"}." + EVIL)
    assert scan(data, "model.pt").outcome == "unsafe"


@pytest.mark.parametrize("start", [b"cposix\nsystem\n(S'true'\ntR.", b"(S'true'\niposix\nsystem\n."])
def test_a_pickle_without_a_protocol_is_found_among_the_numbers_too(start):
    data = model_files.pytorch(extra={"archive/data/1": start.ljust(64, b"\0")})
    assert scan(data, "model.pt").outcome == "unsafe"


@pytest.mark.parametrize("numbers", [b"(", b"c_", b"(S", b"((((", b"cat\nsat\n", b"(X\xff\xff\xff\xff"])
def test_numbers_that_begin_like_one_are_clean(numbers):
    data = model_files.pytorch(extra={"archive/data/1": numbers.ljust(64, b"\x3f")})
    assert scan(data, "model.pt").outcome == "clean"


def test_an_operator_may_be_stored_unverified_and_is_unsafe_when_called():
    stored = p.PROTO4 + p.stack_name("operator", "add") + b"."
    called = p.PROTO4 + p.stack_name("operator", "add") + p.short("po") + p.short("six") + b"\x86R."
    assert scan(stored).outcome == "unverified"
    assert scan(called).outcome == "unsafe"
    assert scan(p.reduce_stack("torch", "operator.add")).outcome == "unsafe"
    assert scan(p.reduce_stack("mine.operator", "Thing")).outcome == "unverified"


def test_an_enumeration_takes_values_of_its_own_kind():
    assert scan(p.reduce_stack("ssl", "TLSVersion")).outcome == "unsafe"
    assert scan(p.reduce_stack("re", "RegexFlag")).outcome == "unverified"
    assert scan(p.PROTO4 + p.stack_name("ssl", "TLSVersion") + b"K\x01\x85R.").outcome == "clean"
    assert scan(p.reduce_stack("http", "HTTPMethod")).outcome == "clean"


def test_classes_may_not_be_made_by_type():
    made = p.PROTO4 + p.stack_name("builtins", "type") + b"(" + p.short("X") + b")}tR."
    assert scan(made).outcome == "unsafe"
    assert scan(p.PROTO4 + p.stack_name("builtins", "type") + b"N\x85R.").outcome == "clean"


@pytest.mark.parametrize("name", ["logging.getLogger", "logging.Logger", "types.SimpleNamespace"])
def test_what_is_excepted_from_a_dangerous_module_is_not_dangerous_and_what_lies_below_it_is(name):
    module, _, qualname = name.rpartition(".")
    assert knowledge.capability(module, qualname) is None
    assert knowledge.capability(module, f"{qualname}.anything") is not None
    assert knowledge.capability(module, "anything") is not None


@pytest.mark.parametrize("name", ["functools.partial", "builtins.type"])
def test_what_makes_callables_is_unverified_where_it_is_only_stored(name):
    module, _, qualname = name.rpartition(".")
    assert scan(p.stored(module, qualname)).outcome == "unverified"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("random", "_os.system"),
        ("collections", "_sys.modules.get"),
        ("torch.utils", "_osp.os.system"),
        ("joblib", "mp.Process"),
    ],
)
def test_a_module_is_known_by_the_name_under_which_another_imports_it(module, name):
    assert scan(p.reduce_stack(module, name)).outcome == "unsafe"


def test_a_storage_that_is_declared_larger_than_its_record_is_incomplete():
    """CVE-2026-24747: PyTorch before 2.10 read on behind the record."""
    declared = model_files.STATE.replace(b"cpuK\x03tQ", b"cpuK\x04tQ")
    assert rules(model_files.pytorch(declared), "model.pt") == {"pytorch-storage-size"}
    less = model_files.STATE.replace(b"cpuK\x03tQ", b"cpuK\x02tQ")
    assert scan(model_files.pytorch(less), "model.pt").outcome == "clean"
    upper = model_files.archive({"a/DATA.PKL": declared, "a/DATA/0": bytes(12), "a/version": b"3"})
    assert rules(upper, "model.pt") == {"pytorch-storage-size"}


ON_NOBODYS_LIST = [
    "turtle.config_dict",
    "optparse.Values.read_file",
    "dataclasses._create_fn",
    "copy._reconstruct",
    "gettext.translation",
    "_bootsubprocess.check_output",
    "cgitb.Hook",
    "cmd.Cmd.cmdloop",
    "pipes.Template",
    "xml.sax.make_parser",
    "warnings._getcategory",
    "xml.dom.domreg.getDOMImplementation",
    "string.Formatter.vformat",
    "builtins.str.format",
    "posixpath.exists",
    "pathlib.Path.resolve",
    "xml.dom.xmlbuilder.DOMBuilder.parse",
    "pstats.Stats",
    "torch._weights_only_unpickler.Unpickler",
    "torch.library.Library",
    "torch.utils._pytree.tree_map",
    "torch.utils.dlpack.from_dlpack",
    "scipy.LowLevelCallable",
    "scipy.io.loadmat",
    "joblib.disk.delete_folder",
    "joblib.func_inspect.open_py_source",
    "sklearn.utils.parallel.delayed",
    "transformers.dynamic_module_utils.get_class_from_dynamic_module",
    "tensorflow.io.gfile.GFile",
    "ray.remote",
    "importlib.reload",
    "pkgutil.resolve_name",
    "types.FunctionType",
    "_io.FileIO",
    "ctypes.CDLL",
    "numpy.f2py.compile",
    "pandas.eval",
    "zipimport.zipimporter",
    "code.InteractiveConsole",
    "_ctypes.dlopen",
    "uu.decode",
    "mimetypes.read_mime_types",
    "nis.cat",
    "contextlib.ExitStack",
    "enum.Enum",
    "aifc.open",
    "tabnanny.check",
    "sqlalchemy.create_engine",
]


@pytest.mark.parametrize("name", ON_NOBODYS_LIST)
def test_what_other_lists_lack_is_unsafe_to_call(name):
    """Found by reading the calls in every function of the standard library, and by looking for loaders elsewhere."""
    parts = name.split(".")
    module = ".".join(parts[:-1])
    assert scan(p.reduce_stack(module, parts[-1])).outcome == "unsafe"


def test_ordinary_neighbours_of_those_stay_what_they_are():
    assert scan(p.PROTO4 + p.stack_name("pathlib", "PosixPath") + p.short("a") + b"\x85R.").outcome == "clean"
    assert scan(p.stored("builtins", "str")).outcome == "clean"
    assert scan(p.reduce_stack("posixpath", "join")).outcome == "unverified"
    assert scan(p.stored("torch.utils.hooks", "RemovableHandle")).outcome in {"clean", "unverified"}
    assert scan(p.stored("enum", "Flag")).outcome == "unverified"
