"""``modelsign.verified`` and ``modelsign.load``: nothing without a policy, nothing without ALLOW."""

from __future__ import annotations

import datetime as dt
import io
import os

import pytest
import signedmodels

from modelsign.errors import ExitStatus, ModelsignError
from modelsign.guard.denial import LoadDenied, LoadUndecided
from modelsign.guard.load import load
from modelsign.guard.verified import Stage, VerifiedModel, verified
from modelsign.policy.document import load_policy
from modelsign.verdict import Verdict

joblib = pytest.importorskip("joblib")
np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")
pytest.importorskip("safetensors.torch")

WEIGHTS = {"weights.safetensors": signedmodels.weights(1.0), "config.json": b"{}"}


@pytest.fixture
def model(tmp_path):
    return signedmodels.make(tmp_path, WEIGHTS)


def refused(model, *, path=None, **changes) -> ModelsignError:
    with pytest.raises(ModelsignError) as caught:
        load(path or model.path, **{**model.arguments, **changes})
    return caught.value


def test_an_allowed_model_is_loaded(model):
    assert set(load(model.path, **model.arguments)["w"]) == {1.0}


def test_the_verdict_comes_with_the_model(model):
    with verified(model.path, **model.arguments) as judged:
        assert judged.verdict.verdict is Verdict.ALLOW
        assert [rule.id for rule in judged.verdict.rules] == ["signed", "clean"]
        assert [(entry.name, entry.size) for entry in judged.files] == [
            (name, len(data)) for name, data in sorted(WEIGHTS.items())
        ]


def test_without_a_policy_nothing_is_even_opened(model):
    seen = []
    fault = refused(model, policy=None, progress=seen.append)
    assert (fault.code, fault.exit_status) == ("POLICY_MISSING", ExitStatus.USAGE)
    assert seen == []


def test_a_policy_can_be_given_as_a_value(model):
    assert load(model.path, **{**model.arguments, "policy": load_policy(model.policy)})


def test_an_unset_parameter_is_a_usage_error(model):
    assert refused(model, parameters=None).exit_status is ExitStatus.USAGE


def test_a_missing_model_is_a_usage_error(model, tmp_path):
    assert refused(model, path=tmp_path / "absent").code == "NO_SUCH_MODEL"


def test_an_unsigned_model_is_denied(model):
    (model.path / "model.sig").unlink()
    fault = refused(model)
    assert isinstance(fault, LoadDenied)
    assert fault.result.verdict is Verdict.DENY
    assert "SIGNATURE_MISSING" in fault.details["codes"]


@pytest.mark.parametrize("name", ["weights.safetensors", "config.json"])
def test_one_changed_byte_is_denied(model, name):
    place = model.path / name
    data = bytearray(place.read_bytes())
    data[-1] ^= 1
    place.write_bytes(data)
    assert isinstance(refused(model), LoadDenied)


def test_a_stranger_is_denied(model, tmp_path):
    other = signedmodels.make(tmp_path / "other", WEIGHTS)
    assert isinstance(refused(model, path=other.path), LoadDenied)


def test_an_unsupported_file_is_undecided_and_never_loaded(tmp_path):
    model = signedmodels.make(tmp_path, {**WEIGHTS, "paper.pdf": b"%PDF-1.7"})
    fault = refused(model, file="weights.safetensors")
    assert isinstance(fault, LoadUndecided)
    assert fault.result.verdict is Verdict.UNDECIDED
    assert fault.exit_status is ExitStatus.UNDECIDED


def test_what_the_policy_accepts_may_still_be_too_little_to_load(tmp_path):
    model = signedmodels.make(tmp_path, {"weights.bin": b"\x00\x01\x02" * 50}, accept="clean, unsupported")
    assert refused(model).code == "LOAD_NOT_CLEAN"


def test_the_block_does_not_run_on_a_denial(model):
    (model.path / "model.sig").unlink()
    ran = []
    with pytest.raises(LoadDenied), verified(model.path, **model.arguments):
        ran.append(True)
    assert not ran


def test_the_stages_are_announced_in_order(model):
    seen = []
    load(model.path, **model.arguments, progress=seen.append)
    assert seen == [Stage.OPENED, Stage.COPIED, Stage.JUDGED]


def test_a_denied_model_is_never_announced_as_judged(model):
    (model.path / "model.sig").unlink()
    seen = []
    refused(model, progress=seen.append)
    assert seen == [Stage.OPENED, Stage.COPIED]


def test_an_error_in_the_block_passes_and_the_copy_is_given_back(model):
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208 - descriptors, not paths
    with pytest.raises(ZeroDivisionError), verified(model.path, **model.arguments) as judged:
        _ = 1 / len(judged.path[:0])
    assert set(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - descriptors, not paths


def test_after_the_block_the_model_is_closed(model):
    with verified(model.path, **model.arguments) as judged:
        assert isinstance(judged, VerifiedModel)
    for use in (lambda: judged.path, lambda: judged.files, lambda: judged.open("config.json"), judged.load):
        with pytest.raises(ModelsignError) as caught:
            use()
        assert caught.value.code == "SNAPSHOT_CLOSED"
    assert judged.verdict.verdict is Verdict.ALLOW


def test_one_of_several_files_must_be_named_to_be_opened(model):
    with verified(model.path, **model.arguments) as judged:
        with pytest.raises(ModelsignError) as caught:
            judged.open()
        assert caught.value.code == "LOAD_FILE_NOT_NAMED"
        with judged.open("config.json") as stream:
            assert stream.read() == b"{}"


def test_evidence_is_not_part_of_the_copy(model):
    with verified(model.path, **model.arguments) as judged:
        with pytest.raises(ModelsignError) as caught:
            judged.open("model.sig")
        assert caught.value.code == "LOAD_NO_SUCH_FILE"
        assert "model.sig" not in os.listdir(judged.path)  # noqa: PTH208 - names are compared


def test_a_bundle_may_lie_elsewhere(model, tmp_path):
    elsewhere = tmp_path / "elsewhere.sig"
    (model.path / "model.sig").rename(elsewhere)
    assert isinstance(refused(model), LoadDenied)
    assert load(model.path, **model.arguments, bundles=[elsewhere])


def test_the_time_of_the_verdict_can_be_given(model):
    text = model.policy.read_text().replace("name: test", 'name: test\n  expires: "2030-01-01T00:00:00Z"')
    model.policy.write_text(text)
    assert load(model.path, **model.arguments, now=dt.datetime(2029, 1, 1, tzinfo=dt.UTC))
    assert isinstance(refused(model, now=dt.datetime(2031, 1, 1, tzinfo=dt.UTC)), (LoadDenied, LoadUndecided))


def test_the_policy_alone_lifts_weights_only(tmp_path):
    stream = io.BytesIO()
    torch.save({"w": torch.ones(2), "d": np.dtype("f8")}, stream)
    model = signedmodels.make(tmp_path, {"m.pt": stream.getvalue()}, accept="clean, unverified")
    with verified(model.path, **model.arguments) as judged:
        assert judged._weights_only is True
    model.policy.write_text(f"{model.policy.read_text()}load: {{torch_weights_only: false}}\n")
    with verified(model.path, **model.arguments) as judged:
        assert judged._weights_only is False


def test_tensors_are_loaded_if_asked_for(model):
    loaded = load(model.path, **model.arguments, framework="torch")
    assert torch.equal(loaded["w"], torch.ones(8, dtype=torch.float64))


def test_a_joblib_file_is_loaded_through_the_whole_gate(tmp_path):
    stream = io.BytesIO()
    joblib.dump({"w": np.arange(5.0)}, stream)
    model = signedmodels.make(tmp_path, {"m.joblib": stream.getvalue()}, single=True)
    assert load(model.path, **model.arguments)["w"].tolist() == [0, 1, 2, 3, 4]


def test_another_scanner_can_be_asked(model):
    with pytest.raises(ModelsignError) as caught:
        load(model.path, **model.arguments, opinions=["nobody"])
    assert caught.value.code == "OPINION_UNKNOWN"


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": {"kind": "ModelTrustPolicy"}},
        {"policy": 5},
        {"policy": b"baseline"},
        {"parameters": "signer.pub"},
        {"parameters": ["signer.pub"]},
        {"framework": "tf"},
        {"framework": "Torch"},
        {"framework": None},
        {"now": dt.datetime(2029, 1, 1)},  # noqa: DTZ001 - without a zone on purpose
    ],
)
def test_an_argument_that_cannot_be_meant_is_a_usage_error(model, changes):
    fault = refused(model, **changes)
    assert (fault.code, fault.exit_status) == ("ARGUMENT_INVALID", ExitStatus.USAGE)


def test_one_path_is_one_path_and_not_its_letters(model, tmp_path):
    elsewhere = tmp_path / "elsewhere.sig"
    (model.path / "model.sig").rename(elsewhere)
    assert load(model.path, **model.arguments, bundles=str(elsewhere))
    assert load(model.path, **model.arguments, bundles=elsewhere)
    fault = refused(model, bundles=elsewhere, ignore_paths="config.json")
    assert "FILE_MISSING" in fault.details["codes"]


def test_a_model_larger_than_the_caller_allows_is_not_copied(model):
    assert refused(model, most_bytes=10).code == "SNAPSHOT_TOO_LARGE"
    assert load(model.path, **model.arguments, most_bytes=10_000)


@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_who_exchanges_the_links_of_the_folder_does_not_reach_the_loader(model, tmp_path, framework):
    other = tmp_path / "other.safetensors"
    other.write_bytes(signedmodels.weights(6.0))
    with verified(model.path, **model.arguments) as judged:
        place = os.path.join(judged.path, "weights.safetensors")  # noqa: PTH118 - as the attacker would
        os.unlink(place)  # noqa: PTH108 - same
        os.symlink(other, place)  # noqa: PTH211 - same
        assert set(judged.load("weights.safetensors", framework=framework)["w"].tolist()) == {1.0}
