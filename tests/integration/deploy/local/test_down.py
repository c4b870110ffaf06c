"""``agentos status`` and ``agentos down``, beside a stack that another process runs."""

import asyncio
import json
import signal
import sys
from pathlib import Path

from deploy.local.holders import Holders
from tests.live import processes_mentioning, typed

AGENTOS = (sys.executable, "-P", "-m", "deploy.cli", "--api-url", "http://127.0.0.1:9")


async def started(data_dir: Path) -> asyncio.subprocess.Process:
    script = Path(__file__).with_name("stack_process.py")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(script), str(data_dir)), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline()
    return process


async def test_a_stack_is_told_of_and_stopped_from_elsewhere_and_after_it_was_killed(
    tmp_path: Path,
) -> None:
    where = ("--data-dir", str(tmp_path / "data"))
    nothing = await typed(*AGENTOS, "down", *where)
    assert (nothing.code, "it does not exist" in nothing.stderr) == (1, True)
    stack = await started(tmp_path / "data")
    told = await typed(*AGENTOS, "status", *where, "-o", "json")
    assert told.stdout, told.stderr
    status = json.loads(told.stdout)
    assert (told.code, status["stack"]) == (1, "running")  # There is no API.
    assert {part["name"]: part["state"] for part in status["parts"]} == dict.fromkeys(
        ("postgres", "temporal", "temporal_ui", "s3"), "runs"
    )
    assert "No AgentOS API answers" in status["problem"]
    down = await typed(*AGENTOS, "down", *where)
    assert down.code == 0, down.stderr
    assert down.stdout.startswith("Everything is stopped.")
    assert f"process {stack.pid}" in down.stderr
    assert await stack.wait() == 0
    assert processes_mentioning(str(tmp_path)) == []
    nothing = await typed(*AGENTOS, "down", *where)
    assert (nothing.code, nothing.stdout) == (0, f"Nothing runs on {tmp_path}/data.\n")

    stack = await started(tmp_path / "data")
    stack.send_signal(signal.SIGKILL)
    await stack.wait()
    assert (await typed(*AGENTOS, "down", *where)).code == 0
    assert not Holders(tmp_path / "data").is_held
    assert processes_mentioning(str(tmp_path)) == []
