"""A peer at work, in a process of its own."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import tests.benchmarks
from tests.benchmarks.peers.installing import Peer, installed

_ROOT = Path(tests.benchmarks.__path__[0]).parent.parent
_LOG = "log"
_LOG_CHARACTERS = 1_000
_PATIENCE_SECONDS = 600
_END_SECONDS = 30


class PeerFailedError(Exception):
    """What it said last."""


@dataclass(frozen=True, slots=True)
class RunningPeer:
    peer: Peer
    folder: Path
    process: Process

    async def seconds(self, at_once: int = 1) -> float:
        """How long so many pipelines take that begin at once.

        Raises:
            PeerFailedError: it has ended, or does not answer.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(b"%d\n" % at_once)
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return float(await self.process.stdout.readline())
        except (ValueError, OSError) as error:  # ``TimeoutError`` is one of the latter.
            said = (self.folder / _LOG).read_text(errors="replace")[-_LOG_CHARACTERS:]
            raise PeerFailedError(said.strip() or repr(error)) from error


@asynccontextmanager
async def running(peer: Peer, line: list[str], folder: Path) -> AsyncIterator[RunningPeer]:
    """Install it, if need be, and start it; ``folder`` is for what it keeps.

    Raises:
        NotInstalledError: it cannot be installed.
    """
    python = await installed(peer)
    folder.mkdir()
    process = await start(python, peer.module, line, folder)
    try:
        yield RunningPeer(peer, folder, process)
    finally:
        await end(process)


async def start(python: Path, module: str, line: list[str], folder: Path) -> Process:
    with (folder / _LOG).open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *(python, "-m", f"tests.benchmarks.peers.{module}", folder, json.dumps(line)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=log,
            cwd=folder,  # Some read settings from where they are started.
            env=os.environ | {"PYTHONPATH": str(_ROOT)},
            # Why: see ``beside``. It ends with us all the same, as there is no more to read then.
            start_new_session=True,
        )


async def end(process: Process) -> None:
    """It ends when there is nothing more to read, and ends then what it has started itself."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
