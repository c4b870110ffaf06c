"""Folders that live as long as an attempt, and those that a killed worker left behind."""

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

_LOCK = "lock"
_CODE = "code"
_OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Workplace:
    """``code`` is for what the step brings along, ``output`` for what it makes."""

    code: Path
    output: Path


class Scratch:
    """Makes folders under one of this worker's own, which it holds locked while it lives."""

    def __init__(self, work_folder: Path) -> None:
        self._removals: set[asyncio.Task[None]] = set()
        runs = work_folder / "runs"
        runs.mkdir(parents=True, exist_ok=True)
        with _locked(runs / _LOCK):  # Two workers that start together must not sweep each other.
            _remove_abandoned(runs)
            # Open to others: the sandbox runs under another user and must pass through.
            self._folder = Path(tempfile.mkdtemp(dir=runs))
            self._folder.chmod(0o755)
            self._lock = os.open(self._folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @asynccontextmanager
    async def workplace(self) -> AsyncIterator[Workplace]:
        """Two empty folders. They are removed with all that is in them, soon after the end.

        Nobody waits for the removal: of a step that makes nothing it would be a tenth of its time.
        """
        path = self._make()  # Four system calls: a thread would take longer to wake up.
        try:
            yield Workplace(code=path / _CODE, output=path / _OUTPUT)
        finally:
            removal = asyncio.create_task(
                asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
            )
            self._removals.add(removal)
            removal.add_done_callback(self._removals.discard)

    def _make(self) -> Path:
        path = Path(tempfile.mkdtemp(dir=self._folder))
        path.chmod(0o755)
        for name in (_CODE, _OUTPUT):
            (path / name).mkdir(mode=0o755)
        return path

    def close(self) -> None:
        os.close(self._lock)
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_abandoned(runs: Path) -> None:
    """Remove the folders of workers that are gone: nobody holds their lock any more."""
    for folder in (entry for entry in runs.iterdir() if entry.is_dir()):
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)
