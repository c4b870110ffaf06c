"""Steps that leave much behind: many small files, and much output."""

import asyncio
import hashlib
import io
import time
from uuid import uuid4

import asyncpg
from minio import Minio

from activities.attempts.artifacts import PARALLEL_UPLOADS
from tests.benchmarks.judgement import Bound, Effort, Verdict, measure
from tests.benchmarks.report import compare, judge
from tests.benchmarks.stage import Stage

FILES = 10_000
PRINTED_MB = 15
MANY = Bound(most=1.6)
MOST_WRITTEN = 1.0  # of what was printed, in the database's log of changes

_WRITE = """
import uuid
for n in range({files}):
    with open(f"{{n}}.txt", "w") as file:
        file.write(f"{{uuid.uuid4()}} " * 5)
"""
_PRINT = """
import random
printed = 0
while printed < {characters}:
    text = f"{{random.random()}} line {{random.randrange(10**9)}} of a table"
    print(text)
    printed += len(text) + 1
"""


async def many_files(stage: Stage) -> Verdict:
    """A step with 10,000 small files against bare uploads of as many, by as many threads."""
    s3 = stage.services.s3
    client = Minio(
        s3.endpoint.removeprefix("http://"),
        access_key=s3.access_key,
        secret_key=s3.secret_key,
        secure=False,
    )

    def put(count: int) -> None:
        for _ in range(count):
            content = f"{uuid4()} ".encode() * 5
            name = f"bare/{hashlib.sha256(content).hexdigest()}"
            client.put_object(s3.bucket, name, io.BytesIO(content), len(content))

    async def ours() -> float:
        return await _seconds(stage, _WRITE.format(files=FILES))

    async def bare() -> float:
        began = time.perf_counter()
        each = FILES // PARALLEL_UPLOADS
        await asyncio.gather(*(asyncio.to_thread(put, each) for _ in range(PARALLEL_UPLOADS)))
        return time.perf_counter() - began

    pairs = await measure(ours, bare, MANY, Effort(most=6, seconds=300))
    return compare(
        f"A step with {FILES:,} small files",
        pairs,
        baseline_name="bare uploads of them",
        unit="s",
        bound=MANY,
    )


async def much_output(stage: Stage) -> Verdict:
    """How much the database writes for what a step prints: once, and not for each who reads it."""
    dsn = stage.services.database_url.replace("+asyncpg", "")
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CHECKPOINT")
        before = await connection.fetchval(_WRITTEN)
        seconds = await _seconds(stage, _PRINT.format(characters=PRINTED_MB * 1_000_000))
        written = float(await connection.fetchval(_WRITTEN) - before) / 1_000_000
    finally:
        await connection.close()
    return judge(
        f"For {PRINTED_MB} MB that a step printed in {seconds:.1f} s the database wrote"
        f" {written:.1f} MB",
        kept=written <= MOST_WRITTEN * PRINTED_MB,
        bound=f"<= {MOST_WRITTEN * PRINTED_MB:.0f} MB",
    )


async def _seconds(stage: Stage, source: str) -> float:
    began = time.perf_counter()
    await stage.run_over_http({"id": "a", "code": {"language": "python", "source": source}})
    return time.perf_counter() - began


_WRITTEN = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
