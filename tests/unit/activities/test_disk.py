"""Disks that run full."""

import asyncio
import errno
import os
from pathlib import Path

import pytest

from activities.attempts.scratch import Scratch
from activities.disk import Disk, disk_full
from tests.small_disks import fill, small_disk
from workflows.errors import DiskFull


async def test_a_disk_is_full_shortly_before_nothing_fits_on_it(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64) as folder:
        disk = Disk(folder, "the test")
        await disk.check()
        ballast = fill(folder, left_bytes=16 * 1024 * 1024)
        with pytest.raises(DiskFull, match=r"disk of the test is full: .* 1\d MiB free"):
            await disk.check()
        ballast.unlink()
        await disk.check()


async def test_a_step_waits_for_room_before_it_begins(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64) as folder:
        scratch = Scratch(folder)
        ballast = fill(folder)

        async def work() -> None:
            async with scratch.workplace() as workplace:
                (workplace.output / "made").write_bytes(b"x")

        working = asyncio.create_task(work())
        await asyncio.wait([working], timeout=0.2)
        assert not working.done()
        ballast.unlink()
        await asyncio.wait_for(working, 30)
        scratch.close()


def test_of_the_errors_of_the_system_two_say_that_a_disk_is_full() -> None:
    for number in (errno.ENOSPC, errno.EDQUOT):
        found = disk_full(OSError(number, os.strerror(number), "/data/file"), "the worker")
        assert found is not None
        assert "/data/file" in str(found)
    assert disk_full(OSError(errno.EACCES, "no"), "the worker") is None
