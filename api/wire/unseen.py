"""Text that others wrote, in which what is not seen is shown and never obeyed.

A script prints what it likes and names its files as it likes. As they are, control characters could
move the cursor, retitle the window, answer for the user or turn the text around; here they are
shown, as ``\\x1b``.
"""

import re

_C0_C1 = "\x00-\x1f\x7f-\x9f"
# Marks that turn the direction of text, separate lines or are not seen: they disguise names.
_INVISIBLE = (
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
_SURROGATES = "\ud800-\udfff"  # No encoding has them: printing one would raise.
_UNSAFE = re.compile(f"[{_C0_C1}{_INVISIBLE}{_SURROGATES}]")
_UNSAFE_IN_TEXT = re.compile(f"(?!\n|\t)[{_C0_C1}{_INVISIBLE}{_SURROGATES}]")


def safe_line(text: str, limit_characters: int | None = None) -> str:
    """One line without control characters, cut to a length if one is given."""
    if limit_characters is not None and len(text) > limit_characters:
        text = text[: limit_characters - 1] + "…"
    return _UNSAFE.sub(_escaped, text)


def safe_text(text: str) -> str:
    """Many lines; of the control characters only line feeds and tabs are kept."""
    return _UNSAFE_IN_TEXT.sub(_escaped, text.replace("\r\n", "\n"))


def safe_json(document: str) -> str:
    """A JSON document in which what a terminal would obey is written as a ``\\u`` escape.

    It stays the same document: such characters occur inside strings only.
    """
    return _UNSAFE_IN_TEXT.sub(_json_escaped, document)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def _json_escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
