"""The terminal of a conversation: what is done stays above, what moves and what is typed below."""

import asyncio
import os
import sys
import termios
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from api.cli.chat.editor import Editor

_BRACKETED_PASTE = "\x1b[?2004h", "\x1b[?2004l"
_LEAST_COLUMNS = 20
_READ_BYTES = 4_096


class Screen:
    """``print`` adds lines for good; ``draw`` shows what is below them, in place of what was."""

    def __init__(self, console: Console) -> None:
        self.console = console
        # Of the lines that were drawn last, to where the cursor is: how many columns each takes.
        self._drawn: list[int] = []

    @property
    def columns(self) -> int:
        # The last column is left free: a terminal may go to the next line behind it.
        return max(_LEAST_COLUMNS, self.console.width - 1)

    def print(self, lines: Sequence[Text]) -> None:
        self._write(self._erasing() + "".join(map(self._rendered, lines)))

    def draw(self, live: Sequence[Text], prompt: Text, editor: Editor) -> None:
        """The cursor is left where it is in the line that is typed."""
        erasing = self._erasing()
        shown = [self._cut(line) for line in list(live)[-max(1, self.console.height - 2) :]]
        text, column = editor.seen(self.columns - prompt.cell_len)
        back = cell_len(text) - column
        # At once: what is drawn in pieces flickers.
        self._write(
            erasing
            + "".join(map(self._rendered, shown))
            + self._rendered(prompt + Text(text)).removesuffix("\n")
            + (f"\x1b[{back}D" if back > 0 else "")
        )
        self._drawn = [*(line.cell_len for line in shown), prompt.cell_len + column]

    def erase(self) -> None:
        """What was drawn last."""
        self._write(self._erasing())

    def clear(self) -> None:
        """All that is in sight."""
        self._write("\x1b[H\x1b[2J")
        self._drawn = []

    def _erasing(self) -> str:
        if not self._drawn:
            return ""
        # A terminal that has become narrower since has wrapped what was drawn.
        *above, typed = self._drawn
        width = self.console.width
        rows = sum(max(1, -(-columns // width)) for columns in above) + typed // width
        self._drawn = []
        up = f"\x1b[{rows}A" if rows else ""
        return f"\r{up}\x1b[J"

    def _rendered(self, line: Text) -> str:
        """A line as it is sent; cut where the terminal ends, if it may be."""
        with self.console.capture() as capture:
            self.console.print(self._cut(line), crop=False, soft_wrap=True)
        return capture.get()

    def _cut(self, line: Text) -> Text:
        # By hand: of a single text rich forgets that it is not to be wrapped, and a line that takes
        # two rows where one was counted is drawn again below itself.
        if line.overflow == "ignore":
            return line
        cut = line.copy()
        cut.truncate(self.columns, overflow="ellipsis")
        return cut

    def _write(self, text: str) -> None:
        if text:
            self.console.file.write(text)
        self.console.file.flush()

    @contextmanager
    def typing(self) -> Iterator[int]:
        """Keys come as they are typed, not as lines, and do nothing by themselves, while the block
        runs. Gives the descriptor that they can be read from."""
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        changed = termios.tcgetattr(descriptor)
        changed[0] &= ~(termios.IXON | termios.ICRNL)
        changed[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
        changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
        termios.tcsetattr(descriptor, termios.TCSADRAIN, changed)
        self._write(_BRACKETED_PASTE[0])
        try:
            yield descriptor
        finally:
            self.erase()
            self._write(_BRACKETED_PASTE[1])
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def can_type(console: Console) -> bool:
    """Whether there is a terminal at both ends, that can move its cursor."""
    return (
        console.is_terminal
        and not console.is_dumb_terminal
        and sys.stdin.isatty()
        and os.isatty(sys.stdin.fileno())
    )


@asynccontextmanager
async def bytes_of(descriptor: int) -> AsyncIterator[AsyncIterator[bytes]]:
    """What is typed, as it is typed."""
    arrived: asyncio.Queue[bytes] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            content = os.read(descriptor, _READ_BYTES)
        except OSError:  # The terminal has gone.
            content = b""
        if not content:
            loop.remove_reader(descriptor)
        arrived.put_nowait(content)

    async def typed() -> AsyncIterator[bytes]:
        while content := await arrived.get():
            yield content

    loop.add_reader(descriptor, read)
    try:
        yield typed()
    finally:
        loop.remove_reader(descriptor)
