"""uv as a child process: resolves, makes virtual environments, and installs wheels by hash.

Nothing of a package runs here. Wheels only (`--only-binary :all:`), so there is no build; and the
bytecode is compiled by the base interpreter into a prefix, because starting the environment's own
interpreter would run every `.pth` file that a wheel brought along, outside the sandbox.
"""

import asyncio
import contextlib
import os
import re
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from workflows.errors import AgentOSError, TemporaryFailure
from workflows.errors.skills import DependenciesUnavailable

TAIL_BYTES = 4096
REASON_MAX_CHARACTERS = 1000

# uv needs no more: where its cache is, and how to reach a package index.
_PROXIES: Final = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})
_PASSED_ON: Final = frozenset({"PATH", "HOME"}) | _PROXIES
_PASSED_ON_PREFIXES: Final = ("UV_", "PIP_", "SSL_", "REQUESTS_")

# With `--system-certs`, an index behind a company's own certificates can be reached, as pip would.
# With `--no-config`, a uv.toml or pyproject.toml where the worker was started has no say.
_FLAGS: Final = (
    "--no-config",
    "--no-progress",
    "--color=never",
    "--system-certs",
)
_NO_DOWNLOADS: Final = "--no-python-downloads"

# What uv (0.13) prints, with exit code 2, when the index was at fault: connection refused or reset,
# no name resolution, time-outs, and answers 429 and 5xx after its own three retries.
_NETWORK_TROUBLE: Final = re.compile(
    r"request failed after|error sending request|status server error|429 too many|timed? ?out"
    r"|connection (?:reset|refused|closed)|error decoding response body|request or response body",
    re.IGNORECASE,
)
_CREDENTIALS: Final = re.compile(r"://[^/@\s]+@")


class Uv:
    """Runs ``program`` for the interpreter ``python``, with what it needs of ``environment``."""

    def __init__(self, program: Path, python: Path, environment: Mapping[str, str]) -> None:
        self._program = program
        self._python = str(python)
        self._environment = {
            name: value
            for name, value in environment.items()
            if name.upper() in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
        }

    def with_python(self, python: Path) -> "Uv":
        """The same for another interpreter."""
        return Uv(self._program, python, self._environment)

    async def resolve(self, requirements: Sequence[str], lock: Path, *, skill: str) -> None:
        """Choose versions and write them, with their hashes, to ``lock``.

        Raises:
            DependenciesUnavailable: a package is unknown, has no wheel, or the versions conflict.
            TemporaryFailure: the package index could not be reached.
        """
        wanted = lock.with_suffix(".in")
        await asyncio.to_thread(wanted.write_text, "".join(f"{line}\n" for line in requirements))
        options = ("--generate-hashes", "--no-annotate", "--no-header", f"--output-file={lock}")
        await self._pip("compile", *options, str(wanted), skill=skill)

    async def install(self, lock: Path, venv: Path, *, skill: str) -> None:
        """Make a virtual environment with exactly what the lock holds.

        Raises:
            DependenciesUnavailable: a file's hash is another, or a version has no wheel.
            TemporaryFailure: the package index could not be reached.
        """
        python = f"--python={self._python}"
        await self._run("venv", "--no-project", python, str(venv), skill=skill)
        options = ("--require-hashes", "--no-deps", "--compile-bytecode", f"--prefix={venv}")
        await self._pip("install", *options, f"--requirements={lock}", skill=skill)

    async def find_python(self, wanted: str, folder: Path, *, skill: str) -> Path | None:
        """An interpreter in ``folder`` or on this machine, of a version range such as >=3.13."""
        options = ("--no-project", "--system", _NO_DOWNLOADS, wanted)
        code, stdout, _ = await self._ended("python", "find", *options, skill=skill, folder=folder)
        return Path(stdout.decode().strip()) if code == 0 else None

    async def install_python(self, wanted: str, folder: Path, *, skill: str) -> None:
        """Download an interpreter into ``folder``.

        Raises:
            DependenciesUnavailable: there is none of such a version, or it cannot be unpacked.
            TemporaryFailure: it could not be downloaded.
        """
        options = ("--no-bin", "--managed-python", wanted)
        code, _, stderr = await self._ended(
            "python", "install", *options, skill=skill, folder=folder
        )
        if code != 0:
            raise _failure(skill, code, stderr, service="The index of Python versions")

    async def _pip(self, command: str, *options: str, skill: str) -> None:
        wheels_only = ("--only-binary=:all:", f"--python={self._python}")
        await self._run("pip", command, *wheels_only, *options, skill=skill)

    async def _run(self, *arguments: str, skill: str) -> None:
        code, _, stderr = await self._ended(_NO_DOWNLOADS, *arguments, skill=skill)
        if code != 0:
            raise _failure(skill, code, stderr)

    async def _ended(
        self, *arguments: str, skill: str, folder: Path | None = None
    ) -> tuple[int, bytes, bytes]:
        """The exit code, and the ends of stdout and stderr. ``folder`` is that of Pythons."""
        environment = self._environment
        if folder is not None:
            environment = environment | {"UV_PYTHON_INSTALL_DIR": str(folder)}
        try:
            process = await self._start(environment, str(self._program), *_FLAGS, *arguments)
        except OSError as error:
            reason = f"{self._program} cannot be run: {error.strerror}"
            raise DependenciesUnavailable(skill=skill, reason=reason) from error
        try:
            stdout, stderr = await asyncio.gather(_tail(process.stdout), _tail(process.stderr))
            return await process.wait(), stdout, stderr
        finally:
            await _kill(process)

    async def _start(self, environment: Mapping[str, str], *command: str) -> Process:
        starting = asyncio.create_task(
            asyncio.create_subprocess_exec(
                *command,
                env=environment,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                start_new_session=True,
            )
        )
        try:
            # Cancelled meanwhile, asyncio would end the process, and leave its children alive.
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                await _kill(await starting)
            raise


async def _tail(stream: asyncio.StreamReader | None) -> bytes:
    tail = b""
    while stream is not None and (chunk := await stream.read(TAIL_BYTES)):
        tail = (tail + chunk)[-TAIL_BYTES:]
    return tail


async def _kill(process: Process) -> None:
    """End what is left of a process and its children: it leads a process group of its own."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


# As uv begins the lines of what is behind an error.
_CAUSE = re.compile(r":?\s*\n\s*(?:cause|Caused by): ", re.IGNORECASE)


def _failure(
    skill: str, code: int, stderr: bytes, service: str = "The package index"
) -> AgentOSError:
    text = _CREDENTIALS.sub("://***@", stderr.decode(errors="replace"))
    _, found, message = text.rpartition("error: ")
    message = _CAUSE.sub(": ", message)
    reason = " ".join((message if found else text).split())[:REASON_MAX_CHARACTERS].rstrip(".")
    if code in (1, 2) and _NETWORK_TROUBLE.search(text):
        return TemporaryFailure(service=service, reason=reason)
    return DependenciesUnavailable(skill=skill, reason=reason or f"uv ended with {code}")
