"""One part of the stack: what to run, how to know that it is ready, how to end it."""

import asyncio
import os
import shutil
import signal
import stat
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.child import Child

_LAUNCHER = Path(__file__).with_name("launcher.py")
_LOG_BYTES = 10 * 1024 * 1024
_TAIL_LINES = 5
_TAIL_BYTES = 1200

Ready = Callable[[], Awaitable[None]]
"""Returns when the part can be used; raises ``NotReady`` while it cannot."""


@dataclass(frozen=True, slots=True)
class Part:
    """A program that runs as long as the stack does."""

    name: str
    command: tuple[str, ...]
    folder: Path
    ready: Ready | None = None
    ports: Sequence[int] = ()
    """Those it listens on: until then, who answers there is not this part."""
    urls: Mapping[str, str | None] = field(default_factory=dict)
    """Where it can be reached, under the names it has in ``services.json``."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 5.0
    """How long it may take to end before it is killed."""
    orphan_signal: signal.Signals = signal.SIGKILL
    """What the kernel sends it when the stack's own process is killed."""
    needed: bool = True
    """Whether the others are of no use without it. One that dies again and again then ends all."""
    words: tuple[str, ...] | None = None
    """Those after `agentos` where the command is that: then a fork server may run it."""
    appear_as_uid: int = 0
    """The uid it sees itself as, in a user namespace of its own; 0 for no change."""


Fork = Callable[[Part, int, int], Awaitable[Child | None]]
"""Forks a part, with its output and the lock; gives None for one that has to be started."""


class Process:
    """A started part."""

    def __init__(self, part: Part, child: Child, log: Path, begin: int) -> None:
        self.part = part
        self.log = log
        self._begin = begin
        self._child = child

    @classmethod
    async def start(cls, part: Part, log: Path, lock: int, fork: Fork) -> "Process":
        """Start it with its output in ``log``; it keeps ``lock`` open for its whole life.

        It is forked if that can be.
        """
        with suppress(OSError):  # A disk that is full is named by whoever finds it so.
            rotate(log)
        with log.open("ab") as output:
            begin = output.tell()
            child = await fork(part, output.fileno(), lock)
            child = child or await _started(part, output.fileno(), lock)
        return cls(part, child, log, begin)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def status(self) -> str | None:
        """How it ended, in words; None while it runs."""
        code = self._child.returncode
        if code is None:
            return None
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    @property
    def last_words(self) -> str:
        """The end of what it said, without what was said in the same log before it."""
        return _tail(self.log, self._begin)

    async def wait(self) -> None:
        """Return when it has ended."""
        await self._child.wait()

    async def stop(self) -> None:
        """End it: kindly, then, after ``stop_seconds``, by force."""
        self._signal(self.part.stop_signal)
        try:
            async with asyncio.timeout(self.part.stop_seconds):
                await self._child.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it, and what it started in its session, at once."""
        if self._child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        await self._child.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._child.returncode is None:
            self._child.send_signal(number)


async def not_forked(part: Part, output: int, lock: int) -> Child | None:
    """The ``Fork`` where there is no fork server."""
    return None


async def _started(part: Part, output: int, lock: int) -> Child:
    """Cut off half-way, asyncio would reap it twice, and complain of that on the terminal."""
    starting = asyncio.create_task(_start(part, output, lock))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        child = await starting
        child.kill()
        await child.wait()
        raise


async def _start(part: Part, output: int, lock: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *launched(part.command, part.orphan_signal, part.appear_as_uid),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd=part.folder,
        env=dict(part.environment),
        pass_fds=(lock,),
        start_new_session=True,  # Ctrl-C in the terminal is for us, who stop them in order
    )


def launched(
    command: Sequence[str], orphan_signal: signal.Signals, appear_as_uid: int
) -> tuple[str, ...]:
    """The command that becomes ``command``, bound to our own life."""
    contract = (str(os.getpid()), str(int(orphan_signal)), str(appear_as_uid))
    return (sys.executable, "-I", "-S", str(_LAUNCHER), *contract, *command)


def go_environment(home: Path) -> dict[str, str]:
    """What a program written in Go needs to start, and nothing of the user's own settings."""
    # USER: without it a uid that has no name, as containers have, is an error.
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "USER": "agentos"}


def rotate(log: Path) -> None:
    """Put a log aside, as ``.1``, when it has grown over 10 MiB. Parts may go on writing to it.

    They have it open to append, so it is copied and emptied: a line that comes in between is lost.
    """
    if not log.exists() or log.stat().st_size <= _LOG_BYTES:
        return
    aside = log.with_name(f"{log.name}.1")
    aside.unlink(missing_ok=True)  # First: the disk may be full.
    try:
        with log.open("rb") as source, aside.open("wb") as target:
            aside.chmod(stat.S_IMODE(log.stat().st_mode))
            shutil.copyfileobj(source, target)
    finally:  # On a full disk as well: it may be full of this log.
        os.truncate(log, 0)


def _tail(log: Path, begin: int) -> str:
    """The last lines of a log, for a message of one line. Nothing before byte ``begin``."""
    if not log.exists():
        return "(nothing)"
    size = log.stat().st_size
    with log.open("rb") as file:
        # A log that is shorter than it was has been put aside meanwhile.
        file.seek(max(0, size - _TAIL_BYTES, begin if begin <= size else 0))
        lines = file.read().decode(errors="replace").splitlines()
    return " | ".join(line.strip() for line in lines[-_TAIL_LINES:] if line.strip()) or "(nothing)"
