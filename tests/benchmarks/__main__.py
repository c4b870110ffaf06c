"""Runs every benchmark on one embedded stack and prints the ratios. Exit code 1: a bound broke."""

import asyncio
import sys

from tests.benchmarks import files, memory, pipelines
from tests.benchmarks.report import console
from tests.benchmarks.stage import staged


async def main() -> bool:
    async with staged() as stage:
        kept = [
            await pipelines.latency(stage),
            await pipelines.submission(stage),
            await pipelines.throughput(stage),
            await files.upload(stage),
            await files.worker_memory(stage),
        ]
        memory.idle(stage)
    console.print(f"{sum(kept)} of {len(kept)} bounds kept.")
    return all(kept)


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main()) else 1)
