"""Forks that become children of another process, and those that do not get to."""

import asyncio
import os
import signal
import sys

PATIENCE_SECONDS = 30
_ROUNDS = 8
# Some rounds end before the first fork, some in the midst of one, some after many.
_STEP_SECONDS = 0.004

# One that adopts, its child, which forks for it, and what a fork runs.
_PROGRAM = """
import asyncio, os, random, signal, sys, threading, time
from contextlib import nullcontext
from deploy.local.adoption import adopting
from deploy.local.launcher import die_with
from deploy.local.sibling import fork_for

async def main(window, serve, wait):
    parent = os.getpid()
    with window():
        if os.fork() == 0:
            die_with(parent, signal.SIGKILL)
            serve(parent)
            os._exit(0)
        await wait()

async def reap(count):
    for _ in range(count):
        os.wait()
"""


async def printed(program: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROGRAM + program), stdout=asyncio.subprocess.PIPE
    )
    # It ends when the last one has ended that has it open.
    async with asyncio.timeout(PATIENCE_SECONDS):
        said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


async def test_forks_draw_different_random_numbers() -> None:
    said = await printed("""
def serve(parent):
    for _ in range(2):
        if fork_for(parent):
            os.write(1, f"{os.getppid() == parent} {random.random()}\\n".encode())
            os._exit(0)

asyncio.run(main(adopting, serve, lambda: reap(3)))
""")
    lines = said.splitlines()
    assert len(set(lines)) == 2
    assert all(line.startswith("True ") for line in lines)


async def test_a_fork_that_nobody_adopts_runs_nothing() -> None:
    said = await printed("""
def serve(parent):
    if fork_for(parent):
        os.write(1, b"it ran")
    else:
        os.write(1, b"the server goes on")

asyncio.run(main(nullcontext, serve, lambda: reap(1)))
""")
    assert said == "the server goes on"


async def test_nothing_is_forked_beside_another_thread() -> None:
    said = await printed("""
def serve(parent):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    try:
        fork_for(parent)
    except RuntimeError as error:
        os.write(1, str(error).encode())

asyncio.run(main(adopting, serve, lambda: reap(1)))
""")
    assert "more than one thread" in said


async def test_an_orphan_that_comes_meanwhile_is_reaped_in_the_end() -> None:
    said = await printed("""
def serve(parent):
    if os.fork() == 0:
        while os.getppid() != parent:
            time.sleep(0.001)
        os.write(1, b"adopted, ")
        os._exit(0)

def children():
    return open(f"/proc/self/task/{os.getpid()}/children").read().split()

async def wait():
    os.wait()
    while not children():
        await asyncio.sleep(0.01)

async def all():
    await main(adopting, serve, wait)
    while children():
        await asyncio.sleep(0.01)
    os.write(1, b"reaped")

asyncio.run(all())
""")
    assert said == "adopted, reaped"


async def test_one_of_ours_that_is_started_meanwhile_is_left_to_who_started_it() -> None:
    said = await printed("""
async def all():
    with adopting():
        own = os.fork()
        if own == 0:
            time.sleep(0.1)
            os._exit(7)
    await asyncio.sleep(0.5)
    print(os.waitstatus_to_exitcode(os.waitpid(own, 0)[1]))

asyncio.run(all())
""")
    assert said == "7\n"


async def test_forks_end_with_the_process_they_are_for_whenever_it_is_killed() -> None:
    program = """
def serve(parent):
    while True:
        if fork_for(parent):
            die_with(parent, signal.SIGKILL)
            time.sleep(600)
        time.sleep(0.002)

asyncio.run(main(adopting, serve, lambda: asyncio.sleep(600)))
"""
    for number in range(_ROUNDS):
        begun, theirs = os.pipe()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", f"{_PROGRAM}\nos.write(1, b'.')\n{program}"), stdout=theirs
        )
        os.close(theirs)
        try:
            await asyncio.to_thread(os.read, begun, 1)
            await asyncio.sleep(number * _STEP_SECONDS)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            async with asyncio.timeout(PATIENCE_SECONDS):
                # The end of a pipe that all of them have open.
                assert await asyncio.to_thread(os.read, begun, 1) == b""
        finally:
            os.close(begun)
