"""What gateways put around a chunk, or around a whole completion."""

import json
from collections.abc import Iterator

_WRAPPINGS = ("data", "result", "response", "body", "completion")
_IS_CHUNK = ("choices", "error")
_DEPTH = 3


def parsed(data: bytes) -> object:
    """The JSON of a frame. Bytes that are no UTF-8, as of a character that a model has not written
    to its end, are replaced.

    Raises:
        ValueError, RecursionError: it is not JSON.
    """
    try:
        return json.loads(data)
    except UnicodeDecodeError:
        return json.loads(data.decode("utf-8", "replace"))


def chunks_in(value: object, depth: int = _DEPTH) -> Iterator[object]:
    """The chunks themselves: out of a list, a text of JSON, or an object that has one as its
    ``data``. What is none of these comes as it is.

    Raises:
        ValueError, RecursionError: a text is not JSON.
    """
    if depth and isinstance(value, str):
        yield from chunks_in(json.loads(value), depth - 1)
    elif depth and isinstance(value, list) and value and all(map(_is_chunk, value)):
        for item in value:
            yield from chunks_in(item, depth - 1)
    elif depth and isinstance(value, dict) and not any(value.get(name) for name in _IS_CHUNK):
        inner = next((value[name] for name in _WRAPPINGS if _is_chunk(value.get(name))), None)
        yield value if inner is None else inner
    else:
        yield value


def _is_chunk(value: object) -> bool:
    return isinstance(value, dict) and any(value.get(name) for name in _IS_CHUNK)
