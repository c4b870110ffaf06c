"""``agentos worker``, as a process of its own."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from deploy.local.tcp_ports import choose_ports
from tests.folders import PROJECT

_LONG_SECONDS = 60.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_worker_that_waits_for_its_services_ends_when_it_is_stopped(
    tmp_path: Path, number: signal.Signals
) -> None:
    [nobody] = choose_ports([None])
    own = {
        "AGENTOS_DATABASE_URL": f"postgresql+asyncpg://nobody@127.0.0.1:{nobody}/none",
        "AGENTOS_S3_ENDPOINT": f"http://127.0.0.1:{nobody}",
        "AGENTOS_DATA_DIR": str(tmp_path),
        "AGENTOS_STOP_SECONDS": str(10 * _LONG_SECONDS),
        "TEMPORAL_ADDRESS": f"127.0.0.1:{nobody}",
    }
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "worker"),
        cwd=PROJECT,
        env={**os.environ, **own},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        assert worker.stdout
        await worker.stdout.readline()  # It says that it waits.
        worker.send_signal(number)
        async with asyncio.timeout(_LONG_SECONDS):  # It has no steps that could go on.
            assert await worker.wait() == 0
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
