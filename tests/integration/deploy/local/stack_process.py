"""`up` without API and workers, as a process of its own that a test can kill.

Usage: stack_process.py DATA_DIR [usual]. Prints the services as JSON when they are ready; "usual"
tries the usual ports first. SIGTERM stops it.
"""

import asyncio
import dataclasses
import json
import signal
import sys
from pathlib import Path

from deploy.local.services import StackOptions
from deploy.local.stack import Stack
from workflows.errors import AgentOSError


async def main(data_dir: str, *words: str) -> None:
    options = StackOptions(Path(data_dir), application=False, default_ports="usual" in words)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Stack(options) as services:
        print(json.dumps(dataclasses.asdict(services), default=str), flush=True)  # noqa: T201
        await stop.wait()


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except AgentOSError as error:
        sys.exit(str(error))
