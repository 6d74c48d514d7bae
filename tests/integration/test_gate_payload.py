"""Pickles that would run a command: denied with their reason, and proven not to have run.

Each load happens in a process of its own that is watched twice: an audit hook writes down every process start but
that of the confined scanner, and the command itself would leave a file behind. The hook sees nothing of a child, so
scans are made without one, too.
"""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import zipfile

import pytest
import signedmodels

WATCHED = """
import json, sys

started = []

def hook(event, arguments):
    if event == "os.posix_spawn" and arguments[1][-1].endswith("/modelsign/confined/_program.py"):
        return
    if event in ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "pty.spawn"):
        started.append(event)
    if event == "pickle.find_class" and arguments[0] in ("os", "posix", "subprocess", "builtins"):
        started.append(f"{event} {arguments}")

sys.addaudithook(hook)

from modelsign.errors import ModelsignError
from modelsign.guard.load import load

path, policy, public, insist, sandbox = sys.argv[1:]
try:
    load(path, policy=policy, parameters={"signers": public}, insecure_unverified=insist == "True",
         sandbox=sandbox == "True")
    answer = {"code": None}
except ModelsignError as fault:
    answer = {"code": fault.code, "codes": fault.details.get("codes", [])}
print(json.dumps({**answer, "started": started}))
"""


def payload(tripwire) -> bytes:
    """A pickle that would leave a file behind."""
    return f"cposix\nsystem\n(S'touch {tripwire}'\ntR.".encode()


def in_npy(data: bytes) -> bytes:
    array = signedmodels.npy([0], descr="|O")
    return array[: array.index(b"\n") + 1] + data


def in_zip(data: bytes, name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, data)
        archive.writestr(f"{name.partition('/')[0]}/version", "3\n")
    return stream.getvalue()


WRAPPINGS = {
    "plain.pkl": lambda data: data,
    "behind-a-clean-pickle.pkl": lambda data: b"\x80\x02N." + data,
    "named-safetensors.safetensors": lambda data: data,
    "named-json.json": lambda data: data,
    "model.joblib": lambda data: data,
    "packed.joblib": gzip.compress,
    "array.npy": in_npy,
    "arrays.npz": lambda data: in_zip(in_npy(data), "a.npy"),
    "model.pt": lambda data: in_zip(data, "m/data.pkl"),
}


@pytest.mark.parametrize("accept", ["clean", "clean, unverified, unsupported"], ids=["strict", "lax"])
@pytest.mark.parametrize("sandbox", [True, False], ids=["confined", "here"])
@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_signed_payload_is_denied_and_never_runs(tmp_path, name, accept, sandbox):
    tripwire = tmp_path / "RAN"
    data = WRAPPINGS[name](payload(tripwire))
    model = signedmodels.make(tmp_path, {name: data}, single=True, accept=accept)
    answer = watched(model, sandbox=sandbox)
    assert answer["code"] in {"LOAD_DENIED", "LOAD_UNDECIDED"}, answer
    assert {"POLICY_SCAN_DENIED", "POLICY_SCAN_UNDECIDED"} & set(answer["codes"])
    assert answer["started"] == []
    assert not tripwire.exists()


def test_a_policy_without_a_scan_rule_does_not_help_a_payload(tmp_path):
    tripwire = tmp_path / "RAN"
    model = signedmodels.make(tmp_path, {"plain.pkl": payload(tripwire)}, single=True)
    text = model.policy.read_text()
    model.policy.write_text(text[: text.index("  - id: clean")])
    answer = watched(model, insist=True)
    assert answer["code"] == "LOAD_NOT_CLEAN"
    assert answer["started"] == []
    assert not tripwire.exists()


def test_the_watch_sees_a_payload_that_runs():
    """The proof above is worth something only if the watch would have seen it: here a harmless one does run."""
    watch = WATCHED.partition("from modelsign.errors")[0]
    program = f"{watch}import os; os.system('true'); print(json.dumps(started))"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(shown.stdout) == ["os.system"]


def watched(model, *, insist: bool = False, sandbox: bool = True) -> dict[str, object]:
    """Load a model in a watched process and return what came of it."""
    arguments = [model.path, model.policy, model.public, str(insist), str(sandbox)]
    shown = subprocess.run([sys.executable, "-c", WATCHED, *arguments], capture_output=True, check=False, timeout=120)
    assert shown.returncode == 0, shown.stderr.decode()
    return json.loads(shown.stdout)
