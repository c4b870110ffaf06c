"""What threads could hide from /proc, which shows a process as its first one: no limit is lost."""

import platform
from collections.abc import AsyncIterator

import pytest

from activities.sandbox.base import Limit, Limits
from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.cgroups import open_cgroups
from activities.units import MEBIBYTE
from tests.integration.sandboxes import Bench, open_folder
from tests.security.processes import alive, mark

LIMITS = Limits(memory_bytes=200 * MEBIBYTE, disk_bytes=64 * MEBIBYTE, processes=30, wall_seconds=8)


def _none() -> None:
    """What ``open_cgroups`` gives on a machine that lets us have none."""


@pytest.fixture(params=[open_cgroups, _none], ids=["as it comes", "watched"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    with open_folder() as folder:
        sandbox = Bubblewrap(folder / "work", cgroups=request.param)
        yield Bench(sandbox, folder)
        await sandbox.close()


# What process 1 runs next, in machine code: it starts a thread that sleeps for ever (clone, pause),
# and ends the first one (exit).
_HEADLESS_ROOT = """
import os, struct, time
words = open('/proc/1/syscall').read().split()
stack, at = (int(word, 16) for word in words[-2:])
code = b'\\xb8\\x38\\0\\0\\0\\xbf' + struct.pack('<I', 0x50f00)
code += b'\\x48\\xbe' + struct.pack('<Q', (stack - 0x8000) & ~0xf)
code += b'\\x31\\xd2\\x4d\\x31\\xd2\\x4d\\x31\\xc0\\x0f\\x05\\x85\\xc0\\x74\\x09'
code += b'\\x31\\xff\\xb8\\x3c\\0\\0\\0\\x0f\\x05\\xb8\\x22\\0\\0\\0\\x0f\\x05\\xeb\\xf7'
os.pwrite(os.open('/proc/1/mem', os.O_RDWR), code, at)
if os.fork() == 0:
    if os.fork() == 0: os._exit(0)
    os._exit(0)
os.wait()
time.sleep(60)
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="machine code of x86_64")
async def test_a_job_that_ends_the_first_thread_of_process_1_is_stopped(bench: Bench) -> None:
    word = mark()
    ended = await bench.python(f"{_HEADLESS_ROOT}\n# {word}", limits=LIMITS)
    assert ended.limit is Limit.PROCESSES
    assert alive(word) == []


_HEADLESS = """
import ctypes, os, threading, time
def work():
    time.sleep(0.1)
    {work}
    time.sleep(60)
threading.Thread(target=work).start()
ctypes.CDLL(None).syscall({exit}, 0)
"""
_EXIT = {"x86_64": 60, "aarch64": 93}

HIDDEN = {
    # Less than its process may ask for: else it may have ended before anybody looks.
    "memory": ("held = [os.urandom(1 << 20) for _ in range(230)]", Limit.MEMORY),
    "files without a name": (
        "file = os.open('x', os.O_RDWR | os.O_CREAT); os.unlink('x')\n"
        "    for _ in range(100): os.write(file, b'x' * (1 << 20))",
        Limit.DISK,
    ),
}


@pytest.mark.parametrize("hidden", HIDDEN)
async def test_what_a_process_holds_counts_though_its_first_thread_has_ended(
    bench: Bench, hidden: str
) -> None:
    work, limit = HIDDEN[hidden]
    word = mark()
    source = _HEADLESS.format(work=work, exit=_EXIT[platform.machine()])
    ended = await bench.python(f"{source}\n# {word}", limits=LIMITS)
    assert ended.limit is limit
    assert alive(word) == []


_APART = """
import ctypes, os, threading, time
def work():
    ctypes.CDLL(None).syscall(436, 1 << 20, 1 << 20, 2)  # close_range, CLOSE_RANGE_UNSHARE
    file = os.open('x', os.O_RDWR | os.O_CREAT); os.unlink('x')
    for _ in range(100): os.write(file, b'x' * (1 << 20))
    time.sleep(60)
threading.Thread(target=work).start()
time.sleep(60)
"""


async def test_a_thread_cannot_have_open_files_of_its_own(bench: Bench) -> None:
    word = mark()
    ended = await bench.python(f"{_APART}\n# {word}", limits=LIMITS)
    assert ended.limit is Limit.DISK
    assert alive(word) == []
