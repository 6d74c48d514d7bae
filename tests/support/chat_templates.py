"""Chat templates written after the shapes of published families, and templates that try to leave the sandbox."""
# ruff: noqa: E501 - templates are kept as they would be published

from __future__ import annotations

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>'"
    " + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA = """{{- bos_token }}
{%- if custom_tools is defined %}{%- set tools = custom_tools %}{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}{%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}{%- set date_string = "26 Jul 2024" %}{%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}{%- set messages = messages[1:] %}
{%- else %}{%- set system_message = "" %}{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined %}
    {{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\\n\\n"}}
{%- endif %}
{%- for t in tools %}{{- t | tojson(indent=4) }}{{- "\\n\\n" }}{%- endfor %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}{{- raise_exception("one tool at a time") }}{%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '{"name": "' + tool_call.name + '", "parameters": ' }}{{- tool_call.arguments | tojson }}
        {%- for arg_name, arg_val in tool_call.arguments | items %}{{- arg_name + '="' + arg_val + '"' }}{%- endfor %}
    {%- elif message.role == "tool" and message.content is mapping or message.content is iterable %}
        {{- message.content | tojson }}
    {%- endif %}
{%- endfor %}"""
MISTRAL = """{%- if messages[0]["role"] == "system" %}{%- set loop_messages = messages[1:] %}
{%- else %}{%- set loop_messages = messages %}{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace(index=0) %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}{{- raise_exception("roles") }}{%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" and tools is not none and (message == user_messages[-1]) %}
        {{- "[AVAILABLE_TOOLS] [" }}
        {%- for tool in tools %}{%- set tool = tool.function %}{{- '{"type": "function", "function": {' }}
            {%- for key, val in tool.items() if key != "return" %}
                {%- if val is string %}{{- '"' + key + '": "' + val + '"' }}{%- else %}{{- val|tojson }}{%- endif %}
                {%- if not loop.last %}{{- ", " }}{%- endif %}
            {%- endfor %}{{- "}}" }}{%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" }}{%- endif %}
        {%- endfor %}
    {%- elif message.tool_calls is defined and message.tool_calls|length > 0 %}
        {%- for tool_call in message.tool_calls %}{%- set out = tool_call.function|tojson %}{{- out[:-1] }}{%- endfor %}
    {%- else %}{{- " " + message["content"]|trim + eos_token }}{%- endif %}
{%- endfor %}"""
QWEN = """{%- macro render(content, count=true) -%}
{%- if content is string %}{{- content }}{%- else %}{%- for item in content %}
{%- if 'image' in item or item.type == 'image' %}{{- '<|image_pad|>' }}{%- elif 'text' in item %}{{- item.text }}{%- endif %}
{%- endfor %}{%- endif %}{%- endmacro -%}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and
        not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}{%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if '</think>' in content %}
        {%- set reasoning = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\\n' + render(message.content) }}
    {%- if loop.first or (not loop.last and messages[loop.index0 + 1].role != "tool") %}{{- '<|im_end|>\\n' }}{%- endif %}
{%- endfor %}
{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"""
GEMMA = """{{ bos_token }}{%- if messages[0]['role'] == 'system' -%}
{%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}{%- set loop_messages = messages[1:] -%}
{%- else -%}{%- set first_user_prefix = "" -%}{%- set loop_messages = messages -%}{%- endif -%}
{%- macro format_parameters(properties, required) -%}{%- set standard_keys = ['description', 'type'] -%}
{%- for key, value in properties | dictsort -%}{%- if key not in standard_keys -%}
{{ key }}:{ {%- if value['description'] -%}description:{{ value['description'] }}{%- endif -%} }
{{ format_parameters(value['properties'], value['required']) }}{{ value[key] | upper }}
{%- endif -%}{%- endfor -%}{%- endmacro -%}
{%- for message in loop_messages -%}
{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}{{ raise_exception("alternate") }}{%- endif -%}
{%- set role = "model" if message['role'] == 'assistant' else message['role'] -%}
{{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
{%- if message['content'] is iterable and message['content'] is not string -%}
{%- for item in message['content'] -%}{{ item['text'] | trim }}{%- endfor -%}{%- endif -%}{{ '<end_of_turn>\\n' }}
{%- endfor -%}"""
PHI = (
    "{% for message in messages %}{% if message['role'] == 'system' and 'tools' in message and message['tools'] is not none"
    " %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|tool|>' + message['tools'] + '<|/tool|>' + '<|end|>' }}"
    "{% else %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endif %}{% endfor %}"
)
DEEPSEEK = """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}
{% set ns = namespace(is_first=false, is_tool=false, system_prompt='', is_first_sp=true) %}
{%- for message in messages %}{%- if message['role'] == 'system' %}
{%- set ns.system_prompt = ns.system_prompt + ('' if ns.is_first_sp else '\\n\\n') + message['content'] %}
{%- set ns.is_first_sp = false %}{%- endif %}{%- endfor %}{{ bos_token }}{{ ns.system_prompt }}
{%- for message in messages %}{%- if message['role'] == 'assistant' and message['tool_calls'] is not none %}
{%- for tool in message['tool_calls'] %}{%- if not ns.is_first %}
{{ '<|Assistant|>' + tool['type'] + tool['function']['name'] + '\\n```json\\n' + tool['function']['arguments'] }}
{%- set ns.is_first = true -%}{%- endif %}{%- endfor %}{%- endif %}{%- generation %}{{ message.content }}{% endgeneration -%}
{%- if loop.index > 3 %}{% break %}{% endif %}{%- endfor -%}"""
ORDINARY = {
    "chatml": CHATML,
    "llama": LLAMA,
    "mistral": MISTRAL,
    "qwen": QWEN,
    "gemma": GEMMA,
    "phi": PHI,
    "deepseek": DEEPSEEK,
    "escaped": "{% raw %}{{ x.__class__ }}{% endraw %}{# y.__globals__ #} __class__",
    "no tag": "### Instruction: {prompt}",
}
"""Templates that must be clean."""

ESCAPES = {
    "CVE-2024-34359 llama-cpp-python": "{% for x in ().__class__.__base__.__subclasses__() %}{% if 'warning' in x.__name__ "
    "%}{{ x()._module.__builtins__['__import__']('os').popen('true').read() }}{% endif %}{% endfor %}",
    "CVE-2016-10745 str.format": "{{ '{0.__class__.__init__.__globals__}'.format(x) }}",
    "CVE-2019-10906 str.format_map": "{{ '{a.__class__}'.format_map(x) }}",
    "CVE-2025-27516 attr": "{{ x|attr('__class__') }}",
    "CVE-2024-56326 a method handed on": "{{ ['{0.__class__}'.format]|map('e')|list }}",
    "globals of lipsum": "{{ lipsum.__globals__['os'].popen('true').read() }}",
    "globals of cycler": "{{ cycler.__init__.__globals__.os.system('true') }}",
    "globals of joiner": "{{ joiner.__init__['__globals__'].os.system('true') }}",
    "globals of namespace": "{{ namespace['__init__']['__globals__'].os.system('true') }}",
    "globals of self": "{{ self._TemplateReference__context.cycler.__init__.__globals__ }}",
    "globals of a macro": "{% macro m() %}{% endmacro %}{{ m.__call__.__globals__ }}",
    "subscript": "{{ ''['__class__']['mro'] }}",
    "escape sequences": r"{{ ''['\x5f\x5fclass\x5f\x5f'] }}",
    "unicode escapes": r"{{ ''['\u005f\u005fclass\u005f\u005f'] }}",
    "named escapes": r"{{ ''['\N{LOW LINE}_class_\137'] }}",
    "concatenation": "{{ ''['__cla' ~ 'ss__'] }}",
    "sum": "{{ ''['__cla' + 'ss__'] }}",
    "adjacent texts": "{{ ''['__cla' 'ss__'] }}",
    "through a variable": "{% set a = '__cla' %}{% set b = a ~ 'ss__' %}{{ x[b] }}",
    "through a variable set later": "{% for i in y %}{{ x[b] }}{% set b = '__class__' %}{% endfor %}",
    "through a namespace": "{% set ns = namespace(k='__class__') %}{{ x[ns.k] }}",
    "through a namespace, assigned": "{% set ns = namespace() %}{% set ns.k = '__class__' %}{{ x[ns.k] }}",
    "through a list": "{% for k in ['a', '__class__'] %}{{ x[k] }}{% endfor %}",
    "through a dictionary": "{{ x[{'a': '__class__'}.a] }}",
    "through a macro": "{% macro get(k) %}{{ x[k] }}{% endmacro %}{{ get('__class__') }}",
    "through a with": "{% with k = '__class__' %}{{ x[k] }}{% endwith %}",
    "through a condition": "{{ x['a' if y else '__class__'] }}",
    "through a default": "{{ x[y|default('__class__')] }}",
    "through first": "{{ x[['__class__']|first] }}",
    "through repetition": "{{ x['_' * 2 ~ 'class' ~ '_' * 2] }}",
    "map by attribute": "{{ [x]|map(attribute='__class__')|list }}",
    "map by attr": "{{ [x]|map('attr', '__class__')|list }}",
    "sort by attribute": "{{ x|sort(attribute='a.__class__') }}",
    "groupby": "{{ x|groupby('__class__') }}",
    "keyword": "{{ dict(__class__=1)|list|first }}",
    "frames": "{{ x.gi_frame.f_globals }}",
    "bare open": "{{ open('/etc/passwd').read() }}",
    "bare module": "{{ os.popen('true').read() }}",
    "in a set block": "{% set a %}{{ x.__class__ }}{% endset %}",
    "in a filter block": "{% filter upper %}{{ x.__class__ }}{% endfilter %}",
    "in a call block": "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ x.__class__ }}{% endcall %}",
    "in a condition": "{% if x.__class__ %}{% endif %}",
    "in an argument of a test": "{% if x is sameas x.__class__ %}{% endif %}",
    "before a broken tag": "{{ x.__class__ }}{% if",
}
"""Templates that must be unsafe: they ask for Python's internals."""

HIDDEN = {
    "joined": "{{ x[['_', '_class_', '_']|join] }}",
    "formatted": "{{ x['%c%cclass%c%c' % (95, 95, 95, 95)] }}",
    "format filter": "{{ x['%sclass%s'|format('__', '__')] }}",
    "reversed": "{{ x['__ssalc__'[::-1]] }}",
    "reverse filter": "{{ x['s_ssalc__'|reverse] }}",
    "lower": "{{ x['__CLASS__'.lower()] }}",
    "replaced": "{{ x['--class--'.replace('-', y)] }}",
    "cut from a token": "{{ x[eos_token[4] ~ eos_token[4] ~ 'class'] }}",
    "sliced": "{{ x['a__class__'[1:]] }}",
    "attr of anything": "{{ x|attr(messages[0].content) }}",
    "unknown function": "{{ frobnicate(1) }}",
    "unknown method": "{{ x.connect('a') }}",
    "unknown filter": "{{ x|frobnicate }}",
    "unknown test": "{{ x is frobnicate }}",
    "unknown tag": "{% debug %}",
    "filter by name": "{{ x|map(y) }}",
    "format method handed on": "{% set f = y.format %}{{ f(x) }}",
    "format with an unknown pattern": "{{ y.format(x) }}",
    "include": "{% include 'other' %}",
    "import": "{% import 'other' as o %}",
    "from": "{% from 'other' import a as b with context %}",
    "extends": "{% extends 'other' %}",
    "private": "{{ x._secret }}",
}
"""Templates that must be unverified: it cannot be told what they ask for."""

EXHAUSTING = {
    "range": "{% for i in range(10**9) %}{% endfor %}",
    "range from": "{% for i in range(1, 100000000, 2) %}{% endfor %}",
    "nested": "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
    "repetition": "{{ 'a' * 10000000 }}",
    "list": "{{ [1] * 10000000 }}",
    "power": "{{ 9 ** 9 ** 9 ** 9 }}",
    "padding": "{{ 'a'|center(1000000000) }}",
    "zeros": "{{ 'a'.zfill(1000000000) }}",
}
"""Templates that must be unsafe: they run for ever."""
