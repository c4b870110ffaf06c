"""JSON from strangers, read strictly."""

import codecs
import json
import re

import pydantic_core
from pydantic import JsonValue

from api.wire.errors import BodyMalformed
from api.wire.growth import TOO_DEEP, Growth
from api.wire.json_words import EMPTY, NOT_UTF8, json_words

_PLACE = re.compile(r"^(.*) at line (\d+) column (\d+)$", re.DOTALL)

_TOKEN = re.compile(rb'["\[\]{}]|[^\s"\[\]{},:]++')
# Possessive: what is no text is not looked at again and again.
_TEXT = re.compile(rb'(?>(?:[^"\\]++|\\.)*)', re.DOTALL)
# To match a long text keeps the interpreter, so it is done in pieces.
_PIECE_BYTES = 64 * 1024
_COLON = re.compile(rb"\s*:")
_SHOWN_CHARACTERS = 100


def parse_json(body: bytes) -> JsonValue:
    """The value of a JSON document.

    Raises:
        BodyMalformed: with line and column.
        TooManyValues
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body.strip():
        raise BodyMalformed(form="JSON", reason=EMPTY, line=1, column=1)
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BodyMalformed(form="JSON", reason=NOT_UTF8, line=1, column=1)
    _check(body)
    try:
        value: JsonValue = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        place = _PLACE.match(str(error))
        reason, line, column = place.groups() if place else (str(error), "1", "1")
        raise BodyMalformed(
            form="JSON", reason=json_words(reason), line=int(line), column=max(int(column), 1)
        ) from error
    return value


def _check(body: bytes) -> None:
    """Of what is not JSON any count will do: the parser refuses it. Of two equal names in an object
    it would take the last one, in silence."""
    growth = Growth()
    names: list[set[bytes]] = [set()]
    position = 0
    while token := _TOKEN.search(body, position):
        position = token.end()
        match token[0]:
            case b"]" | b"}":
                if not growth.leave():
                    return
                names.pop()
                continue
            case b"[" | b"{":
                if not growth.enter():
                    raise _malformed(body, token.start(), TOO_DEEP)
                names.append(set())
            case b'"':
                position = _end_of_text(body, position)
                if _COLON.match(body, position):
                    _take_name(body, token.start(), position, names[-1])
        growth.add()


def _take_name(body: bytes, start: int, end: int, taken: set[bytes]) -> None:
    name = body[start:end]
    if b"\\" in name:
        try:
            name = json.dumps(pydantic_core.from_json(name), ensure_ascii=False).encode()
        except ValueError:  # The parser says so of the whole.
            return
    if name in taken:
        shown = name[1:-1].decode("utf-8", "replace")[:_SHOWN_CHARACTERS]
        raise _malformed(body, start, f"the key {shown!r} appears twice")
    taken.add(name)


def _end_of_text(body: bytes, position: int) -> int:
    while position < len(body):
        piece = _TEXT.match(body, position, position + _PIECE_BYTES)
        assert piece is not None  # It matches nothing, too.
        if body[piece.end() : piece.end() + 1] == b'"':
            return piece.end() + 1
        if piece.end() == position:
            break  # A backslash, and then nothing.
        position = piece.end()
    return len(body)


def _malformed(body: bytes, position: int, reason: str) -> BodyMalformed:
    line, column = body.count(b"\n", 0, position) + 1, position - body.rfind(b"\n", 0, position)
    return BodyMalformed(form="JSON", reason=reason, line=line, column=column)
