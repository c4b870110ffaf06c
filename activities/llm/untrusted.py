"""Values out of JSON from outside, read with care: what has the wrong type counts as absent."""

_MAX_DIGITS = 9

NO_MAPPING: dict[str, object] = {}


def text_of(value: object) -> str:
    """Text as it can be stored: no half surrogate pairs, which UTF-8 has not, and no NUL."""
    if not isinstance(value, str):
        return ""
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode()
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}")


def mapping_of(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else NO_MAPPING


def list_of(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def items_of(value: object) -> list[object]:
    """Those of a list, or of an object that has them by their numbers; an object that is none of
    these is the only one, without its list."""
    if not isinstance(value, dict) or not value:
        return list_of(value)
    return list(value.values()) if all(str(key).isdigit() for key in value) else [value]


def number_of(value: object) -> int | None:
    """A whole number, also one written as a text."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= _MAX_DIGITS:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
