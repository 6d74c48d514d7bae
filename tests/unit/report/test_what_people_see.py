"""Every output for people shows of a finding what text and JSON show: chain, confidence, place, references, advice."""

from __future__ import annotations

import base64
import hashlib
import re
import xml.etree.ElementTree as ET
from html import unescape

import model_files
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.report import _index
from modelsign.report.escape import code_block, code_span, escape_markdown
from modelsign.scan.engine import scan_file, scan_result
from modelsign.scan.trace import tracing
from modelsign.verdict import Acceptance, AcceptanceStatus, Report, Severity

CHAIN = (
    b"\x80\x02cbuiltins\neval\ncbuiltins\ncompile\n(X\x01\x00\x00\x001X\x01\x00\x00\x00xX\x04\x00\x00\x00evaltR\x85R."
)
NAMES = "]()*_`x`|<b>&@someone https://www.example.org #1\u202e\ufffe"


def shown(output, *, name="evil.pt", data=None, **changes):
    with tracing() as traced:
        result = scan_result([scan_file(BytesReading(data or model_files.pytorch(CHAIN)), name)])
    del traced
    changes.setdefault("warnings", ())
    report = Report("scan", result.exit_status(), result.body(), result=result, **changes)
    return _index.load(output).render(report), result


def plain(output, document):
    """Undo the escapes that belong to a format, so that the words can be looked for."""
    if output == "html":
        return unescape(re.sub(r"<[^>]+>", " ", document))
    if output == "markdown":
        return re.sub(r"\\([^\w\s])", r"\1", document.replace("<!-- -->", ""))
    if output == "junit":
        return "\n".join(ET.fromstring(document).itertext())
    return document.replace("%0A", "\n").replace("%25", "%")


@pytest.mark.parametrize("output", ["markdown", "html", "github", "junit"])
def test_a_finding_shows_its_chain_confidence_place_references_and_advice(output):
    document, result = shown(output)
    finding = next(one for one in result.files[0].findings if len(one.calls) > 1 and one.severity is Severity.CRITICAL)
    words = plain(output, document)
    for expected in (*finding.calls, finding.confidence, finding.member, f"byte {finding.offset}", finding.advice):
        assert expected in words, expected
    assert finding.references
    for reference in finding.references:
        assert reference in words


@pytest.mark.parametrize("output", ["markdown", "html", "github"])
def test_an_accepted_finding_says_why(output):
    result = scan_result([scan_file(BytesReading(b"cmine\nThing\n."), "a.pkl")])
    accepted = Acceptance(
        "pickle-unknown-global", "a.pkl", None, None, "2999-01-01T00:00:00Z", "our class", AcceptanceStatus.USED
    )
    object.__setattr__(result, "acceptances", (accepted,))
    document = _index.load(output).render(Report("scan", result.exit_status(), result.body(), result=result))
    assert "our class" in document
    suite = ET.fromstring(_index.load("junit").render(Report("scan", result.exit_status(), {}, result=result)))
    assert suite.find("testcase/skipped").get("message") == "unverified, and accepted"
    assert suite.get("failures") == "0"


def test_what_an_exit_status_of_0_accepts_fails_no_test_case():
    from modelsign.errors import ExitStatus  # noqa: PLC0415 - used once

    result = scan_result([scan_file(BytesReading(b"cmine\nThing\n."), "a.pkl")])
    suite = ET.fromstring(_index.load("junit").render(Report("scan", ExitStatus.OK, {}, result=result)))
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "1")


def test_a_page_lets_its_own_style_in_by_its_digest_and_nothing_else():
    document, _ = shown("html")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', document)[1]
    style = re.search(r"<style>(.*)</style>", document)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"(?i)src=|href=|url\(|<script|<img|<iframe|\son\w+=|style=", document)


def test_a_page_says_what_it_means_without_colour_and_has_headers_and_captions():
    document, _ = shown("html")
    assert '<html lang="en">' in document
    assert document.count("<table>") == document.count("<caption>") == document.count("<thead>")
    assert all("scope=" in head for head in re.findall(r"<th[^>]*>", document) if not head.startswith("<thead"))
    assert re.findall(r"<h([1-6])", document)[:3] == ["1", "2", "3"]
    assert "critical: pickle-" in document
    assert "@media print" in document


def test_markdown_makes_no_link_mention_or_markup_of_a_name():
    document, _ = shown("markdown", name=NAMES, warnings=(NAMES,))
    outside = re.sub(r"```python\n.*?\n```|(`+).*?\1", "", document, flags=re.DOTALL)
    assert "@someone" not in outside
    assert "https://www" not in outside
    assert "<b>" not in outside
    rows = [line for line in document.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows[:3]}) == 1


@pytest.mark.parametrize("text", ["", " ", "`", "a`b", "``", "x|y", "a\nb", "`a ``b``` c`"])
def test_no_text_ends_its_code(text):
    span = code_span(text)
    ticks = re.match("`+", span)[0]
    assert span.endswith(ticks)
    assert ticks not in span[len(ticks) : -len(ticks)] or not text
    assert "\n" not in span
    fence, *inner, end = code_block([text], "python").splitlines()
    assert fence == f"{end}python"
    assert len(inner) == 1
    assert end not in inner[0]


def test_addresses_and_mentions_are_broken_up_in_markdown():
    assert escape_markdown("@a #1 http://x www.y") == r"@<!-- -->a \#<!-- -->1 http:<!-- -->//x w<!-- -->ww.y"


def test_long_lists_keep_their_table_and_the_worst_details():
    many = b"".join(b"cmine%d\nThing\n0" % number for number in range(80)) + b"N."
    document, result = shown("markdown", name="a.pkl", data=many)
    assert len(result.files[0].findings) >= 80
    assert document.count("#### ") == 50
    assert "more stand in the table alone." in document
