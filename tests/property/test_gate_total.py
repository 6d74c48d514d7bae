"""Whatever the bytes, the gate gives an object or a ModelsignError, and imports nothing the scan did not list."""

from __future__ import annotations

import io
import pickle
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path

import pytest
import signedmodels
from hypothesis import given
from hypothesis import strategies as st

from modelsign.artifact.model import open_artifact
from modelsign.artifact.snapshot import take_snapshot
from modelsign.errors import ModelsignError
from modelsign.guard.handover import hand_over
from modelsign.guard.loader import LoadOptions
from modelsign.scan.engine import scan_artifact
from modelsign.verdict import CheckResult, PolicyName, Verdict

joblib = pytest.importorskip("joblib")
np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

VALUE = OrderedDict(numbers=[1, 2.5, None], text="ü", array=np.arange(6.0).reshape(2, 3))


def _written(write, *arguments, **options) -> bytes:
    stream = io.BytesIO()
    write(*arguments, stream, **options) if write is not np.savez else np.savez(stream, **options)
    return stream.getvalue()


SEEDS = {
    "pickle": pickle.dumps(VALUE, 4),
    "old pickle": pickle.dumps(VALUE, 2),
    "joblib": _written(joblib.dump, VALUE),
    "packed": _written(joblib.dump, VALUE, compress=1),
    "npz": _written(np.savez, a=np.arange(3), b=np.array([None, "x"], dtype=object)),
    "torch": _written(torch.save, {"w": torch.arange(4.0)}),
    "legacy": _written(torch.save, {"w": torch.arange(4.0)}, _use_new_zipfile_serialization=False),
    "safetensors": signedmodels.weights(1.0),
}


@st.composite
def damaged(draw) -> bytes:
    """A real file with some bytes changed, taken out or put in."""
    data = bytearray(draw(st.sampled_from(sorted(SEEDS.values()))))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["change", "cut", "put"])):
            case "change":
                data[at] = draw(st.integers(0, 255))
            case "cut":
                del data[at : at + draw(st.integers(1, 8))]
            case _:
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
        if not data:
            return b"."
    return bytes(data)


imported: list[str] = []
watching = [False]


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if watching[0] and event == "pickle.find_class":
        imported.append(".".join(map(str, arguments)))


sys.addaudithook(_watch)


@pytest.mark.filterwarnings("ignore")
@given(data=damaged(), weights_only=st.booleans())
def test_the_gate_is_total_and_imports_only_what_was_listed(data, weights_only):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.bin")
        path.write_bytes(data)
        with open_artifact(path) as artifact, take_snapshot(artifact) as snapshot:
            scan = scan_artifact(snapshot)
            verdict = CheckResult(Verdict.ALLOW, PolicyName("test", "0" * 64), (), scan=scan)
            imported.clear()
            watching[0] = True
            try:
                hand_over(
                    snapshot,
                    verdict,
                    file=None,
                    options=LoadOptions(weights_only=weights_only),
                )
            except ModelsignError as fault:
                assert fault.code.startswith("LOAD_")  # noqa: PT017 - both ends are fine, a third is not
            finally:
                watching[0] = False
    assert set(imported) <= set(scan.files[0].globals)


@pytest.mark.parametrize("name", SEEDS)
def test_every_seed_loads_as_it_is(name, tmp_path):
    model = signedmodels.make(tmp_path, {"m.bin": SEEDS[name]}, single=True)
    with open_artifact(model.path) as artifact, take_snapshot(artifact) as snapshot:
        verdict = CheckResult(Verdict.ALLOW, PolicyName("test", "0" * 64), (), scan=scan_artifact(snapshot))
        assert hand_over(snapshot, verdict, file=None, options=LoadOptions()) is not None
