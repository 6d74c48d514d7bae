"""``explain``, ``doctor`` and ``completion``."""

from __future__ import annotations

import subprocess
from importlib import metadata

import pytest
from commandline import modelsign as run
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mldsa

from modelsign.cli import doctor
from modelsign.reasons import CATALOG


@pytest.mark.parametrize("code", sorted(CATALOG))
def test_every_reason_is_explained(code):
    got = run("explain", code, "--format", "json")
    assert got.exit_code == 0
    (entry, *_) = got.document["entries"]
    assert entry["code"] == code
    assert entry["advice"]
    assert entry["exit_status"] == str(int(CATALOG[code].exit_status))


def test_codes_are_found_in_any_case():
    assert run("explain", "internal").stdout.startswith("INTERNAL (reason)")


def test_without_a_code_everything_is_listed():
    listed = run("explain").stdout
    assert all(f"{code} " in listed for code in CATALOG)


def test_an_unknown_code_is_a_usage_error_that_names_the_nearest():
    got = run("explain", "USAG", "--format", "json")
    assert got.codes == ["USAGE"]
    assert "Did you mean USAGE" in got.document["reasons"][0]["message"]


def test_a_code_like_no_other_gets_no_suggestion():
    assert "Did you mean" not in run("explain", "zzzzzzzzzz").stdout


def test_doctor_finds_this_installation_in_order():
    got = run("doctor", "--format", "json")
    assert got.exit_code == 0
    names = {check["name"]: check for check in got.document["checks"]}
    assert names["python"]["state"] == "ok"
    assert names["click"]["observed"] == metadata.version("click")
    assert {"sealed memory", "landlock", "configuration"} <= set(names)


def test_doctor_says_what_is_missing_and_how_to_get_it(monkeypatch):
    real = metadata.version

    def version(name):
        if name in ("torch", "msgspec"):
            raise metadata.PackageNotFoundError(name)
        return "1.0" if name == "click" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    got = run("doctor", "--format", "json")
    assert got.exit_code == 3
    assert got.codes == ["INSTALLATION_BROKEN"]
    checks = {check["name"]: check for check in got.document["checks"]}
    assert checks["torch [torch]"]["state"] == "absent"
    assert "modelsign[torch]" in checks["torch [torch]"]["advice"]
    assert checks["msgspec"]["state"] == "broken"
    assert checks["click"]["state"] == "broken"
    assert "wanted" in checks["click"]["observed"]


def test_doctor_works_from_a_bare_source_tree(monkeypatch):
    def requires(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    checks = run("doctor", "--format", "json").document["checks"]
    assert [check["state"] for check in checks if check["name"] == "modelsign"] == ["absent"]


def test_doctor_knows_that_some_extras_have_no_release_for_a_new_python(monkeypatch):
    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(doctor.sys, "version_info", (3, 13, 0))
    check = doctor._distribution("modelscan>=0.8.8", "modelscan", marker=' python_version < "3.13" and extra == "x"')
    assert check["state"] == "absent"
    assert check["observed"] == "no release for this Python"


def test_doctor_says_whether_post_quantum_keys_work_here(monkeypatch):
    def check():
        checks = run("doctor", "--format", "json", "--no-config").document["checks"]
        return next(entry for entry in checks if entry["name"] == "post-quantum keys")

    assert check()["state"] == "ok"

    class Unsupported:
        @staticmethod
        def generate():
            raise UnsupportedAlgorithm("ML-DSA-65 is not supported by this backend.")

    monkeypatch.setattr(mldsa, "MLDSA65PrivateKey", Unsupported)
    found = check()
    assert (found["state"], "cryptography 48" in found["advice"]) == ("absent", True)


def test_doctor_names_the_configuration_in_force(tmp_path):
    (tmp_path / "modelsign.toml").write_text("quiet = true\n")
    assert "presentation only" in run("doctor", cwd=tmp_path).stdout


def test_doctor_says_that_a_configuration_is_refused_without_failing_itself(tmp_path):
    (tmp_path / "modelsign.toml").write_text("this is not TOML")
    got = run("doctor", "--format", "json", "--no-config", cwd=tmp_path)
    assert got.exit_code == 3
    (check,) = [check for check in got.document["checks"] if check["name"] == "configuration"]
    assert check["state"] == "broken"


@pytest.mark.parametrize("missing", ["memfd", "seals", "landlock", "linux"])
def test_doctor_says_what_the_kernel_lacks(monkeypatch, missing):
    def refuse(*_):
        raise OSError(38, "Function not implemented")

    if missing == "memfd":
        monkeypatch.setattr(doctor.os, "memfd_create", refuse)
    elif missing == "seals":
        monkeypatch.setattr("fcntl.fcntl", refuse)
    elif missing == "landlock":
        monkeypatch.setattr(doctor, "_LANDLOCK_CREATE_RULESET", 99999)
    else:
        monkeypatch.setattr(doctor.sys, "platform", "other")
        monkeypatch.delattr(doctor.os, "memfd_create")
    checks = {check["name"]: check for check in run("doctor", "--format", "json").document["checks"]}
    concerned = {"memfd": "sealed memory", "seals": "sealed memory"}.get(missing, "landlock")
    assert checks[concerned]["state"] == "absent"
    assert checks[concerned]["advice"]


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("1.2.3", (1, 2, 3)), ("6.0", (6,)), ("2.13.0+cpu", (2, 13)), ("5.0rc1", (5, 1)), ("x", ()), ("", ())],
)
def test_versions_are_compared_by_their_leading_numbers(version, numbers):
    assert doctor._numbers(version)[: len(numbers)] == numbers


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_every_shell(shell):
    got = run("completion", shell)
    assert got.exit_code == 0
    assert "_MODELSIGN_COMPLETE" in got.stdout


def test_the_script_for_bash_is_one_that_bash_reads():
    script = run("completion", "bash").stdout
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
