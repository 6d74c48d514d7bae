"""Files of templates, configurations and programs, good and bad, by the format they must be read as."""

from __future__ import annotations

import chat_templates
import ggufbytes

GOOD: dict[str, dict[str, bytes]] = {
    "gguf": {"model.gguf": ggufbytes.gguf(), "chat.bin": ggufbytes.gguf(template=chat_templates.CHATML)},
    "python": {},
    "jinja": {"chat_template.jinja": chat_templates.CHATML.encode(), "tool_use.j2": chat_templates.QWEN.encode()},
}
BAD: dict[str, dict[str, bytes]] = {
    "gguf": {
        "escape.gguf": ggufbytes.gguf(template="{{ x.__class__ }}"),
        "overflow.dat": ggufbytes.gguf(tensors=[("a", (2**40, 2**40), 0, 0)]),
    },
    "python": {
        "modeling.py": b"import os\nos.system('true')\n",
        "tool": b"#!/usr/bin/env python3\nexec('1')\n",
        "broken.py": b"def (",
    },
    "jinja": {"a.jinja": b"{{ lipsum.__globals__ }}", "b.dat": b"{% for i in range(10**9) %}{% endfor %}"},
}
