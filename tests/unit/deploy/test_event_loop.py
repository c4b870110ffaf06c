"""The event loop that API and workers have."""

import subprocess
import sys

_WHAT_LOADING_LEAVES = """
import os, threading
import asyncio, typing
before = set(os.listdir("/proc/self/fd"))
from deploy import event_loop
assert set(os.listdir("/proc/self/fd")) == before
assert len(os.listdir("/proc/self/task")) == 1
assert asyncio._get_running_loop() is None
"""

_AFTER_A_FORK = """
import asyncio, os, signal, sys
from deploy import event_loop

async def work():
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    assert type(loop).__module__ == "uvloop", type(loop)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    child = await asyncio.create_subprocess_exec("true")
    assert await child.wait() == 0
    other = os.fork() or os._exit(3)
    watched = os.pidfd_open(other)
    ended = loop.create_future()
    loop.add_reader(watched, ended.set_result, None)
    await ended
    loop.remove_reader(watched)
    assert os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]) == 3
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(stop.wait(), 10)

for _ in range(2):
    if (pid := os.fork()) == 0:
        event_loop.run(work())
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
"""


def _run(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_loading_it_leaves_nothing_that_a_fork_would_take_along() -> None:
    _run(_WHAT_LOADING_LEAVES)


def test_forks_of_a_process_that_has_loaded_it_hear_signals_and_the_end_of_children() -> None:
    _run(_AFTER_A_FORK)
