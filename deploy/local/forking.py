"""The fork server, as the supervisor sees it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from deploy.local.child import ForkedChild
from deploy.local.fork_protocol import END, PID
from deploy.local.part import Part, launched

# While it loads, which takes three seconds on an idle machine, and once it has answered.
_LOADING_SECONDS = 120.0
_ANSWER_SECONDS = 10.0
# Read by those that run, and never while something is being imported.
_SETTINGS = ("AGENTOS_", "OPENAI_", "E2B_", "TEMPORAL_")

log = structlog.get_logger(__name__)


class ForkServer:
    """Forks parts that run our own command, in place of starting an interpreter for each.

    Where it does not answer, or has died, parts are started as they were ever since. Those that it
    has forked are our children and go on without it.
    """

    def __init__(self, environment: Mapping[str, str], log_file: Path) -> None:
        """Its own environment is that of the parts, without settings."""
        self._environment = _shared(environment)
        self._log_file = log_file
        self._patience_seconds = _LOADING_SECONDS
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """None where it does not run."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Let it load. It ends with us."""
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        descriptor = str(theirs.fileno())
        command = (sys.executable, "-P", "-m", "deploy.local.fork_server", descriptor)
        with theirs, self._log_file.open("ab") as output:
            self._process = subprocess.Popen(
                launched(command, signal.SIGKILL, 0),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    def close(self) -> None:
        """End it, and none of those that it has forked."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None

    async def fork(self, part: Part, output: int, lock: int) -> ForkedChild | None:
        """The part, running; None where it has to be started in another way."""
        if part.words is None or self._control is None:
            return None
        if _shared(part.environment) != self._environment:
            return None  # What it has loaded may depend on what differs.
        channel, theirs = socket.socketpair()
        with channel:
            channel.setblocking(False)
            try:
                with theirs:
                    descriptors = [theirs.fileno(), output, lock]
                    socket.send_fds(self._control, [b"."], descriptors)
                async with asyncio.timeout(self._patience_seconds):
                    child = await _forked(channel, _request(part))
            except (OSError, EOFError, TimeoutError) as error:
                self._give_up(part, error)
                return None
        self._patience_seconds = _ANSWER_SECONDS
        return child

    def _give_up(self, part: Part, error: Exception) -> None:
        status = self._process.poll() if self._process else None
        reason = str(error) or type(error).__name__
        log.warning("fork_server.lost", part=part.name, reason=reason, status=status)
        self.close()


async def _forked(channel: socket.socket, request: bytes) -> ForkedChild:
    loop = asyncio.get_running_loop()
    answer = await loop.sock_recv(channel, PID.size)
    if len(answer) != PID.size:
        raise EOFError("it has ended, see its log")
    child = ForkedChild(*PID.unpack(answer))
    with suppress(OSError):  # It has just been killed: its status says so.
        await loop.sock_sendall(channel, request)
    return child


def _request(part: Part) -> bytes:
    request = {
        "parent": os.getpid(),
        "orphan_signal": int(part.orphan_signal),
        "folder": str(part.folder),
        "environment": dict(part.environment),
        "command": part.command,
        "words": part.words,
    }
    return json.dumps(request).encode() + END


def _shared(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(_SETTINGS)}
