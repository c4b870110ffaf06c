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

from activities.sandbox.launch import Launched
from activities.sandbox.tree import offer_to_out_of_memory_killer
from workflows.errors import TemporaryFailure

PIECE_BYTES = 64 * 1024


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
        self._outer_dead = False
        self._inner_dead = False
        self._is_closed = False
        self._unwatched: OSError | None = None
        self._dead: asyncio.Future[None] = self._loop.create_future()
        self._outer_fd = os.pidfd_open(launched.process.pid)
        self._loop.add_reader(launched.status, self._on_status)
        self._loop.add_reader(self._outer_fd, self._on_outer_exit)

    @property
    def stdout(self) -> int:
        return self._launched.stdout

    @property
    def stderr(self) -> int:
        return self._launched.stderr

    @property
    def is_alive(self) -> bool:
        return not self._outer_dead

    async def inner(self) -> int:
        """The pid of process 1 inside, as seen from here, once bwrap has reported it."""
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

    async def wait(self) -> None:
        """Wait until no process is left. Cancelling the wait kills nothing."""
        await asyncio.wait({self._dead})

    @property
    def status(self) -> int:
        """How bwrap itself ended, known after ``end``: its exit code, or that of its signal, which
        nothing of ours sends, below zero."""
        code = self._launched.process.returncode
        assert code is not None
        return code

    @property
    def told(self) -> bytes:
        """What bwrap has told of itself so far."""
        return self._said

    def verify_watched(self) -> None:
        """To be called after ``end``.

        Raises:
            TemporaryFailure: it had to be killed, because it could not be watched.
        """
        if self._unwatched is not None:
            reason = f"it cannot be watched ({self._unwatched.strerror})"
            raise TemporaryFailure(service="The sandbox", reason=reason) from self._unwatched

    async def end(self) -> int | None:
        """Kill what is left, wait until it is dead, and give back the descriptors.

        Returns the exit code of the command, None when it never came to run, or when bwrap did not
        live to tell. May be called again.
        """
        self.kill()
        await self.wait()
        self._close()
        code = re.search(rb'"exit-code": (\d+)', self._said)
        return int(code[1]) if code else None

    def _close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.remove_reader(self._launched.status)
        for descriptor in (self.stdout, self.stderr, self._launched.status):
            os.close(descriptor)

    def _on_status(self) -> None:
        """Hear the inner pid, which comes before the command runs; the rest can wait."""
        ended = False
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._launched.status, PIECE_BYTES):
                self._said += piece
            ended = True
        pid = re.search(rb'"child-pid": (\d+)', self._said)
        if pid and self._inner is None:
            self._hold(int(pid[1]))
        if pid or ended:
            self._loop.remove_reader(self._launched.status)

    def _hold(self, inner: int) -> None:
        self._inner = inner
        self._told.set()
        offer_to_out_of_memory_killer(f"/proc/{inner}")
        try:
            self._inner_fd = os.pidfd_open(inner)
        except ProcessLookupError:
            return
        except OSError as error:
            # Out of descriptors: what cannot be watched must not run. bwrap itself reaps it.
            self._unwatched = error
            os.kill(inner, signal.SIGKILL)
            return
        self._loop.add_reader(self._inner_fd, self._on_inner_exit, self._inner_fd)
        if self._kill_wanted:
            self.kill()

    def _on_inner_exit(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        self._inner_dead = True
        self._settle()

    def _on_outer_exit(self) -> None:
        self._loop.remove_reader(self._outer_fd)
        os.close(self._outer_fd)
        self._launched.process.wait()
        self._outer_dead = True
        self._on_status()
        self.kill()  # daemons that the command left behind keep the inner process alive
        self._settle()

    def _settle(self) -> None:
        if not self._outer_dead:
            return
        if self._inner_fd is not None:
            if not self._inner_dead:
                return
            # In a container we may be process 1, and so have inherited the inner one.
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PIDFD, self._inner_fd, os.WEXITED | os.WNOHANG)
            os.close(self._inner_fd)
            self._inner_fd = None
        self._dead.set_result(None)


def _resolve(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
