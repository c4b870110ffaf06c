"""What is longer than the screen, in the pager of whoever reads it.

It is started once there is more than fits: what is short stays on the screen as always.
"""

import io
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import typer
from rich.cells import cell_len

from api.cli import surroundings, terminal

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


@contextmanager
def paged(*, wanted: bool = True) -> Iterator[None]:
    """Send what is printed on stdout through ``$PAGER``, or ``less -R``, where that is a terminal
    and the text is longer than it."""
    command = surroundings.pager()
    if not wanted or command is None or not sys.stdout.isatty():
        yield
        return
    before = sys.stdout
    pager = _Pager(command)
    sys.stdout = pager
    try:
        yield
    finally:
        sys.stdout = before
        pager.end()


class _Pager(io.TextIOBase):
    """Keeps what is written until it is more than a screen, and then has the pager show it."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._screen = sys.stdout
        self._kept: list[str] = []
        self._lines = 0
        self._process: subprocess.Popen[str] | None = None
        self._is_direct = False
        self._on_interrupt = signal.getsignal(signal.SIGINT)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._screen.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._screen.errors

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._screen.fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError("this is a stream of text")
        if self._is_direct:
            return self._screen.write(text)
        if self._process is not None:
            self._send(text)
            return len(text)
        self._kept.append(text)
        self._lines += self._lines_of(text)
        if self._lines >= terminal.stdout().height:
            self._start()
        return len(text)

    def end(self) -> None:
        """Show what is left, and wait until it has been read."""
        if self._process is None:
            self._screen.write("".join(self._kept))
            self._screen.flush()
            return
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        signal.signal(signal.SIGINT, self._on_interrupt)

    def _start(self) -> None:
        kept, self._kept = "".join(self._kept), []
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                text=True,
                encoding=self._screen.encoding,
                errors="backslashreplace",
                env=surroundings.pager_environment(),
            )
        except OSError:  # There is none: the screen does as well.
            self._is_direct = True
            self._screen.write(kept)
            return
        # Ctrl-C is for the pager, which knows what to do about it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._send(kept)

    def _send(self, text: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text)
            self._process.stdin.flush()
        except BrokenPipeError:  # Whoever reads has seen enough.
            raise typer.Exit(0) from None

    @staticmethod
    def _lines_of(text: str) -> int:
        """How many lines of the screen end in it, as far as that can be told."""
        width = max(terminal.stdout().width, 1)
        *whole, _ = text.split("\n")
        return sum(max(1, -(-cell_len(_ESCAPES.sub("", line)) // width)) for line in whole)
