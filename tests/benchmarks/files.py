"""A large file from a sandbox to the store."""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

from minio import Minio

from activities.attempts.artifacts import publish
from activities.attempts.collector import collect
from activities.store.blobs import Blobs
from activities.store.options import S3Options
from tests.benchmarks.judgement import Bound, Effort, Verdict, measure
from tests.benchmarks.processes import resident_mib
from tests.benchmarks.report import compare, judge
from tests.benchmarks.stage import Stage

FILE = "big.bin"
FILE_MIB = 200
UPLOAD = Bound(most=1.4)
MEMORY_BOUND_MIB = 64
TEAM = UUID("00000000-0000-4000-8000-00000000beef")


async def upload(stage: Stage) -> Verdict:
    """Collecting, hashing and storing a file against a bare upload of it."""
    s3 = stage.services.s3
    blobs = Blobs(S3Options(s3.endpoint, s3.bucket, s3.access_key, s3.secret_key))
    bare_client = Minio(
        s3.endpoint.removeprefix("http://"),
        access_key=s3.access_key,
        secret_key=s3.secret_key,
        secure=False,
    )

    async def ours(folder: Path) -> None:
        collection = await asyncio.to_thread(collect, folder)
        await publish(blobs, TEAM, folder, collection)

    async def bare(folder: Path) -> None:
        name, file = f"bare/{uuid4()}", str(folder / FILE)
        await asyncio.to_thread(bare_client.fput_object, s3.bucket, name, file)

    async def timed(work: Callable[[Path], Awaitable[None]]) -> float:
        with tempfile.TemporaryDirectory(dir=stage.work_folder) as folder:
            await asyncio.to_thread(_fill, Path(folder) / FILE)
            started = time.perf_counter()
            await work(Path(folder))
            return (time.perf_counter() - started) * 1_000

    effort = Effort(most=12, seconds=40)
    pairs = await measure(lambda: timed(ours), lambda: timed(bare), UPLOAD, effort)
    return compare(
        f"A file of {FILE_MIB} MiB from the output folder to the store",
        pairs,
        baseline_name="minio's fput_object",
        unit="ms",
        bound=UPLOAD,
    )


async def worker_memory(stage: Stage) -> Verdict:
    """How much the worker grows while a step's file goes to the store."""
    pid = stage.pid_of("worker")
    step: dict[str, object] = {"id": "big", "skill": "big-file", "args": [str(FILE_MIB)]}
    before = peak = resident_mib(pid)
    running = asyncio.create_task(stage.run(step))
    while not running.done():
        peak = max(peak, resident_mib(pid))
        await asyncio.sleep(0.005)
    await running
    grown = peak - before
    return judge(
        f"The worker grew by {grown:.0f} MiB (from {before:.0f} MiB) while it stored "
        f"{FILE_MIB} MiB",
        kept=grown < MEMORY_BOUND_MIB,
        bound=f"< {MEMORY_BOUND_MIB}",
    )


def _fill(path: Path) -> None:
    with path.open("wb") as target:
        for _ in range(FILE_MIB):
            target.write(os.urandom(1024 * 1024))
