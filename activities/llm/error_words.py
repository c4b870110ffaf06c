"""What a server says about an error, found in whatever shape it says it.

The text is from outside. Nothing is raised for a shape that nobody has thought of.
"""

import json
from collections.abc import Iterator, Mapping

# Where words are looked for, and in this order: the more telling ones come first.
_KEYS = (
    *("message", "msg", "detail", "details", "error", "errors", "error_message", "error_msg"),
    *("errorMessage", "error_description", "status_msg", "description", "reason", "title"),
)
# Gateways report the words of the server behind them beside their own: OpenRouter and others.
_BEHIND = ("metadata", "innererror", "raw", "base_resp", "x_groq")

_DEPTH = 8
_ITEMS = 5
_CHARACTERS = 2_000


def words_of(body: object) -> str:
    """All that a person could read of an error, on as many lines; empty when there is nothing."""
    found = dict.fromkeys(filter(None, _words(body, _DEPTH)))  # Each once: many repeat themselves.
    return "\n".join(found)[:_CHARACTERS]


def error_in(body: object) -> Mapping[str, object]:
    """The part of a document that tells of the error: its code stands there."""
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return {}
    inner = body.get("error") or body.get("errors") or body.get("base_resp")
    if isinstance(inner, list) and inner:
        inner = inner[0]
    return inner if isinstance(inner, dict) else body


def code_of(error: Mapping[str, object]) -> str:
    """What the server calls the kind of this error: its code, or its type when that says more."""
    code, kind = error.get("code"), error.get("type")
    if not isinstance(code, str | int) or isinstance(code, bool):
        code = error.get("error_code")
    # llama.cpp and OpenRouter have the HTTP status as the code, Gemini has a name of it beside.
    name = error.get("status")
    for other in (kind, name):
        if not isinstance(code, str) and isinstance(other, str):
            code = other
    return str(code) if isinstance(code, str | int) else ""


def status_in(error: Mapping[str, object]) -> int | None:
    """The HTTP status that an error names in its body, if it does."""
    for name in ("code", "status", "status_code", "http_code"):
        text = str(error.get(name))
        if len(text) == 3 and text.isdigit() and text[0] in "45":
            return int(text)
    return None


def _words(value: object, depth: int) -> Iterator[str]:
    if not depth:
        return
    match value:
        case str():
            yield from _in_text(value.strip(), depth)
        case list():
            for item in value[:_ITEMS]:
                yield from _words(item, depth - 1)
        case dict():
            yield from _in_object(value, depth - 1)


def _in_text(text: str, depth: int) -> Iterator[str]:
    """Some gateways give the whole body of another server as the text of their message."""
    inner = None
    if text[:1] in ("{", "["):
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            inner = None
    found = list(_words(inner, depth - 1)) if inner else []
    yield from found or [text]


def _in_object(fields: Mapping[str, object], depth: int) -> Iterator[str]:
    found = [words for key in _KEYS for words in _words(fields.get(key), depth)]
    where = fields.get("loc")
    if isinstance(where, list) and found:  # As pydantic tells of a field that is not wanted.
        found = [f"{'.'.join(map(str, where[:_ITEMS]))}: {found[0]}"]
    yield from found
    behind = [words for key in _BEHIND for words in _words(fields.get(key), depth)]
    yield from behind
    if not found and not behind:
        yield from _by_field(fields)


def _by_field(fields: Mapping[str, object]) -> Iterator[str]:
    """Some servers list what is wrong with each field under its name."""
    for name, value in list(fields.items())[:_ITEMS]:
        said = value[0] if isinstance(value, list) and value else None
        if isinstance(said, str) and said:
            yield f"{name}: {said}"
