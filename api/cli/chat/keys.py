"""What is typed at a terminal, as keys."""

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Key(Enum):
    ENTER = auto()
    INTERRUPT = auto()
    END_OF_INPUT = auto()
    LEFT = auto()
    RIGHT = auto()
    WORD_LEFT = auto()
    WORD_RIGHT = auto()
    HOME = auto()
    END = auto()
    UP = auto()
    DOWN = auto()
    BACKSPACE = auto()
    DELETE = auto()
    KILL_WORD = auto()
    KILL_BEFORE = auto()
    KILL_AFTER = auto()
    REDRAW = auto()


@dataclass(frozen=True, slots=True)
class Typed:
    """Characters, of which none is a control character but for line feeds that were pasted."""

    text: str


_CONTROLS: Mapping[str, Key] = {
    "\r": Key.ENTER,
    "\n": Key.ENTER,
    "\x01": Key.HOME,
    "\x02": Key.LEFT,
    "\x03": Key.INTERRUPT,
    "\x04": Key.END_OF_INPUT,
    "\x05": Key.END,
    "\x06": Key.RIGHT,
    "\x08": Key.BACKSPACE,
    "\x0b": Key.KILL_AFTER,
    "\x0c": Key.REDRAW,
    "\x0e": Key.DOWN,
    "\x10": Key.UP,
    "\x15": Key.KILL_BEFORE,
    "\x17": Key.KILL_WORD,
    "\x7f": Key.BACKSPACE,
}
_SEQUENCES: Mapping[str, Key] = {
    **dict.fromkeys(("[A", "OA"), Key.UP),
    **dict.fromkeys(("[B", "OB"), Key.DOWN),
    **dict.fromkeys(("[C", "OC"), Key.RIGHT),
    **dict.fromkeys(("[D", "OD"), Key.LEFT),
    **dict.fromkeys(("[H", "OH", "[1~", "[7~"), Key.HOME),
    **dict.fromkeys(("[F", "OF", "[4~", "[8~"), Key.END),
    **dict.fromkeys(("[1;5C", "[1;3C", "f"), Key.WORD_RIGHT),
    **dict.fromkeys(("[1;5D", "[1;3D", "b"), Key.WORD_LEFT),
    **dict.fromkeys(("\x7f", "\x08"), Key.KILL_WORD),
    "[3~": Key.DELETE,
}
_PASTE_BEGINS, _PASTE_ENDS = "[200~", "\x1b[201~"
# A sequence that does not end is none.
_LONGEST_SEQUENCE = 16


class Keyboard:
    """Takes bytes as they come, also half a character or half a sequence, and gives keys."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._is_pasting = False

    def feed(self, content: bytes) -> Iterator[Key | Typed]:
        self._rest += self._decoder.decode(content)
        while self._rest:
            if self._is_pasting:
                pasted, has_ended = self._paste()
                if pasted:
                    yield Typed(pasted)
                if not has_ended:
                    return
            elif self._rest[0] == "\x1b":
                length = _length_of_sequence(self._rest)
                if length is None:
                    return
                sequence, self._rest = self._rest[1:length], self._rest[length:]
                self._is_pasting = sequence == _PASTE_BEGINS
                if (key := _SEQUENCES.get(sequence)) is not None:
                    yield key
            else:
                yield from self._plain()

    def _plain(self) -> Iterator[Key | Typed]:
        end = next((at for at, c in enumerate(self._rest) if _is_control(c)), len(self._rest))
        if end:
            text, self._rest = self._rest[:end], self._rest[end:]
            yield Typed(text)
            return
        control, self._rest = self._rest[0], self._rest[1:]
        if (key := _CONTROLS.get(control)) is not None:
            yield key

    def _paste(self) -> tuple[str, bool]:
        """What was pasted so far, and whether that is all of it."""
        text, end, rest = self._rest.partition(_PASTE_ENDS)
        if not end:
            # The beginning of the end may be there already.
            lengths = range(len(_PASTE_ENDS) - 1, 0, -1)
            kept = next((n for n in lengths if text.endswith(_PASTE_ENDS[:n])), 0)
            kept = kept or text.endswith("\r")  # Half of the end of a line.
            text, rest = text[: len(text) - kept], text[len(text) - kept :]
        self._is_pasting, self._rest = not end, rest
        lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
        return "".join(c for c in lines if c == "\n" or not _is_control(c)), bool(end)


def _is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character <= "\x9f"


def _length_of_sequence(text: str) -> int | None:
    """How long the sequence is that ``text`` begins with; None when it has not ended yet."""
    if len(text) == 1:
        return None
    if text[1] == "O":
        return 3 if len(text) > 2 else None
    if text[1] != "[":
        return 2
    for at, character in enumerate(text[2:_LONGEST_SEQUENCE], 2):
        if "@" <= character <= "~":
            return at + 1
    return None if len(text) < _LONGEST_SEQUENCE else _LONGEST_SEQUENCE
