"""Whether two values of JSON are the same."""

from pydantic import JsonValue


def is_same(one: JsonValue, other: JsonValue) -> bool:
    """As Python compares them, but ``true`` is no 1, however deep within."""
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
        case list(), list():
            return len(one) == len(other) and all(map(is_same, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)
