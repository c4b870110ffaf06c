"""Whether two values of JSON are the same."""

from pydantic import JsonValue


def is_same(one: JsonValue, other: JsonValue) -> bool:
    """Whether they are written alike, however deep within: ``true`` is no 1, and 5.0 is no 5, which
    a script would be given as another text."""
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
        case list(), list():
            return len(one) == len(other) and all(map(is_same, one, other))
    return one == other and type(one) is type(other)
