"""The pictures of the terminal in the README: what ``agentos demo`` prints, as SVG.

``python -m tests.pictures`` runs the demo on a terminal and writes them anew. Do that on an idle
machine: the times that steps take are in them.
"""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
import unicodedata
from collections.abc import Sequence
from io import StringIO
from itertools import groupby

from rich.console import Console
from rich.text import Text

from tests.folders import PROJECT
from tests.terminal_picture import TerminalPicture

COLUMNS = 108
ROWS = 60
FOLDER = PROJECT / "deploy/demo"

_TEMPORARY = re.compile(r"/tmp/agentos-demo-\w+")
_READ_BYTES = 65_536
_FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{unique_id}-matrix {{
        font-family: ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace;
        font-size: {char_height}px;
        line-height: {line_height}px;
        font-variant-east-asian: full-width;
    }}
    .{unique_id}-title {{
        font-size: 18px;
        font-weight: bold;
        font-family: arial;
    }}
    {styles}
    </style>
    <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
    </defs>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})"
       clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
    </g>
</svg>
"""


class ColouredPicture(TerminalPicture):
    """With the colours: what is in ``lines`` has the sequences that a terminal makes them of."""

    def __init__(self, columns: int) -> None:
        super().__init__(columns)
        self._style = ""

    def _obey(self, values: str, command: str) -> None:
        match command:
            case "m":
                sent = f"\x1b[{values}m"
                self._style = "" if values in ("", "0") else self._style + sent
            case "K":
                self._rows[self._row] = []
            case _:
                super()._obey(values, command)

    def _put(self, character: str) -> None:
        super()._put(character)
        if self._style and character.isprintable():
            width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
            row = self._rows[self._row]
            row[self._column - width] = self._style + character

    @property
    def lines(self) -> list[str]:
        return [_joined(row).rstrip() for row in self._rows]


def _joined(cells: Sequence[str]) -> str:
    """A row, with what is of one style in one piece."""
    pieces = groupby((cell for cell in cells if cell), key=lambda cell: cell[:-1])
    told = [(style, "".join(cell[-1] for cell in piece)) for style, piece in pieces]
    return "".join(f"{style}{text}\x1b[0m" if style else text for style, text in told)


def demo_lines() -> list[str]:
    """What the demo leaves on a terminal, line by line."""
    process, terminal = pty.fork()
    if process == 0:
        os.execv(sys.executable, [sys.executable, "-m", "deploy.cli", "demo"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    received = bytearray()
    while more := _read(terminal):
        received += more
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    printed = received.decode()
    if code != 0:
        raise SystemExit(f"The demo failed with exit code {code}:\n{printed}")
    return seen(printed)


def seen(printed: str) -> list[str]:
    """What that looks like at last, as if it ran in the folder of the project."""
    picture = ColouredPicture(COLUMNS)
    picture.feed(_TEMPORARY.sub("/tmp/agentos-demo", printed.replace(f"{PROJECT}/", "")))
    return picture.lines


def _read(terminal: int) -> bytes:
    """Nothing once the program has ended, of which Linux tells by an error."""
    try:
        return os.read(terminal, _READ_BYTES)
    except OSError:
        return b""


def part(lines: Sequence[str], first: str, after: str) -> list[str]:
    """From the line that begins with ``first`` to the one before that which begins with
    ``after``."""
    plain = [Text.from_ansi(line).plain for line in lines]
    start = next(index for index, line in enumerate(plain) if line.startswith(first))
    ends = (index for index, line in enumerate(plain) if index > start and line.startswith(after))
    end = next(ends)
    while not plain[end - 1]:
        end -= 1
    return [*lines[start:end]]


def drawn(lines: Sequence[str], title: str) -> str:
    console = Console(file=StringIO(), record=True, width=COLUMNS, force_terminal=True)
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=True)
    return console.export_svg(title=title, code_format=_FORMAT, unique_id="terminal")


def main() -> None:
    lines = demo_lines()
    make = "\x1b[1;32m$\x1b[0m \x1b[1mmake demo\x1b[0m"
    pipeline = part(lines, "$ agentos submit pipeline", "Now the same with an agent")
    agent = part(lines, "$ agentos submit agent", "$ agentos artifacts get")
    for name, shown in (("picture", [make, "", *pipeline]), ("agent", agent)):
        (FOLDER / f"{name}.svg").write_text(drawn(shown, "agentos demo"))


if __name__ == "__main__":
    main()
