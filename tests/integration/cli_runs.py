"""Runs of the command, each in a process of its own, with pipes or a terminal as a user has them.

The processes are forked off one that has imported the command already: a run takes a tenth of the
time, and is otherwise what ``agentos ...`` in a shell is.
"""

import asyncio
import codecs
import multiprocessing
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from multiprocessing.context import ForkServerProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

from tests.folders import PROJECT
from tests.live import Printed
from tests.terminal_picture import TerminalPicture

_forking = multiprocessing.get_context("forkserver")
_COMMANDS = [
    f"api.cli.commands.{path.stem}" for path in (PROJECT / "api/cli/commands").glob("*.py")
]
# What they need for the database they load only when they run: most of the time of a run.
_ON_DATABASES = [
    *("deploy.keys.commands", "deploy.keys.keyring"),
    *("deploy.retention.commands", "deploy.retention.teams"),
    *("deploy.secrets.commands", "deploy.secrets.vault"),
]
_forking.set_forkserver_preload(
    [
        *("deploy.cli", "deploy.skill_validation", "tests.integration.cli_runs"),
        *_COMMANDS,
        *_ON_DATABASES,
    ]
)


def _run(words: list[str], environment: Mapping[str, str], *streams: Any) -> None:
    from deploy.cli import app, run

    # A shell that runs the tests in the background has it ignored, and so would we be born deaf.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream.detach(), number)
    # Those that were inherited take the pipes for what the streams of the first process were.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    run(app, words)


class Run:
    """A command that runs. ``stdout`` and ``stderr`` may be read as it goes on."""

    def __init__(
        self, process: ForkServerProcess, stdout: asyncio.StreamReader, stderr: asyncio.StreamReader
    ) -> None:
        self._process = process
        self.stdout = stdout
        self.stderr = stderr

    def send_signal(self, number: int) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    async def end(self) -> Printed:
        """Wait for its end; what it printed since it was last read."""
        stdout, stderr = await asyncio.gather(self.stdout.read(), self.stderr.read())
        await asyncio.to_thread(self._process.join)
        assert self._process.exitcode is not None
        return Printed(self._process.exitcode, stdout.decode(), stderr.decode())


async def agentos(
    url: str, *words: str, key: str = "", stdin: Path = Path(os.devnull), **environment: str
) -> Printed:
    """Run the command against the API at ``url`` to its end."""
    return await (await start(url, *words, key=key, stdin=stdin, **environment)).end()


async def start(
    url: str,
    *words: str,
    key: str = "",
    stdin: Path = Path(os.devnull),
    terminal: bool = False,
    unread: Collection[str] = (),
    **environment: str,
) -> Run:
    """Start the command; its stderr is a terminal or a pipe. Pipes that are ``unread`` have nobody
    at their other end."""
    given = {"AGENTOS_API_URL": url, "AGENTOS_API_KEY": key, "COLUMNS": "100", **environment}
    inherited = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    its_stdin = os.open(stdin, os.O_RDONLY)
    stdout, its_stdout = os.pipe()
    stderr, its_stderr = os.openpty() if terminal else os.pipe()
    empty, its_end = os.pipe()
    os.close(its_end)
    for name, descriptor in (("stdout", stdout), ("stderr", stderr)):
        if name in unread:
            os.dup2(empty, descriptor)
    os.close(empty)
    theirs = (its_stdin, its_stdout, its_stderr)
    process = _forking.Process(
        target=_run, args=(list(words), inherited | given, *map(DupFd, theirs)), daemon=True
    )
    await asyncio.to_thread(process.start)
    for descriptor in theirs:
        os.close(descriptor)
    return Run(process, await _reader(stdout), await _reader(stderr))


class Typing:
    """A command that runs in a terminal, and the person before it. ``picture`` is what is seen."""

    def __init__(self, process: ForkServerProcess, descriptor: int, columns: int) -> None:
        self.picture = TerminalPicture(columns)
        self._process = process
        self._descriptor = descriptor
        self._changed = asyncio.Event()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._is_open = True
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def _read(self) -> None:
        try:
            content = os.read(self._descriptor, 65_536)
        except OSError:  # Nobody holds the other end.
            content = b""
        if not content:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            self._is_open = False
        self.picture.feed(self._decoder.decode(content))
        self._changed.set()

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    async def interrupt(self) -> int:
        """Press Ctrl-C, which a terminal turns into a signal; the exit code.

        Pressed just before the command reads, it is seen only when pressed again.
        """
        while self._is_open:
            assert self._process.pid is not None
            os.kill(self._process.pid, signal.SIGINT)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._until_closed(), 3)
        return await self.end()

    async def until(self, holds: Callable[[TerminalPicture], bool]) -> None:
        """Return once this is what is seen."""
        try:
            async with asyncio.timeout(60):
                while not holds(self.picture):
                    assert self._is_open, f"it has ended:\n{self.picture.text}"
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"this is seen:\n{self.picture.text}") from None

    async def until_seen(self, *texts: str) -> None:
        await self.until(lambda picture: all(text in picture.text for text in texts))

    async def end(self) -> int:
        """Its exit code, once it has ended."""
        async with asyncio.timeout(60):
            await self._until_closed()
        await asyncio.to_thread(self._process.join)
        assert self._process.exitcode is not None
        return self._process.exitcode

    async def _until_closed(self) -> None:
        while self._is_open:
            self._changed.clear()
            await self._changed.wait()

    def close(self) -> None:
        if self._is_open:
            asyncio.get_running_loop().remove_reader(self._descriptor)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        os.close(self._descriptor)


@asynccontextmanager
async def typing(
    url: str, *words: str, columns: int = 80, rows: int = 24, **environment: str
) -> AsyncIterator[Typing]:
    """Run the command in a terminal of this size."""
    size = {"COLUMNS": str(columns), "LINES": str(rows), "TERM": "xterm-256color"}
    given = {"AGENTOS_API_URL": url, "AGENTOS_API_KEY": "", **size, **environment}
    left_out = ("FORCE_COLOR", "NO_COLOR")
    inherited = {name: value for name, value in os.environ.items() if name not in left_out}
    descriptor, its_own = os.openpty()
    process = _forking.Process(
        target=_run,
        args=(list(words), inherited | given, *(DupFd(its_own) for _ in range(3))),
        daemon=True,
    )
    await asyncio.to_thread(process.start)
    os.close(its_own)
    run = Typing(process, descriptor, columns)
    try:
        yield run
    finally:
        run.close()


class _Lines(asyncio.StreamReaderProtocol):
    """Takes the error by which a terminal says that nobody holds its other end, for the end."""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(None)


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: _Lines(reader), os.fdopen(descriptor, "rb", 0))
    return reader
