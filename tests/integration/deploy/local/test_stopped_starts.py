"""``agentos up`` that is told to stop while it starts."""

import asyncio
import signal
import sys
from pathlib import Path

from tests.live import processes_mentioning, until

AGENTOS = (sys.executable, "-P", "-m", "deploy.cli")


async def test_a_start_that_is_cut_off_says_that_all_is_stopped_and_no_more(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "data"

    async def loads_the_api() -> bool:
        return (data_dir / "logs" / "api.log").exists()

    up = await asyncio.create_subprocess_exec(
        *(*AGENTOS, "up", "--data-dir", str(data_dir)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await until(loads_the_api)
        up.send_signal(signal.SIGINT)
        printed, complaint = await asyncio.wait_for(up.communicate(), 60)
    finally:
        if up.returncode is None:
            up.kill()
            await up.wait()
    assert (up.returncode, complaint.decode()) == (0, "")
    assert printed.decode().splitlines()[-1].startswith("Everything is stopped.")
    assert processes_mentioning(str(data_dir)) == []
