"""Text that is wrapped by words, also while it is being written."""

import re

from rich.cells import cell_len

from api.cli.terminal import safe_text

_TOKEN = re.compile(r" +|[^ ]+")
_TAB = " " * 4


def wrapped(text: str, columns: int) -> list[str]:
    """The lines of a text in which a terminal obeys nothing. A word that is longer than a line is
    cut; what begins a line keeps its indentation."""
    clean = safe_text(text).replace("\t", _TAB)
    return [line for paragraph in clean.split("\n") for line in _wrapped(paragraph, columns)]


class Flow:
    """Takes text in pieces, and gives each line as soon as it cannot change any more. ``rest`` is
    the line that can."""

    def __init__(self) -> None:
        self.rest = ""
        self._return = ""

    def feed(self, text: str, columns: int) -> list[str]:
        whole = self._return + text
        # Half of a line's end is no control character.
        self._return = "\r" if whole.endswith("\r") else ""
        clean = safe_text(whole.removesuffix("\r")).replace("\t", _TAB)
        *ended, last = (self.rest + clean).split("\n")
        lines = [line for paragraph in ended for line in _wrapped(paragraph, columns)]
        *begun, self.rest = _wrapped(last, columns)
        return lines + begun

    def end(self) -> list[str]:
        """What is left, if that is anything."""
        rest, self.rest, self._return = self.rest, "", ""
        return [rest] if rest.strip() else []


def _wrapped(paragraph: str, columns: int) -> list[str]:
    columns = max(2, columns)  # A wide character needs two.
    lines, line, width = [], "", 0
    for token in _TOKEN.findall(paragraph):
        rest, size = token, cell_len(token)
        if width + size > columns and (line.strip() or rest[0] == " "):
            lines.append(line.rstrip())
            line, width = "", 0
            if rest[0] == " ":
                continue  # What stands between two words is not seen where a line ends.
        while width + size > columns:
            count = _fitting(rest, columns - width)
            lines.append(line + rest[:count])
            rest, line, width = rest[count:], "", 0
            size = cell_len(rest)
        line += rest
        width += size
    return [*lines, line]


def _fitting(text: str, columns: int) -> int:
    """How many characters fit."""
    width = 0
    for count, character in enumerate(text):
        width += cell_len(character)
        if width > columns:
            return count
    return len(text)
