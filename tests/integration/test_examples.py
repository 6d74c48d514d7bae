"""The examples do what their pages say."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import signedmodels
from road import environment

EXAMPLES = Path(__file__).parents[2] / "examples"
GOOD = {"weights.safetensors": signedmodels.weights(1.0), "config.json": b"{}"}


def run(*command, cwd, **added) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment(PATH=path, **added),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


# --- verify-in-ci -----------------------------------------------------------------------


def gate(model, **added):
    return run(EXAMPLES / "verify-in-ci" / "gate.sh", model.path, model.public, cwd=model.public.parent, **added)


def test_the_gate_lets_a_good_model_pass_and_writes_its_reports(tmp_path):
    model = signedmodels.make(tmp_path, GOOD)
    answer = gate(model)
    assert answer.returncode == 0, answer
    assert ET.parse(tmp_path / "reports" / "check.xml").getroot().tag in {"testsuites", "testsuite"}
    assert '"2.1.0"' in (tmp_path / "reports" / "scan.sarif").read_text()


def test_the_gate_stops_a_changed_model(tmp_path):
    model = signedmodels.make(tmp_path, GOOD)
    (model.path / "config.json").write_text('{"a": 1}')
    answer = gate(model)
    assert answer.returncode == 1, answer
    report = ET.parse(tmp_path / "reports" / "check.xml").getroot()
    failed = [case.get("name") for case in report.iter("testcase") if case.find("failure") is not None]
    assert failed == ["signed", "FILE_CHANGED", "verdict"]


def test_the_gate_stops_a_payload_that_the_right_key_signed(tmp_path, payload):
    model = signedmodels.make(tmp_path, {"m.pkl": payload})
    assert gate(model).returncode == 1


def test_the_gate_stops_what_it_cannot_decide(tmp_path):
    model = signedmodels.make(tmp_path, {**GOOD, "m.pkl": b"\x80\x04\x95"})
    assert gate(model).returncode in {1, 3}


def test_the_gate_takes_a_stricter_policy(tmp_path):
    model = signedmodels.make(tmp_path, GOOD)
    assert gate(model, POLICY="strict").returncode == 2  # its further parameters are not given


@pytest.fixture
def payload() -> bytes:
    return b"cos\nsystem\n(S'true'\ntR."


# --- preload-hook -----------------------------------------------------------------------


@pytest.fixture
def trained(tmp_path):
    joblib = pytest.importorskip("joblib")
    LogisticRegression = pytest.importorskip("sklearn.linear_model").LogisticRegression  # noqa: N806 - a class
    features, labels = pytest.importorskip("sklearn.datasets").load_iris(return_X_y=True)
    stream = io.BytesIO()
    joblib.dump(LogisticRegression(max_iter=500).fit(features, labels), stream)
    return signedmodels.make(tmp_path, {"m.joblib": stream.getvalue()}, single=True)


def app(way, model):
    return run(
        sys.executable, EXAMPLES / "preload-hook" / "app.py", way, model.path, model.public, cwd=model.path.parent
    )


def test_the_gated_way_loads(trained):
    answer = app("gated", trained)
    assert answer.stdout.strip() == "LogisticRegression with 12 coefficients", answer


def test_the_forgotten_way_is_refused(trained):
    answer = app("forgotten", trained)
    assert answer.returncode == 1
    assert "UnverifiedLoadError" in answer.stderr
    assert answer.stdout == ""


def test_the_gated_way_refuses_what_nobody_signed(trained):
    trained.path.with_name("m.joblib.sig").unlink()
    answer = app("gated", trained)
    assert answer.returncode == 1
    assert "SIGNATURE_MISSING" in answer.stderr
