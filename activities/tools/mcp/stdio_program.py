"""The program of a server: started with the least, and ended with all that it started."""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from activities.tools.mcp import keeper
from workflows.errors.mcp import McpUnavailable

# What a program needs to find others, its user's files and its language; no more.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "USER", "LOGNAME")

# By the protocol, a server ends on its own once its stdin has closed.
_LEAVING_SECONDS = 2.0
_KILLED_SECONDS = 8.0  # Longer than the keeper takes at most.
CHUNK_BYTES = 64 * 1024

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Program:
    """``environment`` is all that it gets. Without a ``cwd`` it runs in the root folder: never in
    the worker's own, where it would find files that are not meant for it."""

    server: str
    command: str
    args: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: str = "/"


def minimal(environment: Mapping[str, str]) -> dict[str, str]:
    """What of this process's environment is handed on."""
    return {name: environment[name] for name in INHERITED if name in environment}


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[Process]:
    held, leash = os.pipe()
    try:
        try:
            process = await _start(program, held)
        finally:
            os.close(held)
        try:
            yield process
        finally:
            # Whatever happens here, the keeper ends all as soon as this end is closed.
            os.close(leash)
            leash = -1
            await _ended(process)
    finally:
        if leash != -1:
            os.close(leash)


async def _start(program: Program, held: int) -> Process:
    path = program.environment.get("PATH", os.defpath)
    if (executable := shutil.which(program.command, path=path)) is None:
        reason = f"there is no program {program.command!r} in the PATH of AgentOS"
        raise McpUnavailable(server=program.server, reason=reason)
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(Path(keeper.__file__)), str(held)),
            *(executable, *program.args),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=CHUNK_BYTES,
            env=dict(program.environment),
            cwd=program.cwd,
            pass_fds=(held,),
            start_new_session=True,  # Ctrl-C on our terminal is not for it.
        )
    except OSError as error:
        reason = f"{error.strerror}: {error.filename}"
        raise McpUnavailable(server=program.server, reason=reason) from error


async def leave(process: Process) -> None:
    """Let the program end on its own."""
    assert process.stdin is not None
    process.stdin.close()
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), _LEAVING_SECONDS)


async def _ended(process: Process) -> None:
    # To asyncio a process has ended once its pipes have, so that they are to be emptied.
    emptying = [
        asyncio.create_task(_discard(pipe)) for pipe in (process.stdout, process.stderr) if pipe
    ]
    try:
        await asyncio.wait_for(process.wait(), _KILLED_SECONDS)
    except TimeoutError:
        # The keeper itself is stuck; the program dies with it.
        with suppress(ProcessLookupError):
            process.kill()
        log.warning("mcp.server_stuck", pid=process.pid)
    finally:
        for task in emptying:
            task.cancel()
        await asyncio.wait(emptying)


async def _discard(pipe: asyncio.StreamReader) -> None:
    while await pipe.read(CHUNK_BYTES):
        pass
