"""File names from clients, and how they are sent back in headers."""

import unicodedata
from urllib.parse import quote

MAX_NAME_BYTES = 255  # What file systems take.
_DEFAULT = "upload"

# Marks that turn the direction of text can make `gpj.exe` look like `exe.jpg`.
_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
_HIDDEN_CATEGORIES = ("Cc", "Cs", "Cn", "Co", "Zl", "Zp")


def clean_name(text: str | None) -> str:
    """The last part of a path, without what is hidden in it; cut, but with its suffix."""
    name = (text or "").replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in unicodedata.normalize("NFC", name) if not _is_hidden(c)).strip()
    if name.strip(".") == "":
        return _DEFAULT
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > 20:
        stem, dot, suffix = name, "", ""
    room = MAX_NAME_BYTES - len(f"{dot}{suffix}".encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + suffix


def disposition(name: str, *, is_shown: bool) -> str:
    """A ``Content-Disposition`` (RFC 6266): plain letters for old clients, the name for others."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    kind = "inline" if is_shown else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _is_hidden(character: str) -> bool:
    return (
        unicodedata.category(character) in _HIDDEN_CATEGORIES
        or unicodedata.bidirectional(character) in _TURNING
    )
