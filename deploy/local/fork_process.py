"""One process of the fork server, from its start to its end.

`agentos up` loads this before all else, so it imports little.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress

from deploy.local.adoption import adopting, reap_late
from deploy.local.child import ForkedChild
from deploy.local.fork_protocol import GO, LOADED, PID

# While it loads, which takes two seconds on an idle machine, and once it has answered.
_LOADING_SECONDS = 120.0
_ANSWER_SECONDS = 10.0
_TAIL_BYTES = 1200
_TAIL_LINES = 5
# Read by those that run, and never while something is being imported.
_SETTINGS = ("AGENTOS_", "OPENAI_", "E2B_", "TEMPORAL_")


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(_SETTINGS)}


class ForkProcess:
    """Ends with us."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Start it, and let it load. It gets the environment without settings.

        Raises:
            OSError: the kernel refuses.
        """
        self._patience_seconds = _LOADING_SECONDS
        with ExitStack() as undo:
            # Not a file of the data folder: it starts before there is one.
            self._output = os.memfd_create("fork-server")
            undo.callback(os.close, self._output)
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            undo.enter_context(self._control).setblocking(False)
            with theirs:
                self._process = _started(theirs.fileno(), self._output, environment)
            undo.pop_all()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit code, or that of its signal below zero; None while it runs."""
        return self._process.poll()

    @property
    def last_words(self) -> str:
        size = os.fstat(self._output).st_size
        end = os.pread(self._output, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
        lines = end.decode(errors="replace").splitlines()[-_TAIL_LINES:]
        return " | ".join(line.strip() for line in lines) or "(nothing)"

    def close(self) -> None:
        """End it, and none of those that it has forked."""
        self._control.close()
        self._process.kill()
        self._process.wait()
        os.close(self._output)

    async def fork(self, request: bytes, output: int, lock: int) -> ForkedChild:
        """A child of ours that has been told what it is to be.

        Raises:
            ConnectionError, EOFError, TimeoutError: it has died, or does not answer.
            OSError: the kernel refuses us what a fork takes.
        """
        channel = await self._loaded(output, lock)
        birth = asyncio.create_task(_birth(channel))
        try:
            # Cut off half-way there might be a child that nobody waits for.
            child = await asyncio.shield(birth)
            with suppress(OSError):  # It has just been killed: its status says so.
                await asyncio.get_running_loop().sock_sendall(channel, request)
        except asyncio.CancelledError:
            birth.add_done_callback(_end)
            raise
        finally:
            # A child that is not told all ends there.
            birth.add_done_callback(lambda _: channel.close())
        self._patience_seconds = _ANSWER_SECONDS
        return child

    async def _loaded(self, output: int, lock: int) -> socket.socket:
        """A channel, once it has loaded and would fork: until then we must not adopt."""
        channel, theirs = socket.socketpair()
        try:
            channel.setblocking(False)
            with theirs:
                socket.send_fds(self._control, [b"."], [theirs.fileno(), output, lock])
            async with asyncio.timeout(self._patience_seconds):
                if await asyncio.get_running_loop().sock_recv(channel, len(LOADED)) != LOADED:
                    raise EOFError("it has ended")
        except BaseException:
            channel.close()
            raise
        return channel


def _started(control: int, output: int, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    words = (str(control), str(os.getpid()))
    return subprocess.Popen(
        (sys.executable, "-P", "-m", "deploy.local.fork_server", *words),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=without_settings(environment),
        pass_fds=(control,),
        start_new_session=True,
    )


async def _birth(channel: socket.socket) -> ForkedChild:
    with adopting() as adopted:
        channel.send(GO)
        async with asyncio.timeout(_ANSWER_SECONDS):
            answer = await asyncio.get_running_loop().sock_recv(channel, PID.size)
        if len(answer) != PID.size:
            raise EOFError("it has forked nothing")
        (pid,) = PID.unpack(answer)
        adopted.known.add(pid)
        try:
            return ForkedChild(pid)
        except OSError:
            # It is never told what it is to be, and so ends at once.
            reap_late(pid)
            raise


def _end(birth: asyncio.Task[ForkedChild]) -> None:
    """Its request was cancelled. It is reaped like any other."""
    if not birth.cancelled() and birth.exception() is None:
        birth.result().send_signal(signal.SIGKILL)


def begin(environment: Mapping[str, str]) -> ForkProcess | None:
    """None where the kernel refuses; the next part that needs one tries again."""
    try:
        return ForkProcess(environment)
    except OSError:
        return None
