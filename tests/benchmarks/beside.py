"""Processes beside the one that measures."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.local.part import launched


@asynccontextmanager
async def beside(*command: str) -> AsyncIterator[int]:
    """Have this program, whose path is an exact one, run while the block does; gives its process's
    id. It ends with us, also when we are killed.

    It has a session of its own, as each part of AgentOS has. A kernel that shares out the
    processors by session (autogroup) would otherwise give a baseline one portion together with the
    client that measures it, and what it is compared with several.
    """
    process = await asyncio.create_subprocess_exec(
        *launched(command, signal.SIGKILL, appear_as_uid=0), start_new_session=True
    )
    try:
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
