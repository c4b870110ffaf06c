"""How programs with a client end, and what becomes of a client in a process that is forked."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.folders import PROJECT
from tests.integration.cli_server import TASK_ID, Server, a_task, document, serving, stream
from tests.pressure import allowed

TASK = f"/tasks/{TASK_ID}"
BEGINNING = f"""
import os, sys
from api.client import Client, ClientUnusable
client = Client()
events = client.events("{TASK_ID}")
print(next(events).type, flush=True)
"""
IN_A_CHILD = (
    BEGINNING
    + f"""
child = os.fork()
if child:
    print(os.waitpid(child, 0)[1], client.task("{TASK_ID}").status)
else:
    for ask in (lambda: client.task("{TASK_ID}"), lambda: next(events)):
        try:
            ask()
        except ClientUnusable as error:
            print(error, flush=True)
client.close()
"""
)
AT_THE_END = (
    BEGINNING
    + """
class Last:
    def __del__(self):
        try:
            client.task("x")
        except ClientUnusable as error:
            print(error, flush=True)
        client.close()

last = Last()
last.itself = last
"""
)
FORKED = (
    "The client cannot be used here: it was made before this process was forked; make one in each "
    "process."
)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        server.tell(f"GET {TASK}", document(a_task()))
        running = [(1, "task.status", {"status": "running"})]
        server.tell(f"GET {TASK}/events", stream(running, held=True))
        yield server


async def ended(server: Server, program: str, folder: Path) -> tuple[list[str], str]:
    """What a program has printed that has ended by itself: its lines, and its complaints."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        env={"AGENTOS_API_URL": server.url, "PYTHONPATH": str(PROJECT)},
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(allowed(30)):
            printed, complaints = await running.communicate()
    finally:
        if running.returncode is None:
            os.killpg(running.pid, signal.SIGKILL)  # What it has forked, too.
    assert running.returncode == 0
    return printed.decode().splitlines(), complaints.decode()


async def test_a_program_that_leaves_events_unread_ends(server: Server, tmp_path: Path) -> None:
    assert await ended(server, BEGINNING, tmp_path) == (["task.status"], "")


async def test_what_is_asked_while_a_program_ends_is_refused(
    server: Server, tmp_path: Path
) -> None:
    printed, complaints = await ended(server, AT_THE_END, tmp_path)
    assert printed == [
        "task.status",
        "The client cannot be used here: the program is ending; use it before that.",
    ]
    assert complaints == ""


async def test_a_client_is_refused_in_a_forked_process_and_works_on_in_its_own(
    server: Server, tmp_path: Path
) -> None:
    printed, complaints = await ended(server, IN_A_CHILD, tmp_path)
    assert printed == ["task.status", FORKED, FORKED, "0 running"]
    assert complaints == ""
