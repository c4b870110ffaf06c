"""What the patterns of our models ask for, in words: nobody should have to read an expression."""

from collections.abc import Mapping
from typing import Final

_LINE = "it must be one line of printable characters, and not empty"
_NO_NUL = "it must be text without the character NUL"

_PATTERNS: Final[Mapping[str, str]] = {
    r"^[^\x00]*$": _NO_NUL,
    r"^[^\x00-\x1f\x7f]+$": _LINE,
    r"^[^\x00-\x1f\x7f]*$": "it must be one line of printable characters",
    r"\S": "it must not be blank",
    r"^[^\x00]*\S[^\x00]*$": "it must not be blank, and have no character NUL",
    r"^/": "it must be a whole path, which begins with /",
    r"^[\x20-\x7e]*$": "it must be printable characters of ASCII",
    r"^[\x20-\x7e]+$": "it must be printable characters of ASCII, and not empty",
    r"^[A-Za-z][A-Za-z0-9_-]{0,62}$": (
        "it must begin with a letter, followed by letters, digits, _ and -, at most 63 in all"
    ),
    r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$": (
        "it must begin with a letter or _, followed by letters, digits, _ and -, at most 63 in all"
    ),
    r"^[A-Za-z_][A-Za-z0-9_]{0,127}$": (
        "it must begin with a letter or _, followed by letters, digits and _, at most 128 in all"
    ),
    r"^[A-Za-z_][A-Za-z0-9_]*$": (
        "it must begin with a letter or _, followed by letters, digits and _"
    ),
    r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$": "it must be the name of a header, such as X-Api-Key",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$": (
        "it must begin with a letter or digit, followed by letters, digits, ., _ and -, at most 63"
        " in all"
    ),
    r"^[a-z0-9_-]{1,32}$": "it must be small letters, digits, _ and -, at most 32",
    r"^[A-Za-z0-9_-]{0,64}$": "it must be letters, digits, _ and -, at most 64",
}


def words_of(pattern: str) -> str | None:
    """What to tell people whose text does not match; None for a pattern that is not known here."""
    return _PATTERNS.get(pattern)
