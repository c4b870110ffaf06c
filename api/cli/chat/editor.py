"""One line of input that can be edited, and those that were typed before."""

from collections.abc import Sequence

from rich.cells import cell_len

from api.cli.chat.keys import Key, Typed
from api.cli.terminal import safe_line

MAX_HISTORY = 200
# What the API takes as a message.
MAX_CHARACTERS = 100_000


class Editor:
    """``text`` with the cursor before the character ``at``."""

    def __init__(self, history: Sequence[str] = ()) -> None:
        self.text = ""
        self.at = 0
        self._history = list(history)[-MAX_HISTORY:]
        self._place = len(self._history)
        self._draft = ""

    def take(self, key: Key | Typed) -> None:
        """Of keys those that edit; others change nothing."""
        if isinstance(key, Typed):
            room = MAX_CHARACTERS - len(self.text)
            self._replace(self.at, self.at, key.text[: max(0, room)])
        elif (place := self._moved(key)) is not None:
            self.at = place
        elif (span := self._erased(key)) is not None:
            self._replace(*span)
        elif key in (Key.UP, Key.DOWN):
            self._go_to(self._place + (1 if key is Key.DOWN else -1))

    def _moved(self, key: Key) -> int | None:
        place: int | None = None
        match key:
            case Key.LEFT:
                place = max(0, self.at - 1)
            case Key.RIGHT:
                place = min(len(self.text), self.at + 1)
            case Key.WORD_LEFT:
                place = self._word_before()
            case Key.WORD_RIGHT:
                place = self._word_after()
            case Key.HOME:
                place = 0
            case Key.END:
                place = len(self.text)
            case _:
                pass
        return place

    def _erased(self, key: Key) -> tuple[int, int] | None:
        match key:
            case Key.BACKSPACE:
                return max(0, self.at - 1), self.at
            case Key.DELETE:
                return self.at, self.at + 1
            case Key.KILL_WORD:
                return self._word_before(), self.at
            case Key.KILL_BEFORE:
                return 0, self.at
            case Key.KILL_AFTER:
                return self.at, len(self.text)
            case _:
                return None

    def clear(self) -> None:
        self.text, self.at = "", 0
        self._place, self._draft = len(self._history), ""

    def submit(self) -> str:
        """What was typed; the line is empty then."""
        text = self.text
        if text.strip() and text != (self._history[-1] if self._history else None):
            self._history = [*self._history, text][-MAX_HISTORY:]
        self.clear()
        return text

    def seen(self, columns: int) -> tuple[str, int]:
        """As much of the line as fits, with the cursor in it, and the cursor's column."""
        shown = [_drawn(character) for character in self.text]
        first = self.at
        width = 1  # The cursor itself needs a place, also behind the text.
        while first > 0 and width + cell_len(shown[first - 1]) <= columns:
            first -= 1
            width += cell_len(shown[first])
        column = width - 1
        last = self.at
        while last < len(shown) and column + cell_len("".join(shown[self.at : last + 1])) < columns:
            last += 1
        return "".join(shown[first:last]), column

    def _replace(self, start: int, end: int, text: str = "") -> None:
        self.text = self.text[:start] + text + self.text[end:]
        self.at = start + len(text)

    def _word_before(self) -> int:
        at = self.at
        while at and self.text[at - 1].isspace():
            at -= 1
        while at and not self.text[at - 1].isspace():
            at -= 1
        return at

    def _word_after(self) -> int:
        at = self.at
        while at < len(self.text) and self.text[at].isspace():
            at += 1
        while at < len(self.text) and not self.text[at].isspace():
            at += 1
        return at

    def _go_to(self, place: int) -> None:
        if not 0 <= place <= len(self._history):
            return
        if self._place == len(self._history):
            self._draft = self.text
        self._place = place
        self.text = self._draft if place == len(self._history) else self._history[place]
        self.at = len(self.text)


def _drawn(character: str) -> str:
    return "⏎" if character == "\n" else safe_line(character)
