"""Folders that live as long as an attempt, and those that a killed worker left behind."""

import asyncio
import itertools
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
from activities.sandbox.folders import make_open_folder, remove

_LOCK = "lock"
# What has ended meanwhile is removed together: to wake up a thread for each takes longer.
_REMOVAL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Workplace:
    """``code`` is for what the step brings along: whoever has something makes the folder.
    ``output`` is for what it makes."""

    code: Path
    output: Path


class Scratch:
    """Makes folders under one of this worker's own, which it holds locked while it lives."""

    def __init__(self, work_folder: Path) -> None:
        self._numbers = itertools.count(1)  # None is given twice.
        self._left: list[Path] = []
        self._is_removing = False
        self._is_closed = False
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
        """An empty folder, and a place for another, once their disk has room. They are removed,
        with all that is in them, soon after the end.

        Nobody waits for the removal: of a step that makes nothing it would be a tenth of its time.
        """
        await patiently(self.disk.check)
        number = next(self._numbers)
        output = self._folder / str(number)
        code = self._folder / f"{number}-code"
        make_open_folder(output)  # Three system calls: a thread would take longer to wake up.
        try:
            yield Workplace(code=code, output=output)
        finally:
            self._left += (output, code)
            self._remove_soon()

    def _remove_soon(self) -> None:
        """By one thread at a time, for all that have ended until then."""
        if not self._is_removing:
            self._is_removing = True
            asyncio.get_running_loop().call_later(_REMOVAL_SECONDS, self._remove_left)

    def _remove_left(self) -> None:
        if self._is_closed:  # So all of it is gone, and threads may be.
            return
        left, self._left = self._left, []
        removing = asyncio.get_running_loop().run_in_executor(None, _remove_all, left)
        removing.add_done_callback(self._look_again)

    def _look_again(self, _: asyncio.Future[None]) -> None:
        self._is_removing = False
        if self._left:
            self._remove_soon()

    def close(self) -> None:
        self._is_closed = True
        os.close(self._lock)
        _remove_full(self._folder)


def sweep(runs: Path) -> None:
    """Remove the folders of workers that are gone; those that live keep theirs."""
    with blocking_file_lock(runs / _LOCK):
        _remove_abandoned(runs)


def _remove_all(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            # Most have a file or two, or were never made: for these, this is the least that does.
            for name in os.listdir(path):  # noqa: PTH208
                os.unlink(f"{path}/{name}")  # noqa: PTH108
            path.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            _remove_full(path)


def _remove_full(path: Path) -> None:
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
