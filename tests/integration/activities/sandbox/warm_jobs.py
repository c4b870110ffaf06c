"""Jobs in a bubblewrap that has sandboxes wait, and a look at those that do."""

from pathlib import Path

from activities.sandbox.base import Exit, Job, Limits, Stream
from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.interpreter import PYTHON_FLAGS
from tests.security.processes import parent, waiting


class Jobs:
    """Each has an output folder of its own. ``printed`` is what the last one has."""

    def __init__(self, sandbox: Bubblewrap, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.printed: dict[Stream, str] = {}
        self._count = 0

    @property
    def output(self) -> Path:
        return self.folder / f"output-{self._count}"

    async def warm_up(self, limits: Limits | None = None) -> None:
        await self.sandbox.warm_up(limits or Limits())

    async def shell(self, script: str = "true", **options: object) -> Exit:
        return await self.run("/bin/sh", "-c", script, **options)

    async def python(self, source: str, **options: object) -> Exit:
        """As a step runs a script: from a file that it is given."""
        script = self.folder / "script.py"
        script.unlink(missing_ok=True)
        script.write_text(source)
        script.chmod(0o644)
        path = "/workspace/input/script.py"
        command = (str(self.sandbox.python), *PYTHON_FLAGS, path, "a", "b c")
        return await self.run(*command, inputs={"script.py": script}, **options)

    async def run(self, *command: str, **options: object) -> Exit:
        self._count += 1
        self.output.mkdir()
        self.printed = dict.fromkeys(Stream, "")
        job = Job(command, self.output, **options)  # type: ignore[arg-type]
        return await self.sandbox.run(job, self._take)

    def _take(self, stream: Stream, piece: bytes) -> None:
        self.printed[stream] += piece.decode()


def own_waiting(worker: int) -> list[int]:
    """The interpreters that wait for a job of this worker."""
    return [pid for pid in waiting() if worker in _above(pid)]


def _above(pid: int) -> list[int]:
    above = []
    while pid > 1:
        try:
            pid = parent(pid)
        except OSError:
            break
        above.append(pid)
    return above
