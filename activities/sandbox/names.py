"""Which file names may leave a sandbox: they end up on terminals, in URLs, and in other scripts."""

import unicodedata
from pathlib import PurePosixPath
from uuid import UUID

# S3 keys end at 1024 bytes; the store adds its own part.
MAX_NAME_BYTES = 512

MAX_PART_BYTES = 255  # of one part of a path, on Linux
_MAX_SUFFIX_CHARACTERS = 20

# Joiners shape letters in many scripts and in emoji; every other invisible character only deceives.
_JOINERS = "\u200c\u200d"
_DECEIVING = {
    "Cc": "a control character",
    "Cf": "an invisible or direction-changing character",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}


def objection(path: str) -> str | None:
    """Why a relative POSIX path may not be used; None when it may."""
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "its name is not valid UTF-8"
    if len(encoded) > MAX_NAME_BYTES:
        return f"its name has more than {MAX_NAME_BYTES} bytes"
    if "\\" in path:
        return "its name holds a backslash"
    if any(part.startswith("-") for part in path.split("/")):
        return "its name begins with a hyphen, so that programs take it for an option"
    for character in path:
        kind = _DECEIVING.get(unicodedata.category(character))
        if kind and character not in _JOINERS:
            return f"its name holds {kind}"
    return None


def is_short_enough(part: str) -> bool:
    """Whether Linux takes it as one part of a path."""
    return len(part.encode()) <= MAX_PART_BYTES


def name_by_id(key: UUID, name: str) -> str:
    """Where a file's own name is too long or taken: short, unique, and of the same type."""
    return f"{key}{PurePosixPath(name).suffix[:_MAX_SUFFIX_CHARACTERS]}"


def printable(path: str) -> str:
    """A name as it can be shown: what is not plainly printable is escaped, what is long cut."""
    shown = path if len(path) <= MAX_NAME_BYTES else f"{path[:MAX_NAME_BYTES]}..."
    return "".join(
        character
        if character.isprintable() and character != "\\"
        else character.encode("unicode_escape").decode()
        for character in shown
    )
