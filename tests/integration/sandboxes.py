"""The sandbox backends under test, and what a test gives them to work on.

A new backend joins the conformance suite by itself. One whose service tests cannot have is given a
double of it in ``_DOUBLES``.
"""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

from activities.sandbox.backends import SandboxOptions, build
from activities.sandbox.base import Exit, Job, OnOutput, Sandbox, Stream
from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.e2b import E2B
from tests.doubles.e2b_server import E2BServer


@asynccontextmanager
async def backend(name: str, folder: Path) -> AsyncIterator[Sandbox]:
    """The backend of this name, for as long as the block runs."""
    if name in _DOUBLES:
        async with _DOUBLES[name](folder) as sandbox:
            yield sandbox
        return
    sandbox = build(name, SandboxOptions(work_folder=folder))
    yield sandbox
    await sandbox.close()


@asynccontextmanager
async def _e2b(folder: Path) -> AsyncIterator[Sandbox]:
    async with E2BServer(folder) as server:
        sandbox = E2B(server.api_key, api_url=server.url, sandbox_url=server.url)
        yield sandbox
        await sandbox.close()
        assert server.machines == {}, "a paid sandbox was left running"


_DOUBLES: dict[str, Callable[[Path], AbstractAsyncContextManager[Sandbox]]] = {"e2b": _e2b}


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user can reach, which pytest's own ones are not."""
    with tempfile.TemporaryDirectory(prefix="agentos-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


class Warmed(Sandbox):
    """Gives each job a sandbox that was started before it, wherever that is possible."""

    name = "bubblewrap"
    takes_interpreters = True

    def __init__(self, sandbox: Bubblewrap) -> None:
        self._sandbox = sandbox

    async def run(self, job: Job, on_output: OnOutput) -> Exit:
        await self._sandbox.warm_up(job.limits)
        return await self._sandbox.run(job, on_output)

    async def check(self) -> str:
        return await self._sandbox.check()


class Bench:
    """A sandbox and a folder for the files of its jobs. Remembers what the last job printed."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.output = folder / "output"
        self.output.mkdir()
        self.pieces: list[tuple[Stream, bytes]] = []

    @property
    def stdout(self) -> str:
        return self._printed(Stream.STDOUT)

    @property
    def stderr(self) -> str:
        return self._printed(Stream.STDERR)

    def _printed(self, wanted: Stream) -> str:
        return b"".join(piece for stream, piece in self.pieces if stream is wanted).decode()

    def file(self, name: str, content: str) -> Path:
        """A file outside of the sandbox that jobs may read."""
        path = self.folder / name
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o644)
        return path

    def record(self, stream: Stream, piece: bytes) -> None:
        self.pieces.append((stream, piece))

    async def shell(self, script: str, **options: object) -> Exit:
        return await self.run("/bin/sh", "-c", script, **options)

    async def python(self, source: str, **options: object) -> Exit:
        return await self.run("python3", "-c", source, **options)

    async def run(self, *command: str, **options: object) -> Exit:
        """``options`` are the fields of a job."""
        self.pieces.clear()
        job = Job(command=command, output=self.output, **options)  # type: ignore[arg-type]
        return await self.sandbox.run(job, self.record)
