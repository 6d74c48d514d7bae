"""Every output writes every report, shows what matters, and lets no name act on its reader."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsign.errors import ExitStatus, error
from modelsign.report import _index
from modelsign.report.escape import escape, escape_line, escape_markdown
from modelsign.verdict import (
    Answer,
    CheckResult,
    FileLedger,
    FileScan,
    Finding,
    Opinion,
    Outcome,
    PolicyName,
    Report,
    RuleMode,
    RuleOutcome,
    RuleResult,
    ScanResult,
    Severity,
    Signer,
    Verdict,
    VerifyResult,
    VerifyVerdict,
)

EVIL = "evil\x1b[2J\r\n::error::\u202e%0A`<b>|x\u200b\udcff.pkl"
FINDING = Finding("PICKLE_CALL", Severity.CRITICAL, Outcome.UNSAFE, f"calls posix.system('{EVIL}')", EVIL, 17)
PLAIN = Finding("PICKLE_UNKNOWN", Severity.LOW, Outcome.UNVERIFIED, "imports acme.Thing", None, 3)


def scan_result() -> ScanResult:
    files = (
        FileScan(EVIL, "ab" * 32, 9, "pickle", Outcome.UNSAFE, (FINDING,)),
        FileScan("a b%.bin", "cd" * 32, 9, "pickle", Outcome.UNVERIFIED, (PLAIN,)),
        FileScan("config.json", "ef" * 32, 9, "json", Outcome.CLEAN, loadable=False),
    )
    opinions = (Opinion("modelscan", "0.8.8", "findings", ("calls system",)), Opinion("other", None, "absent"))
    return ScanResult(Outcome.UNSAFE, "11" * 32, files, opinions)


def verify_result() -> VerifyResult:
    changed = error("INTERNAL", f"{EVIL} changed")
    ledger = FileLedger(3, 3, unsigned=(EVIL,), changed=tuple(f"file-{number}" for number in range(12)))
    signers = (Signer("key", "ECDSA P-256", "22" * 32, time="2026-01-01T00:00:00Z", time_proof="TSA"),)
    return VerifyResult(
        verdict=VerifyVerdict.REFUSED,
        root_digest="33" * 32,
        tree_digest="44" * 32,
        signed_root_digest="55" * 32,
        oms=False,
        format="oms-v1",
        signers=signers,
        files=ledger,
        reasons=(changed,),
        warnings=("old",),
    )


def check_result() -> CheckResult:
    rules = (
        RuleResult("signed", RuleOutcome.PASS, RuleMode.ENFORCE, "2 signers", "2 signers"),
        RuleResult("clean", RuleOutcome.FAIL, RuleMode.ENFORCE, "clean", f"unsafe {EVIL}", advice="Do not load it."),
        RuleResult("fresh", RuleOutcome.INDETERMINATE, RuleMode.WARN, "a date", "none", code="INTERNAL"),
        RuleResult("old", RuleOutcome.WAIVED, RuleMode.ENFORCE, "x", "y"),
    )
    policy = PolicyName("baseline", "66" * 32)
    return CheckResult(Verdict.DENY, policy, rules, "77" * 32, scan_result(), (verify_result(),), (EVIL,))


def reports() -> dict[str, Report]:
    scan, verify, check = scan_result(), verify_result(), check_result()
    answers = tuple(map(Answer.of, verify.reasons))
    return {
        "scan": Report("scan", scan.exit_status(), scan.body(), result=scan),
        "nothing": Report("scan", ExitStatus.NOTHING, result=ScanResult(Outcome.CLEAN, "11" * 32, ())),
        "verify": Report("verify", verify.exit_status, verify.body(), answers, verify.warnings, verify),
        "check": Report("check", check.exit_status, check.body(), result=check, warnings=(EVIL,)),
        "facts": Report("key show", ExitStatus.OK, {"key_digest": "88" * 32, "curve": EVIL, "list": [1]}),
        "text": Report("digest", ExitStatus.OK, text=f"{EVIL}\nsecond\n"),
        "failed": Report("sign", ExitStatus.USAGE, reasons=(Answer("USAGE", EVIL, "Read the help."),)),
    }


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("name", reports())
@pytest.mark.parametrize("output", _index.IDS)
def test_every_output_writes_every_report_without_a_control_character(output: str, name: str, *, colour: bool) -> None:
    document = _index.load(output).render(reports()[name], colour=colour)
    assert document.endswith("\n")
    document.encode("utf-8")
    uncoloured = re.sub(r"\x1b\[\d+m", "", document) if colour and output == "text" else document
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u200b]", uncoloured) is None


@pytest.mark.parametrize("output", _index.IDS)
def test_colour_is_used_only_by_text_and_only_when_asked_for(output: str) -> None:
    render = _index.load(output).render
    assert "\x1b" not in render(reports()["check"])
    assert ("\x1b[" in render(reports()["check"], colour=True)) is (output == "text")


def test_json_holds_the_stable_keys_and_the_names() -> None:
    document = json.loads(_index.load("json").render(reports()["scan"]))
    assert document["schema"] == "https://modelsign.dev/schema/scan/v1"
    assert document["tool"]["name"] == "modelsign"
    assert (document["command"], document["exit_code"], document["outcome"]) == ("scan", 1, "unsafe")
    assert document["files"][0]["path"] == EVIL.replace("\udcff", "\\udcff")
    assert document["files"][0]["findings"][0]["rule"] == "PICKLE_CALL"
    assert document["reasons"] == document["warnings"] == []


def test_json_lines_is_the_same_document_on_one_line() -> None:
    for report in reports().values():
        line = _index.load("jsonl").render(report)
        assert line.count("\n") == 1
        assert json.loads(line) == json.loads(_index.load("json").render(report))


def test_text_says_the_verdict_the_reasons_and_what_to_do_next() -> None:
    text = _index.load("text").render(reports()["verify"])
    assert text.startswith("REFUSED\n")
    assert "44" * 32 in text
    assert "(not OMS)" in text
    assert "INTERNAL: " in text
    assert "next: This is a bug" in text
    assert "… and 2 more" in text
    assert text.endswith("warning: old\n")


def test_text_explains_a_verdict_rule_by_rule() -> None:
    text = _index.load("text").render(reports()["check"])
    assert text.startswith("DENY by policy baseline@sha256:666666666666\n")
    assert re.search(r"FAIL +clean\n +expected clean\n +observed unsafe", text)
    assert "next: Do not load it." in text


def test_text_of_a_scan_ends_in_a_count() -> None:
    assert _index.load("text").render(reports()["scan"]).endswith("unsafe: 3 files (1 unsafe, 1 unverified, 1 clean)\n")
    assert _index.load("text").render(reports()["nothing"]) == "clean: 0 files (nothing scanned)\n"


def test_sarif_is_read_by_another_implementation() -> None:
    sarif = pytest.importorskip("sarif_pydantic", reason="sarif-pydantic is not installed")
    for report in reports().values():
        log = sarif.Sarif.model_validate_json(_index.load("sarif").render(report))
        assert log.version == "2.1.0"
        rules = [rule.id for rule in log.runs[0].tool.driver.rules]
        for result in log.runs[0].results:
            assert rules[result.rule_index] == result.rule_id


def test_sarif_places_a_finding_by_an_encoded_path_and_a_byte() -> None:
    run = json.loads(_index.load("sarif").render(reports()["scan"]))["runs"][0]
    first, second = run["results"]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("evil%1B%5B2J%0D%0A")
    assert first["locations"][0]["logicalLocations"][0]["name"].endswith("at byte 17")
    assert second["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b%25.bin", "uriBaseId": "MODEL"},
        "region": {"byteOffset": 3},
    }
    assert (first["level"], second["level"]) == ("error", "note")
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]


def test_a_fingerprint_survives_a_moved_offset_and_not_another_message() -> None:
    def fingerprint(offset: int, message: str) -> str:
        finding = Finding("R", Severity.LOW, Outcome.UNVERIFIED, message, None, offset)
        result = ScanResult(Outcome.UNVERIFIED, "", (FileScan("f", None, 1, "pickle", Outcome.UNVERIFIED, (finding,)),))
        log = json.loads(_index.load("sarif").render(Report("scan", ExitStatus.UNDECIDED, result=result)))
        return log["runs"][0]["results"][0]["partialFingerprints"]["modelsign/v2"]

    assert fingerprint(1, "m") == fingerprint(2, "m") != fingerprint(1, "n")


def test_annotations_cannot_be_forged_by_a_name() -> None:
    text = _index.load("github").render(reports()["scan"])
    assert all(line.startswith("::") for line in text.splitlines())
    assert len(text.splitlines()) == 3
    assert "::error::\\u202e%250A" in text  # the name's own escape stays what it was
    assert text.splitlines()[-1] == "::error title=modelsign scan::exit 1"
    assert "::notice title=modelsign digest::exit 0" in _index.load("github").render(reports()["text"])


def test_junit_has_a_case_for_each_file_and_each_rule() -> None:
    suite = ET.fromstring(_index.load("junit").render(reports()["scan"]))
    assert (suite.get("tests"), suite.get("failures")) == ("4", "3")
    assert suite.findall("testcase")[-1].get("name") == "outcome"
    suite = ET.fromstring(_index.load("junit").render(reports()["check"]))
    assert [case.get("name") for case in suite if case.find("failure") is not None][:2] == ["clean", "fresh"]
    assert suite.findall("testcase")[-1].get("name") == "verdict"
    suite = ET.fromstring(_index.load("junit").render(reports()["failed"]))
    assert suite.find("testcase/failure") is not None
    assert ET.fromstring(_index.load("junit").render(reports()["text"])).get("failures") == "0"


@pytest.mark.parametrize("verdict", [Verdict.DENY, Verdict.UNDECIDED, Verdict.ALLOW])
def test_junit_fails_exactly_where_the_verdict_is_not_allow(verdict: Verdict) -> None:
    """An expired policy, or one that authenticates nothing, has no rule that failed."""
    passed = RuleResult("signed", RuleOutcome.PASS, RuleMode.ENFORCE, "a signature", "signed")
    result = CheckResult(verdict, PolicyName("p", "0" * 64), (passed,))
    reasons = () if verdict is Verdict.ALLOW else (Answer("POLICY_EXPIRED", "policy p expired", "Ask."),)
    report = Report("check", result.exit_status, body=result.body(), reasons=reasons, result=result)
    suite = ET.fromstring(_index.load("junit").render(report))
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ([] if verdict is Verdict.ALLOW else ["POLICY_EXPIRED", "verdict"])
    assert suite.get("failures") == str(len(failed))
    assert suite.findall("testcase")[-1].get("name") == "verdict"


def test_no_output_shows_a_part_as_a_model_that_is_verified() -> None:
    files = FileLedger(signed=2, checked=1, unchecked=("weights",))
    result = VerifyResult(VerifyVerdict.PARTIAL, None, None, None, oms=True, format="oms-v1.0", signers=(), files=files)
    report = Report("verify", result.exit_status, result.body(), result=result)
    text = {name: _index.load(name).render(report) for name in ("junit", "sarif", "github", "html", "markdown")}
    (case,) = ET.fromstring(text["junit"]).findall("testcase")
    assert [child.tag for child in case] == ["skipped"]
    (found,) = json.loads(text["sarif"])["runs"][0]["results"]
    assert (found["ruleId"], found["level"]) == ("PARTIAL", "warning")
    assert text["github"].startswith("::warning title=PARTIAL::PARTIAL: 1 of 2 signed files")
    assert 'class="good"' not in text["html"]
    assert "the model is not verified" in text["markdown"]


def test_junit_has_a_case_for_a_fault_of_the_evidence() -> None:
    missed = RuleResult("signed", RuleOutcome.FAIL, RuleMode.ENFORCE, "x", "y", code="POLICY_SIGNATURE_MISSING")
    result = CheckResult(Verdict.DENY, PolicyName("p", "0" * 64), (missed,))
    answers = (Answer("POLICY_SIGNATURE_MISSING", "rule signed: y", ""), Answer("FILE_CHANGED", "a changed", ""))
    report = Report("check", result.exit_status, reasons=answers, result=result)
    suite = ET.fromstring(_index.load("junit").render(report))
    assert [case.get("name") for case in suite] == ["signed", "FILE_CHANGED", "verdict"]
    assert suite[2][0].text.startswith("DENY: POLICY_SIGNATURE_MISSING: rule signed: y; FILE_CHANGED: a changed")


def test_markdown_shows_tables_and_escapes_markup() -> None:
    text = _index.load("markdown").render(reports()["check"])
    assert text.startswith("### modelsign check: DENY\n")
    assert "| rule | result | expected | observed |" in text
    assert "<b>" not in re.sub(r"(`+).*?\1", "", text)
    assert r"\<b\>" in text


@given(st.text())
def test_escaped_text_is_printable_and_plain_text_is_unchanged(text: str) -> None:
    assert escape_line(text).isprintable() or not text.isprintable() or any(ord(c) > 0x7F for c in text)
    assert re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", escape_line(text)) is None
    assert "\n" not in escape_markdown(text)
    if text.isascii() and text.isprintable():
        assert escape(text) == escape_line(text) == text


def test_an_escape_names_the_code_point() -> None:
    assert escape_line("\x1b\n\u202e\U000e0041\udcff") == "\\x1b\\x0a\\u202e\\U000e0041\\udcff"
    assert escape("a\n\tb\x1b") == "a\n\tb\\x1b"


def test_what_a_stranger_wrote_does_not_fill_a_report() -> None:
    told = Answer.of(error("BUNDLE_UNSUPPORTED", "A" * 3_000_000))
    report = Report("verify", ExitStatus.UNDECIDED, reasons=(told,))
    for member in _index.IDS:
        assert len(_index.load(member).render(report)) < 20_000, member
    assert Answer.of(error("BUNDLE_UNSUPPORTED", "A" * 2000)).message == "A" * 2000


class _Page(HTMLParser):
    """Collects the elements, the attributes and the text of a page."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("name", reports())
def test_a_page_holds_no_element_that_a_name_brought_and_nothing_that_acts(name: str) -> None:
    page = _Page(_index.load("html").render(reports()[name]))
    allowed = {"html", "head", "meta", "title", "style", "body", "header", "main", "article", "h1", "h2", "h3", "p"}
    allowed |= {"table", "caption", "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd", "pre", "code"}
    assert set(page.elements) <= allowed
    assert page.attributes <= {"lang", "charset", "http-equiv", "name", "content", "class", "scope"}


def test_a_page_shows_the_verdict_the_rules_and_what_to_do() -> None:
    document = _index.load("html").render(reports()["check"])
    words = "\n".join(_Page(document).words)
    for expected in (
        "modelsign check: DENY",
        "expected clean; observed unsafe",
        "Do not load it.",
        "WAIVED",
        "exit status 1",
    ):
        assert expected in words
    assert "default-src 'none'" in document
    assert '<header class="bad"><h1>' in document
    assert '<header class="good"><h1>' in _index.load("html").render(reports()["facts"])


@given(st.text(min_size=1))
def test_no_text_leaves_its_cell(text: str) -> None:
    report = Report("sign", ExitStatus.USAGE, {"fact": text}, reasons=(Answer("USAGE", text, text),), warnings=(text,))
    plain = Report("sign", ExitStatus.USAGE, {"fact": "x"}, reasons=(Answer("USAGE", "x", "x"),), warnings=("x",))
    render = _index.load("html").render
    assert _Page(render(report)).elements == _Page(render(plain)).elements
