"""What a server sends, read as leniently as its meaning is plain.

An answer that nobody can read must fail its request at once: whoever waits would wait for the whole
time limit, and read of a server that is silent.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mcp_types import (
    INTERNAL_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCResponse,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from activities.tools.mcp.answers import Unusable, mended_answer
from activities.tools.mcp.bounds import parsed_text
from activities.tools.mcp.failures import Failure, failure_error

Awaited = Mapping[RequestId, str]
"""The requests that are not answered yet: their methods by their ids."""

_ANSWERS = {"jsonrpc", "result", "error"}
_DECODER = json.JSONDecoder(strict=False)
# What stands between, or around, the messages of a line: colours, separators, and the like.
_BETWEEN = re.compile(r"(?:[\s,;\0\x1e\ufeff]|\x1b\[[0-9;]*[a-zA-Z])*")
_UNREADABLE = "it sent an answer that cannot be read"
# Halves of a character, which a cut in UTF-16 leaves. A whole pair is one character by now.
_HALVES = re.compile("[\ud800-\udfff]")
_ID = r'"id"\s*:\s*(?P<id>-?\d{1,18}|"[^"\\]{1,200}")'
_IDS = re.compile(_ID)
_ENVELOPE = re.compile(
    rf'"jsonrpc"\s*:\s*"2\.0"\s*,\s*{_ID}|{_ID.replace("<id>", "<first>")}\s*,\s*"jsonrpc"'
)


def read(raw: bytes, awaited: Awaited) -> tuple[JSONRPCMessage, ...]:
    """The messages in a piece of JSON; none when it is nobody's.

    Bytes that are no UTF-8, and halves of characters, become replacement characters. An answer that
    cannot be read becomes an error that answers the request it names.
    """
    if (sound := _sound(raw)) is not None:
        return (_mended(sound, awaited),)
    text = raw.decode("utf-8", "replace")
    text = text[_end_of(_BETWEEN, text, 0) :].rstrip()
    try:
        items = list(_values_in(text))
    except (ValueError, RecursionError):
        name = _named_in(text, awaited)
        return () if name is None else (_unreadable(name),)
    return tuple(_mended(message, awaited) for message in _messages(items, awaited))


def repaired(raw: bytes, awaited: Awaited) -> tuple[bytes, ...]:
    """What to put in place of a piece of JSON so that the SDK reads it; nothing if it will."""
    sound = _sound(raw)
    if sound is not None and _mended(sound, awaited) is sound:
        return ()
    return tuple(
        message.model_dump_json(by_alias=True, exclude_unset=True).encode()
        for message in read(raw, awaited)
    )


def is_answer(raw: bytes) -> bool:
    """Whether a piece of JSON is an answer, a result or an error."""
    return isinstance(_sound(raw), (JSONRPCResponse, JSONRPCError))


def is_error(raw: bytes) -> bool:
    """Whether a piece of JSON is an error of the protocol."""
    return isinstance(_sound(raw), JSONRPCError)


def names_request(raw: bytes) -> bool:
    """Whether a piece of JSON is an answer that says to which request."""
    message = _sound(raw)
    return isinstance(message, (JSONRPCResponse, JSONRPCError)) and message.id is not None


def _sound(raw: bytes) -> JSONRPCMessage | None:
    try:
        return jsonrpc_message_adapter.validate_json(raw, by_name=False)
    except ValidationError:
        return None


def _values_in(text: str) -> Iterator[Any]:
    """What is in a list is a message as well, and so is what is in a text. Behind the first value
    there may be others, or anything. Raises ``ValueError``, ``RecursionError``."""
    value, end = _DECODER.raw_decode(text)
    if isinstance(value, str):
        value = parsed_text(value)
    yield from value if isinstance(value, list) else [value]
    while (begin := _end_of(_BETWEEN, text, end)) < len(text):
        try:
            value, end = _DECODER.raw_decode(text, begin)
        except ValueError:
            return
        yield value


def _end_of(pattern: re.Pattern[str], text: str, begin: int) -> int:
    match = pattern.match(text, begin)
    return begin if match is None else match.end()


def _messages(items: Iterable[Any], awaited: Awaited) -> Iterator[JSONRPCMessage]:
    for item in items:
        if not isinstance(item, dict):
            continue
        if _ANSWERS & item.keys() - {"jsonrpc"}:
            item = {key: value for key, value in item.items() if key != "method"}  # noqa: PLW2901
        request_id = _id_of(item.get("id"), awaited)
        own_id = {} if request_id is None or "method" in item else {"id": request_id}
        try:
            text = _as_json(_plain(item) | own_id)
            yield jsonrpc_message_adapter.validate_json(text, by_name=False)
        except (ValueError, RecursionError):
            # A line of a log may have an ``id`` as well.
            if request_id is not None and own_id and _ANSWERS & item.keys():
                yield _unreadable(request_id)


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    """The message with what many a server leaves out, or sends as null, as the protocol has it."""
    plain = {key: value for key, value in item.items() if value is not None}
    plain["jsonrpc"] = "2.0"
    if "method" in plain:
        return plain
    if (error := plain.get("error")) is None:
        # Without the key, a null where an error was no fault would be taken for one.
        if isinstance(plain.get("result"), str):
            plain["result"] = parsed_text(plain["result"])
        return {key: value for key, value in plain.items() if key != "error"}
    plain.pop("result", None)
    told = error if isinstance(error, dict) else {"message": error}
    code, words = told.get("code"), told.get("message")
    plain["error"] = {
        **told,
        "code": code if type(code) is int else INTERNAL_ERROR,
        "message": words if isinstance(words, str) else json.dumps(words, default=str),
    }
    return plain


def _as_json(item: dict[str, Any]) -> str:
    return _HALVES.sub("\ufffd", json.dumps(item, ensure_ascii=False, allow_nan=False))


def _mended(message: JSONRPCMessage, awaited: Awaited) -> JSONRPCMessage:
    """The SDK would refuse a whole answer for a part that it does not like, and leave an error that
    names no request to nobody. The same object if nothing had to be mended."""
    if not isinstance(message, (JSONRPCResponse, JSONRPCError)):
        return message
    request_id = _id_of(message.id, awaited)
    if isinstance(message, JSONRPCError) and message.id is None and len(awaited) == 1:
        request_id = next(iter(awaited))
    if request_id is None:
        return message
    changes: dict[str, Any] = {} if message.id == request_id else {"id": request_id}
    if isinstance(message, JSONRPCResponse):
        try:
            result = mended_answer(awaited[request_id], message.result)
        except Unusable as reason:
            return _unreadable(request_id, str(reason))
        if result is not message.result:
            changes["result"] = dict(result)
    return message.model_copy(update=changes) if changes else message


def _id_of(value: object, awaited: Awaited) -> RequestId | None:
    """The id of a request of ours, which some servers send back as a text."""
    for name in awaited:
        if type(value) in (int, float, str) and str(value).removesuffix(".0") == str(name):
            return name
    return None


def _named_in(text: str, awaited: Awaited) -> RequestId | None:
    """Which request a text answers that is no JSON. Greetings and debug prints answer none."""
    if not text.startswith(("{", "[")) or '"jsonrpc"' not in text:
        return None
    heads = [match["id"] or match["first"] for match in _ENVELOPE.finditer(text)]
    for names in (heads, [match["id"] for match in _IDS.finditer(text)]):
        meant = {_id_of(name.strip('"'), awaited) for name in names} - {None}
        if len(meant) == 1:
            return meant.pop()
    return None


def _unreadable(request_id: RequestId, reason: str = _UNREADABLE) -> JSONRPCError:
    error = ErrorData.model_validate(failure_error(Failure.UNUSABLE, reason))
    return JSONRPCError(jsonrpc="2.0", id=request_id, error=error)
