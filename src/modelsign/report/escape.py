"""Makes untrusted text safe to show: no escape sequence of a name reaches a terminal or a page.

Control characters (C0, DEL, C1), marks that change the direction of text (Unicode TR36, section 2.7),
invisible characters, noncharacters (which XML has no place for) and lone surrogates become visible escapes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["code_block", "code_span", "escape", "escape_line", "escape_markdown"]

_INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff"
)
_UNSAFE: Final = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}]")
_UNSAFE_IN_LINE: Final = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}]")
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()#+!|<>&~-])")
_CALLS_OUT: Final = re.compile(r"@|://|\bwww\\?\.|(?<=\\)#", re.IGNORECASE)
"""What services make links and notices of, whatever escapes Markdown has: names of people, addresses, numbers."""
_TICKS: Final = re.compile("`+")
_ONE_BYTE: Final = 0xFF
_BASIC_PLANE: Final = 0xFFFF


def _visible(match: re.Match[str]) -> str:
    point = ord(match[0])
    if point <= _ONE_BYTE:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= _BASIC_PLANE else f"\\U{point:08x}"


def escape(text: str) -> str:
    """Escape text of several lines; line ends and tabs stay."""
    return _UNSAFE.sub(_visible, text)


def escape_line(text: str) -> str:
    """Escape text that must stay on one line."""
    return _UNSAFE_IN_LINE.sub(_visible, text)


def escape_markdown(text: str) -> str:
    """Escape text for a table cell or paragraph of Markdown: no markup, no HTML, no address or mention, one line."""
    marked = _MARKUP.sub(r"\\\1", escape_line(text))
    return _CALLS_OUT.sub(lambda match: f"{match[0][:1]}<!-- -->{match[0][1:]}", marked)


def code_span(text: str) -> str:
    """Write text as code within a line or a table cell (CommonMark 6.1; GFM, tables): nothing in it is markup."""
    line = escape_line(text).replace("|", "\\|")
    ticks = "`" * (_longest(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line.strip() else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def code_block(lines: Iterable[str], language: str) -> str:
    """Write lines as a fenced block of code that nothing in them can end (CommonMark 4.5)."""
    inner = [escape_line(line) for line in lines]
    fence = "`" * max(3, 1 + max(map(_longest, inner), default=0))
    return "\n".join([f"{fence}{language}", *inner, fence])


def _longest(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)
