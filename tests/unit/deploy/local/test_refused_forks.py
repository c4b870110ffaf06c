"""What the kernel refuses the supervisor while it has a part forked."""

import asyncio
import json
import os
import resource
import sys
from pathlib import Path

import pytest

from deploy import variables
from deploy.local.adoption import reap_late
from tests.folders import PROJECT
from tests.live import until

PATIENCE_SECONDS = 60


@pytest.mark.parametrize("refused", ["prctl", "pidfd_open"])
async def test_what_the_kernel_refuses_the_supervisor_is_no_fault_of_the_fork_server(
    refused: str,
) -> None:
    """It is not started again, and no child is left as a zombie."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.doubles.refusing_kernel", refused),
        cwd=PROJECT,
        env=variables.inherited() | {"PYTHONPATH": str(PROJECT)},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await asyncio.wait_for(running.communicate(), PATIENCE_SECONDS)
    assert json.loads(printed) == {
        "forks": [None, None],
        "events": ["fork_server.not_used"] * 2,
        "is_the_first": True,
        "left": 0,
    }


async def test_a_child_is_reaped_where_no_descriptor_is_left_for_it() -> None:
    pid = started_child()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, hard))
    try:
        reap_late(pid)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    async def is_reaped() -> bool:
        return not Path(f"/proc/{pid}").exists()

    await until(is_reaped, seconds=20)


def started_child() -> int:
    return os.posix_spawn("/bin/true", ["true"], {})
