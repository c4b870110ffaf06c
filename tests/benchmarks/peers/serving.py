"""How a peer's process is told what to do: for each number that it reads, it runs the pipeline so
often at once, and writes how many seconds that took.

Nothing but the standard library is needed here, because a peer has a Python of its own.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from deploy.local.part import launched
from tests.benchmarks.plain_sandbox import PlainSandbox

Pipeline = Callable[[], Awaitable[object]]


def told() -> tuple[PlainSandbox, Path]:
    """What the command line says: the sandbox, and the folder for all that the peer keeps."""
    folder, line = Path(sys.argv[1]), json.loads(sys.argv[2])
    return PlainSandbox(line, folder), folder


async def serve(pipeline: Pipeline) -> None:
    """Until there is nothing more to read."""
    # What libraries print goes where errors go.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        while count := await asyncio.to_thread(sys.stdin.readline):
            began = time.perf_counter()
            await asyncio.gather(*(pipeline() for _ in range(int(count))))
            print(time.perf_counter() - began, file=answers, flush=True)


def start_server(*command: str) -> subprocess.Popen[bytes]:
    """What a peer needs beside it, in a session of its own, as AgentOS's servers are (see
    ``beside``). It does not outlive the peer, not even one that is killed."""
    return subprocess.Popen(
        launched(command, signal.SIGKILL, appear_as_uid=0),
        stdout=sys.stderr,
        start_new_session=True,
    )
