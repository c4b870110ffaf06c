"""JSON from strangers, read strictly."""

import codecs
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
    _check_growth(body)
    try:
        value: JsonValue = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        place = _PLACE.match(str(error))
        reason, line, column = place.groups() if place else (str(error), "1", "1")
        raise BodyMalformed(
            form="JSON", reason=json_words(reason), line=int(line), column=max(int(column), 1)
        ) from error
    return value


def _check_growth(body: bytes) -> None:
    """Of what is not JSON any count will do: the parser refuses it."""
    growth = Growth()
    position = 0
    while token := _TOKEN.search(body, position):
        position = token.end()
        match token[0]:
            case b"]" | b"}":
                if not growth.leave():
                    return
                continue
            case b"[" | b"{":
                if not growth.enter():
                    line, column = _place(body, token.start())
                    raise BodyMalformed(form="JSON", reason=TOO_DEEP, line=line, column=column)
            case b'"':
                position = _end_of_text(body, position)
        growth.add()


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


def _place(body: bytes, position: int) -> tuple[int, int]:
    """Line and column."""
    return body.count(b"\n", 0, position) + 1, position - body.rfind(b"\n", 0, position)
