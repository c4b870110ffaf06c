"""One running bwrap, from its start to the death of the last process in it.

bwrap forks: the *outer* process is our child and only waits; the *inner* one is process 1 of a new
pid namespace, and when it dies the kernel kills everything in there. So the inner one is what gets
killed, and the tree is dead when the inner one's pidfd becomes readable.

The outer process is never killed: were it to die between its fork and the moment when the inner one
ties itself to it (some milliseconds), the inner one would live on, found by nobody. bwrap tells the
inner pid before it lets it run, so a kill that comes earlier waits for that message.
"""

import asyncio
import contextlib
import os
import re
import signal
from dataclasses import dataclass

from activities.sandbox.launch import Launched

PIECE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """How bwrap ended: ``code`` is the command's, and None when it never came to run.

    ``peak_memory_bytes`` is that of the largest single process. Both it and ``cpu_seconds`` leave
    out what was killed.
    """

    code: int | None
    cpu_seconds: float
    peak_memory_bytes: int


class Process:
    """Watches a launched bwrap; made in a running event loop."""

    def __init__(self, launched: Launched) -> None:
        self._launched = launched
        self._loop = asyncio.get_running_loop()
        self._said = b""
        self._inner: int | None = None
        self._told = asyncio.Event()
        self._inner_fd: int | None = None
        self._kill_wanted = False
        self._outer_ended: Ended | None = None
        self._dead: asyncio.Future[Ended] = self._loop.create_future()
        self._outer_fd = os.pidfd_open(launched.process.pid)
        self._loop.add_reader(launched.status, self._on_status)
        self._loop.add_reader(self._outer_fd, self._on_outer_exit)

    @property
    def stdout(self) -> int:
        return self._launched.stdout

    @property
    def stderr(self) -> int:
        return self._launched.stderr

    async def inner(self) -> int:
        """The pid of process 1 inside, as seen from here, once bwrap has told it."""
        while self._inner is None:
            await self._told.wait()
        return self._inner

    async def read(self, descriptor: int) -> bytes:
        """The next piece of stdout or stderr, at most PIECE_BYTES; empty at the end."""
        ready = self._loop.create_future()
        self._loop.add_reader(descriptor, _resolve, ready)
        try:
            await ready
        finally:
            self._loop.remove_reader(descriptor)
        return os.read(descriptor, PIECE_BYTES)

    def kill(self) -> None:
        """Kill the tree, at once or as soon as there is one."""
        self._kill_wanted = True
        if self._inner_fd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._inner_fd, signal.SIGKILL)

    async def wait(self) -> Ended:
        """Wait until no process is left. Cancelling the wait kills nothing."""
        await asyncio.wait({self._dead})
        return self._dead.result()

    async def end(self) -> Ended:
        """Kill what is left, wait until it is dead, and give back the descriptors."""
        self.kill()
        ended = await self.wait()
        self._close()
        return ended

    def _close(self) -> None:
        self._loop.remove_reader(self._launched.status)
        for descriptor in (self.stdout, self.stderr, self._launched.status):
            os.close(descriptor)

    def _on_status(self) -> None:
        """Hear the inner pid, which comes before the command runs, and later the exit code."""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._launched.status, PIECE_BYTES):
                self._said += piece
            self._loop.remove_reader(self._launched.status)
        pid = re.search(rb'"child-pid": (\d+)', self._said)
        if pid and self._inner is None:
            self._hold(int(pid[1]))

    def _hold(self, inner: int) -> None:
        self._inner = inner
        self._told.set()
        try:
            self._inner_fd = os.pidfd_open(inner)
        except ProcessLookupError:
            return
        except OSError:
            # Out of descriptors: what cannot be watched must not run. bwrap itself reaps it.
            os.kill(inner, signal.SIGKILL)
            return
        self._loop.add_reader(self._inner_fd, self._on_inner_exit, self._inner_fd)
        if self._kill_wanted:
            self.kill()

    def _on_inner_exit(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        os.close(descriptor)
        self._inner_fd = None
        self._settle()

    def _on_outer_exit(self) -> None:
        self._loop.remove_reader(self._outer_fd)
        os.close(self._outer_fd)
        process = self._launched.process
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)  # or Popen warns that it still runs
        self._on_status()
        code = re.search(rb'"exit-code": (\d+)', self._said)
        self._outer_ended = Ended(
            code=int(code[1]) if code else None,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_memory_bytes=usage.ru_maxrss * 1024,
        )
        self.kill()  # daemons that the command left behind keep the inner process alive
        self._settle()

    def _settle(self) -> None:
        if self._outer_ended and self._inner_fd is None and not self._dead.done():
            self._dead.set_result(self._outer_ended)


def _resolve(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
