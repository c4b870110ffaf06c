"""What a person sees on a terminal, of the bytes that a program sends to it.

It knows what our programs send, and takes anything else for a mistake.
"""

import re
import unicodedata

_SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


class TerminalPicture:
    """``lines`` is all that was printed, also what has scrolled out of sight. ``has_styles``:
    colours were sent, or bold and the like."""

    def __init__(self, columns: int = 80) -> None:
        self._columns = columns
        self._rows: list[list[str]] = [[]]
        self._row = self._column = 0
        self._rest = ""
        self.has_styles = False

    @property
    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self._rows]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def cursor(self) -> tuple[int, int]:
        return self._row, self._column

    def feed(self, text: str) -> None:
        self._rest += text
        while self._rest:
            if self._rest[0] == "\x1b":
                found = _SEQUENCE.match(self._rest)
                if found is None:
                    assert len(self._rest) < 12, f"no sequence: {self._rest[:20]!r}"
                    return
                self._rest = self._rest[found.end() :]
                self._obey(found[1], found[2])
            else:
                character, self._rest = self._rest[0], self._rest[1:]
                self._put(character)

    def _obey(self, values: str, command: str) -> None:
        count = int(values) if values.isdigit() else 1
        match command:
            case "A":
                self._row = max(0, self._row - count)
            case "D":
                self._column = max(0, self._column - count)
            case "J":
                self._rows[self._row] = self._rows[self._row][: self._column]
                del self._rows[self._row + 1 :]
            case "m":
                self.has_styles = True
            case "h" | "l":
                pass
            case _:
                raise AssertionError(f"what is \\x1b[{values}{command}?")

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
            return
        if character == "\n":
            self._go_down()
            return
        assert character.isprintable(), f"{character!r} was sent"
        width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if self._column + width > self._columns:
            self._column = 0
            self._go_down()
        row = self._rows[self._row]
        row.extend(" " * (self._column - len(row)))
        row[self._column : self._column + width] = [character, *[""] * (width - 1)]
        self._column += width

    def _go_down(self) -> None:
        self._row += 1
        if self._row == len(self._rows):
            self._rows.append([])
