"""A judged file reaches the loader its scan picks, or nothing does."""

from __future__ import annotations

import gzip
import io
import pickle
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from modelsign.artifact.model import open_artifact
from modelsign.artifact.snapshot import take_snapshot
from modelsign.errors import ModelsignError
from modelsign.guard.handover import hand_over, pick_file, pick_loader
from modelsign.guard.loader import LoadOptions
from modelsign.guard.loaders import _index
from modelsign.scan.engine import scan_artifact
from modelsign.verdict import CheckResult, FileScan, Finding, Outcome, PolicyName, ScanResult, Severity, Verdict

joblib = pytest.importorskip("joblib")
np = pytest.importorskip("numpy")
save_arrays = pytest.importorskip("safetensors.numpy").save


@contextmanager
def snapshot_of(path):
    with open_artifact(path) as artifact, take_snapshot(artifact) as snapshot:
        yield snapshot


def verdict_on(snapshot, **changes) -> CheckResult:
    """The verdict a policy would reach, with the scan of the very copy; changes are made to the scanned files."""
    scan = scan_artifact(snapshot)
    files = tuple(replace(file, **changes) for file in scan.files)
    return CheckResult(Verdict.ALLOW, PolicyName("test", "0" * 64), (), scan=replace(scan, files=files))


@pytest.fixture
def copied(tmp_path):
    """Return a maker of snapshots of folders that hold the given files."""
    with ExitStack() as stack:

        def make(**files: bytes):
            folder = tmp_path / "model"
            for name, data in files.items():
                place = folder / name.replace("__", "/").replace("_dot_", ".")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
            return stack.enter_context(snapshot_of(folder))

        yield make


def run(snapshot, verdict=None, *, file=None, insecure_unverified=False, **options):
    result = verdict_on(snapshot) if verdict is None else verdict
    return hand_over(
        snapshot,
        result,
        file=file,
        options=LoadOptions(**options),
        insecure_unverified=insecure_unverified,
    )


def refusal(*arguments, **keywords) -> ModelsignError:
    with pytest.raises(ModelsignError) as caught:
        run(*arguments, **keywords)
    return caught.value


ARRAYS = save_arrays({"w": np.arange(3.0)})


def npy(array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_the_only_file_that_is_not_inert_is_loaded(copied):
    snapshot = copied(weights_dot_safetensors=ARRAYS, config_dot_json=b"{}")
    assert run(snapshot)["w"].tolist() == [0.0, 1.0, 2.0]


def test_a_file_in_a_folder_is_loaded_by_its_name(copied):
    snapshot = copied(a__x_dot_npy=npy(np.arange(2)), b__x_dot_npy=npy(np.arange(3)))
    assert run(snapshot, file="b/x.npy").tolist() == [0, 1, 2]


def test_a_single_file_is_loaded(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(ARRAYS)
    with snapshot_of(path) as snapshot:
        loaded = hand_over(snapshot, verdict_on(snapshot), file=None, options=LoadOptions())
    assert loaded["w"].tolist() == [0.0, 1.0, 2.0]


def test_no_loader_gets_a_path_that_somebody_else_could_exchange(copied, monkeypatch):
    import modelsign.guard.handover as module  # noqa: PLC0415 - to look over its shoulder

    seen = []
    monkeypatch.setattr(module, "_run", seen.append)
    snapshot = copied(weights_dot_safetensors=ARRAYS)
    run(snapshot)
    assert seen[0].path == f"/proc/self/fd/{snapshot.descriptors['weights.safetensors']}"


def test_the_scan_picks_the_loader_and_not_the_name(copied):
    assert run(copied(weights_dot_pkl=ARRAYS))["w"].tolist() == [0.0, 1.0, 2.0]


def test_several_loadable_files_need_a_name(copied):
    fault = refusal(copied(**{f"x{number}_dot_npy": npy(np.arange(2)) for number in range(7)}))
    assert fault.code == "LOAD_FILE_NOT_NAMED"
    assert len(fault.details["files"]) == 7
    assert fault.message.endswith("…")


def test_a_name_outside_the_manifest_is_refused(copied):
    for name in ("other.npy", "../model/x.npy", "/etc/passwd", ""):
        assert refusal(copied(x_dot_npy=npy(np.arange(2))), file=name).code == "LOAD_NO_SUCH_FILE"


def test_a_model_of_inert_files_holds_nothing_to_load(copied):
    assert refusal(copied(config_dot_json=b"{}")).code == "LOAD_NOTHING"


def test_an_inert_file_has_no_loader(copied):
    assert refusal(copied(config_dot_json=b"{}"), file="config.json").code == "LOAD_NO_LOADER"


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.CLEAN])
def test_only_a_clean_file_is_handed_over(copied, outcome):
    snapshot = copied(x_dot_npy=npy(np.arange(2)))
    finding = Finding("R", Severity.HIGH, outcome, "is odd")
    fault = refusal(snapshot, verdict_on(snapshot, outcome=outcome, findings=(finding,)))
    assert fault.code == "LOAD_NOT_CLEAN"
    assert "is odd" in fault.message


def test_an_unverified_file_is_handed_over_only_when_the_caller_insists(copied):
    snapshot = copied(x_dot_npy=npy(np.arange(2)))
    verdict = verdict_on(snapshot, outcome=Outcome.UNVERIFIED)
    assert run(snapshot, verdict, insecure_unverified=True).tolist() == [0, 1]


@pytest.mark.parametrize("outcome", [Outcome.UNSAFE, Outcome.INCOMPLETE, Outcome.UNSUPPORTED])
def test_no_insistence_helps_a_worse_file(copied, outcome):
    snapshot = copied(x_dot_npy=npy(np.arange(2)))
    assert refusal(snapshot, verdict_on(snapshot, outcome=outcome), insecure_unverified=True).code == "LOAD_NOT_CLEAN"


@pytest.mark.parametrize("digest", [None, "0" * 64])
def test_bytes_other_than_the_scanned_ones_are_never_handed_over(copied, digest):
    snapshot = copied(x_dot_npy=npy(np.arange(2)))
    assert refusal(snapshot, verdict_on(snapshot, sha256=digest)).code == "LOAD_NOT_CLEAN"


def test_a_file_with_two_readings_is_refused(copied):
    snapshot = copied(x_dot_npy=npy(np.arange(2)))
    assert refusal(snapshot, verdict_on(snapshot, format="numpy+pickle")).code == "LOAD_AMBIGUOUS"


def test_without_a_scan_in_the_verdict_the_copy_is_scanned(copied):
    snapshot = copied(x_dot_npy=npy(np.arange(2)))
    unscanned = CheckResult(Verdict.ALLOW, PolicyName("test", "0" * 64), ())
    assert run(snapshot, unscanned).tolist() == [0, 1]


def test_a_library_error_becomes_a_reason_with_its_cause(copied):
    snapshot = copied(x_dot_npy=npy(np.arange(2)))
    fault = refusal(snapshot, verdict_on(snapshot, format="pickle"))
    assert fault.code == "LOAD_FAILED"
    assert isinstance(fault.__cause__, pickle.UnpicklingError)


@pytest.mark.parametrize("library", ["safetensors", "numpy"])
def test_a_missing_library_is_named_with_its_extra(copied, monkeypatch, library):
    data = {"safetensors": ARRAYS, "numpy": npy(np.arange(2))}[library]
    snapshot = copied(x_dot_bin=data)
    verdict = verdict_on(snapshot)
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    fault = refusal(snapshot, verdict)
    assert fault.code == "LOAD_LIBRARY_MISSING"
    assert f"modelsign[{library}]" in fault.advice


def test_a_module_missing_from_the_model_is_not_taken_for_the_library(copied):
    snapshot = copied(x_dot_pkl=b"cno_such_module\nClass\n.")
    scan = FileScan("x.pkl", snapshot.digests["x.pkl"], 23, "pickle", Outcome.CLEAN, globals=("no_such_module.Class",))
    verdict = replace(verdict_on(snapshot), scan=ScanResult(Outcome.CLEAN, "0" * 64, (scan,)))
    assert refusal(snapshot, verdict).code == "LOAD_FAILED"


def test_a_compressed_array_is_unpacked_as_the_scan_unpacked_it(copied):
    snapshot = copied(x_dot_npy_dot_gz=gzip.compress(npy(np.arange(40_000))))
    assert run(snapshot).tolist() == list(range(40_000))


@pytest.mark.parametrize("method", ["zlib", "gzip", "bz2", "xz", "lzma"])
def test_compressed_joblib_dumps_are_loaded(copied, method):
    stream = io.BytesIO()
    joblib.dump({"w": np.arange(1000.0), "n": "x"}, stream, compress=(method, 3))
    loaded = run(copied(m_dot_joblib=stream.getvalue()))
    assert loaded["w"].tolist() == list(range(1000))
    assert loaded["n"] == "x"


def test_a_compressed_payload_is_not_clean(copied, payload):
    snapshot = copied(m_dot_joblib=gzip.compress(payload))
    fault = refusal(snapshot)
    assert fault.code == "LOAD_NOT_CLEAN"


def test_a_compressed_payload_is_refused_even_if_a_verdict_called_it_clean(copied, payload):
    snapshot = copied(m_dot_joblib=gzip.compress(payload))
    verdict = verdict_on(snapshot, outcome=Outcome.CLEAN, findings=(), format="compressed")
    assert refusal(snapshot, verdict).code == "LOAD_NOT_CLEAN"


def test_a_cut_stream_is_refused_even_if_a_verdict_called_it_clean(copied):
    snapshot = copied(x_dot_npy_dot_gz=gzip.compress(npy(np.arange(4000)))[:-9])
    verdict = verdict_on(snapshot, outcome=Outcome.CLEAN, findings=(), format="compressed")
    assert refusal(snapshot, verdict).code == "LOAD_FAILED"


def test_the_loader_of_each_format_is_the_only_one():
    def scan(reading: str, *names: str) -> FileScan:
        return FileScan("f", "0" * 64, 1, reading, Outcome.CLEAN, globals=names)

    assert pick_loader(scan("safetensors")).id == "safetensors"
    assert pick_loader(scan("pytorch")).id == "torch"
    assert pick_loader(scan("numpy")).id == "numpy"
    assert pick_loader(scan("pickle")).id == "pickle"
    assert pick_loader(scan("pickle", "joblib.numpy_pickle.NumpyArrayWrapper")).id == "joblib"
    with pytest.raises(ModelsignError) as caught:
        pick_loader(scan("gguf"))
    assert caught.value.code == "LOAD_NO_LOADER"


def test_two_loaders_for_one_file_are_one_too_many(monkeypatch):
    monkeypatch.setattr(_index, "IDS", ("numpy", "numpy"))
    with pytest.raises(ModelsignError) as caught:
        pick_loader(FileScan("f", "0" * 64, 1, "numpy", Outcome.CLEAN))
    assert caught.value.code == "LOAD_AMBIGUOUS"


def test_a_name_picks_among_scanned_files_exactly():
    files = tuple(FileScan(name, "0" * 64, 1, "numpy", Outcome.CLEAN) for name in ("a", "A"))
    scan = ScanResult(Outcome.CLEAN, "0" * 64, files)
    assert pick_file(scan, "A").path == "A"
