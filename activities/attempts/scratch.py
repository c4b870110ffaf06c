"""Folders that live as long as an attempt, and those that a killed worker left behind."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from activities.disk import Disk
from activities.file_lock import blocking_file_lock, try_lock
from activities.patience import patiently
from activities.sandbox.folders import remove

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
        self._left: list[Path] = []
        self._removing: asyncio.Task[None] | None = None
        runs = work_folder / "runs"
        runs.mkdir(parents=True, exist_ok=True)
        self.disk = Disk(runs, "the worker")
        runs.chmod(0o755)  # Whatever the umask; so with those below it.
        # Two workers that start together must not sweep each other.
        with blocking_file_lock(runs / _LOCK):
            _remove_abandoned(runs)
            # Open to others: the sandbox runs under another user and must pass through.
            self._folder = Path(tempfile.mkdtemp(dir=runs))
            self._folder.chmod(0o755)
            lock = try_lock(self._folder / _LOCK)
            assert lock is not None  # Nobody else knows of the folder.
            self._lock = lock

    @asynccontextmanager
    async def workplace(self) -> AsyncIterator[Workplace]:
        """Two empty folders, once their disk has room. They are removed, with all that is in them,
        soon after the end.

        Nobody waits for the removal: of a step that makes nothing it would be a tenth of its time.
        """
        await patiently(self.disk.check)
        path = self._make()  # Six system calls: a thread would take longer to wake up.
        try:
            yield Workplace(code=path / _CODE, output=path / _OUTPUT)
        finally:
            self._remove_soon(path)

    def _remove_soon(self, path: Path) -> None:
        """By one thread for all that have ended by the time it wakes up."""
        self._left.append(path)
        if self._removing is None:
            self._removing = asyncio.create_task(self._remove_left())

    async def _remove_left(self) -> None:
        try:
            while self._left:
                left, self._left = self._left, []
                await asyncio.to_thread(_remove_all, left)
        finally:
            self._removing = None

    def _make(self) -> Path:
        path = Path(tempfile.mkdtemp(dir=self._folder))
        path.chmod(0o755)
        for name in (_CODE, _OUTPUT):
            (path / name).mkdir()
            (path / name).chmod(0o755)
        return path

    def close(self) -> None:
        os.close(self._lock)
        shutil.rmtree(self._folder, ignore_errors=True)


def sweep(runs: Path) -> None:
    """Remove the folders of workers that are gone; those that live keep theirs."""
    with blocking_file_lock(runs / _LOCK):
        _remove_abandoned(runs)


def _remove_all(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            shutil.rmtree(path, ignore_errors=True)
        except RecursionError:  # It is deeper than common tools go.
            remove(path)


def _remove_abandoned(runs: Path) -> None:
    """Remove the folders of workers that are gone: nobody holds their lock any more."""
    for folder in (entry for entry in runs.iterdir() if entry.is_dir()):
        try:
            lock = try_lock(folder / _LOCK)
        except OSError:  # It is being removed, or is none of ours.
            continue
        if lock is not None:
            remove(folder)
            os.close(lock)
