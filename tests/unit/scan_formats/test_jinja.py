"""Jinja templates: ordinary chat templates are clean, and every known way out of the sandbox is found."""

from __future__ import annotations

import json
import random

import chat_templates
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.jinja.judge import judged


def scan(text, name="chat_template.jinja"):
    return scan_file(BytesReading(text if isinstance(text, bytes) else text.encode()), name)


def rules(text):
    return {finding.rule for finding in judged(text)}


@pytest.mark.parametrize("name", chat_templates.ORDINARY)
def test_an_ordinary_chat_template_is_clean_but_not_inert(name):
    result = scan(chat_templates.ORDINARY[name])
    assert [finding.message for finding in result.findings] == []
    assert (result.outcome, result.format, result.loadable) == ("clean", "jinja", True)


@pytest.mark.parametrize("name", chat_templates.ESCAPES)
def test_a_template_that_reaches_for_internals_is_unsafe(name):
    result = scan(chat_templates.ESCAPES[name])
    assert result.outcome == "unsafe"
    assert {finding.rule for finding in result.findings} & {"jinja-escape", "jinja-dangerous-call"}


@pytest.mark.parametrize("name", chat_templates.HIDDEN)
def test_a_template_that_hides_what_it_asks_for_is_unverified(name):
    assert scan(chat_templates.HIDDEN[name]).outcome == "unverified"


@pytest.mark.parametrize("name", chat_templates.EXHAUSTING)
def test_a_template_that_runs_for_ever_is_unsafe(name):
    assert "jinja-exhausts" in rules(chat_templates.EXHAUSTING[name])


@pytest.mark.parametrize(
    "text",
    ["{% if a %}", "{{ a", "{# a", "{% raw %}", "{{ (a }}", "{% endfor %}", "{{ 'a }}", "{{ a ! b }}", "{% else %}"],
)
def test_what_is_not_jinja_is_incomplete(text):
    assert rules(text) == {"jinja-syntax"}
    assert scan(text).outcome == "incomplete"


@pytest.mark.parametrize(
    "place",
    [
        lambda text: {"chat_template": text},
        lambda text: {"chat_template": [{"name": "default", "template": text}]},
        lambda text: {"chat_template": {"default": text}},
        lambda text: {"a": [{"chat_templates": {"x": [text]}}]},
        lambda text: {"template_format": "jinja2", "template": text},
    ],
)
def test_a_template_in_a_configuration_is_read_wherever_it_stands(place):
    def of(text):
        return scan(json.dumps(place(text)), "tokenizer_config.json")

    clean = of(chat_templates.LLAMA)
    assert (clean.outcome, clean.format, clean.loadable) == ("clean", "json", True)
    assert of(chat_templates.ESCAPES["globals of lipsum"]).outcome == "unsafe"
    assert of(chat_templates.HIDDEN["joined"]).outcome == "unverified"
    assert of("{% if").outcome == "incomplete"
    assert of(chat_templates.ESCAPES["subscript"]).findings[0].member in {"chat_template", "chat_templates", "template"}


def test_prompts_of_other_kinds_are_no_broken_templates():
    assert scan(json.dumps({"template": "{{ .System }} {{{x}}}"}), "params.json").outcome == "clean"
    assert scan(json.dumps({"prompt_template": "{{ x.__class__ }}"}), "params.json").outcome == "unsafe"


def test_a_template_is_recognised_by_its_first_tag_under_any_name():
    assert scan("\n{%- if a %}{{ a.__class__ }}{% endif %}", "README.md").outcome == "unsafe"
    assert scan(chat_templates.CHATML, "notes").format == "jinja"


def test_bytes_that_are_no_text_are_incomplete_under_a_name_of_templates():
    assert scan(b"\xff\xfe{{ a }}").outcome == "incomplete"
    assert scan(b"{{ a }}" * limits.TEMPLATE_CHARACTERS).outcome == "incomplete"


def test_templates_together_have_one_budget():
    longest = "x" * limits.TEMPLATE_CHARACTERS
    many = {"chat_template": [f"{number}{longest[2:]}" for number in range(10)]}
    found = scan(json.dumps(many), "tokenizer_config.json")
    assert {finding.rule for finding in found.findings} == {"budget-exceeded"}


@pytest.mark.parametrize(
    "text",
    [
        "{{ a" + ".b" * 9000 + " }}",
        "{{ a" + "[0]" * 9000 + " }}",
        "{{ 'a'" + "~'_'" * 9000 + " }}",
        "{{ " + "(" * 9000,
        "{{ " + "not " * 9000 + "1 }}",
        "{{ " + "-" * 9000 + "1 }}",
        "{% if a %}" * 9000,
        "{% set x = [[x]] %}" * 2000,
        "{% set x = {'a': x, 'b': [x]} %}" * 1000,
        "{% set a = '_' %}" + "{% set a = a ~ a %}" * 2000,
        "".join(f"{{% set x{number} = x{number + 1} %}}" for number in range(2000)),
        "{{ " + "9" * 9000 + " }}",
        "{{ 2" + "**2" * 9000 + " }}",
        "{#" * 9000,
        "{% raw %}" + "{%   " * 9000,
        "{% macro f(a) %}{{ f([a]) }}{% endmacro %}" * 500,
    ],
)
def test_hostile_templates_have_an_answer(text):
    assert scan(text).outcome in {"clean", "incomplete", "unverified", "unsafe"}


def test_no_truncation_or_mutation_is_refused_that_jinja_itself_accepts():
    jinja2 = pytest.importorskip("jinja2", reason="jinja2 is not installed")
    environment = jinja2.Environment(extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do"], autoescape=True)
    source = random.Random(20261126)
    pieces = [
        "{%",
        "%}",
        "{{",
        "}}",
        "(",
        ")",
        "[",
        "]",
        "|",
        "~",
        "+",
        "'",
        "is not",
        "if",
        "else",
        "in",
        "x",
        "1.5",
        ":",
        ".",
    ]
    texts = [text for name, text in chat_templates.ORDINARY.items() if name != "deepseek"]
    for _ in range(600):
        text = source.choice(texts)
        for _ in range(source.randrange(1, 4)):
            at = source.randrange(len(text) + 1)
            text = text[:at] + source.choice([source.choice(pieces), ""]) + text[at + source.randrange(4) :]
        broken = "jinja-syntax" in rules(text)
        try:
            environment.parse(text)
        except jinja2.TemplateSyntaxError:
            continue
        assert not broken, text


@pytest.mark.parametrize("name", sorted({*chat_templates.ORDINARY, *chat_templates.HIDDEN} - {"deepseek"}))
def test_jinja_accepts_the_templates_of_these_tests(name):
    jinja2 = pytest.importorskip("jinja2", reason="jinja2 is not installed")
    environment = jinja2.Environment(extensions=["jinja2.ext.loopcontrols", "jinja2.ext.debug"], autoescape=True)
    environment.parse({**chat_templates.ORDINARY, **chat_templates.HIDDEN}[name])


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize(
    "template", ["{{ x['_\\^_class__'] }}", "{{ x|attr('__cla\\^ss__') }}", "{{ x['\\^\\x5f_mro__'] }}"]
)
def test_a_line_that_is_joined_hides_no_name_whatever_ends_it(template, end):
    """Jinja turns every end of a line into a line feed, and a backslash before one joins the two lines of a text."""
    assert "jinja-escape" in {finding.rule for finding in judged(template.replace("^", end))}
