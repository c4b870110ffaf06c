"""Characters that do something to a page are shown, not obeyed."""

import re

from markupsafe import Markup, escape

# Controls, marks that turn the direction of text (`gpj.exe` looks like `exe.jpg`), and halves of a
# pair that no encoding can send. Line ends and tabs are what they are.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LINE_END = re.compile("\r\n?")
_PICTURES = 0x2400  # Where Unicode has a picture of each control character.
_DELETE = 0x7F


def visible(text: str) -> str:
    """The text with its unseen characters as pictures (``␛``) or by number (``\\u202e``)."""
    return _UNSEEN.sub(_shown, _LINE_END.sub("\n", text))


def lines_of(text: str) -> list[str]:
    """Its lines. A carriage return ends one too: what it would overwrite was printed."""
    return _LINE_END.sub("\n", text).removesuffix("\n").split("\n") if text else []


def plain(text: str) -> Markup:
    """The text as it is, safe within an element that keeps white space."""
    return escape(visible(text))


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < ord(" "):
        return chr(_PICTURES + code)
    return "\u2421" if code == _DELETE else f"\\u{code:04x}"
