"""Values out of JSON from outside, read with care: what has the wrong type counts as absent."""

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


def number_of(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
