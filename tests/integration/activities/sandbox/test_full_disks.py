"""What becomes of a job on a disk that is full, or that it fills."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from activities.attempts.exits import error_of
from activities.sandbox.base import Limit, Limits
from activities.units import MEBIBYTE
from tests.integration.sandboxes import Bench, backend, open_folder
from tests.live import until
from tests.small_disks import fill, small_disk
from workflows.definitions.pipeline import Step
from workflows.errors import DiskFull


@pytest.fixture
async def small_bench() -> AsyncIterator[Bench]:
    """Its folders are on a disk of 200 MiB, of which 34 are kept free."""
    with open_folder() as folder, small_disk(folder / "disk", 200) as disk:
        disk.chmod(0o755)
        async with backend("bubblewrap", disk) as sandbox:
            yield Bench(sandbox, disk)


async def test_on_a_disk_with_enough_room_a_small_job_is_left_alone(small_bench: Bench) -> None:
    ended = await small_bench.shell("echo said; sleep 0.5")
    assert (ended.code, ended.limit) == (0, None)


async def test_a_job_that_only_prints_is_stopped_on_a_full_disk_which_is_said(
    small_bench: Bench,
) -> None:
    ballast = fill(small_bench.folder, left_bytes=16 * MEBIBYTE)
    ended = await small_bench.shell("echo said; sleep 20")
    assert ended.limit is Limit.DISK
    assert ended.no_room is not None
    assert ended.no_room.written_bytes < MEBIBYTE
    assert ended.no_room.room.free_bytes <= 16 * MEBIBYTE
    ballast.unlink()


@pytest.mark.parametrize("limit_mib", [20, 2048])
async def test_a_job_that_fills_the_disk_is_stopped_whatever_its_limit(
    small_bench: Bench, limit_mib: int
) -> None:
    job = "import time\nfile = open('x', 'wb', 0)\n" + (
        "for _ in range(90): file.write(bytes(2 << 20)); time.sleep(0.005)\ntime.sleep(20)"
    )
    ended = await small_bench.python(job, limits=Limits(disk_bytes=limit_mib * MEBIBYTE))
    assert ended.limit is Limit.DISK
    if limit_mib == 20:
        assert ended.no_room is None
    else:
        assert ended.no_room is not None
        assert ended.no_room.written_bytes > 100 * MEBIBYTE


async def test_a_job_that_wrote_much_while_others_filled_the_disk_is_not_to_blame(
    small_bench: Bench,
) -> None:
    job = "import time\nopen('x', 'wb').write(bytes(70 << 20))\ntime.sleep(20)"

    async def has_written() -> bool:
        file = small_bench.output / "x"
        return file.exists() and file.stat().st_size == 70 * MEBIBYTE

    running = asyncio.create_task(small_bench.python(job))
    await until(has_written)
    fill(small_bench.folder, left_bytes=16 * MEBIBYTE)
    ended = await running
    assert ended.no_room is not None
    assert ended.no_room.written_bytes >= 70 * MEBIBYTE
    assert ended.no_room.free_at_begin_bytes > 150 * MEBIBYTE
    step = Step.model_validate({"id": "s", "skill": "x"})
    assert isinstance(error_of(step, ended, Limits()), DiskFull)
