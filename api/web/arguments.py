"""Arguments of a call as a person reads and edits them: all of them, or their beginning."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from api.web.text.pretty import written_json
from api.wire.unseen import safe_json, safe_text

# What is longer is shown in whole on a page of its own.
MAX_SHOWN_CHARACTERS = 20_000
_BEGINNING_CHARACTERS = 4_000
_LINE_CHARACTERS = 90


@dataclass(frozen=True, slots=True)
class Piece:
    """An argument; ``name`` is empty where there are none but something else."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Arguments:
    """``text`` is all of them as JSON, in which what is not seen is written as an escape, and
    ``pieces`` the same for reading: all of them unless it ``is_cut``."""

    text: str
    pieces: Sequence[Piece]
    is_cut: bool

    @property
    def digest(self) -> str:
        return digest_of(self.text)


def arguments_of(value: JsonValue, *, is_whole: bool) -> Arguments:
    text = json_text(value)
    is_cut = not is_whole and len(text) > MAX_SHOWN_CHARACTERS
    pieces = _pieces(value)
    return Arguments(text, _beginning(pieces) if is_cut else pieces, is_cut)


def json_text(value: JsonValue) -> str:
    """A document as JSON that hides nothing."""
    return safe_json(written_json(value))


def digest_of(text: str) -> str:
    """The same for a text that has gone through a field of a form and was not changed there."""
    plain = text.replace("\r\n", "\n").strip()
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def _pieces(value: JsonValue) -> list[Piece]:
    if not isinstance(value, dict):
        return [Piece("", json_text(value))]
    return [Piece(safe_text(name), _readable(each)) for name, each in value.items()]


def _readable(value: JsonValue) -> str:
    """Texts of many lines, such as code, as they are; all else as JSON, in one line if short."""
    if isinstance(value, str) and "\n" in value:
        return safe_text(value)
    line = safe_json(json.dumps(value, ensure_ascii=False))
    return line if len(line) <= _LINE_CHARACTERS else json_text(value)


def _beginning(pieces: Sequence[Piece]) -> list[Piece]:
    left, shown = _BEGINNING_CHARACTERS, list[Piece]()
    for piece in pieces:
        if left <= 0:
            break
        name, text = piece.name[:200], piece.text[:left]
        shown.append(Piece(name, text if text == piece.text else f"{text}…"))
        left -= len(name) + len(text)
    return shown
