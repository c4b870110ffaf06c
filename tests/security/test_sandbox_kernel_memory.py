"""Memory that no process of a job owns is within its limit, with a control group and without."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from activities.sandbox.base import Exit, Limit, Limits
from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.cgroups import open_cgroups
from activities.units import MEBIBYTE
from tests.folders import PROJECT
from tests.integration.sandboxes import Bench, Warmed, open_folder
from tests.security.processes import alive, mark, until

LIMITS = Limits(memory_bytes=150 * MEBIBYTE, wall_seconds=30)

_FILL = """
import fcntl, mmap, os, socket, time
data, held = b'x' * 65536, []
def fill(end):
    end.setblocking(False)
    try:
        while True: end.send(data)
    except OSError: pass
def keep(*ends):
    for end in ends: fill(end)
    held.extend(ends)
def repeat(work):
    try:
        while True: work()
    except OSError: pass
    time.sleep(60)
def fork(times):
    for _ in range(times):
        if os.fork() == 0: break
"""

# Each would hold gigabytes.
HOLES = {
    "Unix sockets": _FILL
    + """
def pair():
    ends = socket.socketpair()
    for end in ends: end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
    keep(*ends)
fork(20)
repeat(pair)
""",
    "TCP": _FILL
    + """
def connect():
    listener = socket.create_server(('127.0.0.1', 0))
    near = socket.create_connection(listener.getsockname())
    keep(near, listener.accept()[0])
fork(4)
repeat(connect)
""",
    "UDP": _FILL
    + """
def send():
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.bind(('127.0.0.1', 0))
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 30)
    held.append(end)
    for _ in range(50): end.sendto(data[:60_000], end.getsockname())
fork(20)
repeat(send)
""",
    "tables of pages that were never written": _FILL
    + """
space = mmap.mmap(-1, 1 << 38, flags=mmap.MAP_PRIVATE | 0x4000, prot=mmap.PROT_READ)
space.madvise(mmap.MADV_NOHUGEPAGE)
for page in range(0, 1 << 38, 1 << 21): space[page]
time.sleep(60)
""",
}


def _none() -> None:
    """What ``open_cgroups`` gives on a machine that lets us have none."""


def _has_cgroups() -> bool:
    opened = open_cgroups()
    if opened is not None:
        opened.close()
    return opened is not None


with_cgroup = pytest.mark.skipif(not _has_cgroups(), reason="no cgroup can be had here")

# Whether a job has a sandbox of its own, or one that waited for it.
COLD, WARM = 0, 1

WATCHED = [
    pytest.param((_none, COLD), id="watched"),
    pytest.param((_none, WARM), id="watched, warm"),
]
WAYS = [
    pytest.param((open_cgroups, COLD), id="in a cgroup", marks=with_cgroup),
    pytest.param((open_cgroups, WARM), id="in a cgroup, warm", marks=with_cgroup),
    *WATCHED,
]


@pytest.fixture
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    cgroups, warm = request.param
    with open_folder() as folder:
        sandbox = Bubblewrap(folder / "work", cgroups=cgroups, warm=warm)
        yield Bench(Warmed(sandbox) if warm else sandbox, folder)
        await sandbox.close()


async def run_marked(bench: Bench, source: str, limits: Limits = LIMITS) -> Exit:
    word = mark()
    ended = await bench.python(f"{source}\n# {word}", limits=limits)
    assert alive(word) == []
    return ended


@pytest.mark.parametrize("bench", WAYS, indirect=True)
@pytest.mark.parametrize("hole", HOLES)
async def test_a_hole_in_the_limit_on_memory_ends_in_it(bench: Bench, hole: str) -> None:
    assert (await run_marked(bench, HOLES[hole])).limit is Limit.MEMORY


@pytest.mark.parametrize("bench", WAYS, indirect=True)
async def test_sockets_on_their_way_between_two_others_are_within_the_limit(bench: Bench) -> None:
    """The kernel lets a user have as many on their way as a process may have open files."""
    source = """
fork(8)
ways = []
def pass_on():
    near, far = socket.socketpair()
    fill(near); fill(far)
    if not ways or len(ways[-1][1]) > 100: ways.append((socket.socketpair(), []))
    (here, there), passed = ways[-1]
    socket.send_fds(here, [b'.'], [near.fileno(), far.fileno()])
    passed.append(0)
    near.close(); far.close()
repeat(pass_on)
"""
    ended = await run_marked(bench, _FILL + source, replace(LIMITS, wall_seconds=2))
    assert ended.limit in {Limit.MEMORY, Limit.WALL_TIME}
    assert (ended.peak_memory_bytes or 0) < 2 * LIMITS.memory_bytes


@pytest.mark.parametrize("bench", WAYS, indirect=True)
async def test_pipes_count_as_memory(bench: Bench) -> None:
    source = """
def pipe():
    read, write = os.pipe()
    held.extend((read, write))
    try: fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 1 << 20)
    except OSError: pass
    os.set_blocking(write, False)
    try:
        while True: os.write(write, data)
    except BlockingIOError: pass
fork(12)
repeat(pipe)
"""
    limits = Limits(memory_bytes=60 * MEBIBYTE, wall_seconds=30)
    ended = await run_marked(bench, _FILL + source, limits)
    assert ended.limit is Limit.MEMORY


@pytest.mark.parametrize("bench", WAYS, indirect=True)
async def test_a_job_that_uses_sockets_and_pipes_within_reason_hears_nothing(bench: Bench) -> None:
    source = """
import asyncio, multiprocessing, subprocess
async def talk():
    async def answer(reader, writer):
        writer.write(await reader.read(100_000)); await writer.drain(); writer.close()
    server = await asyncio.start_server(answer, '127.0.0.1', 0)
    async def ask():
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(data); return len(await reader.read())
    await asyncio.gather(*(ask() for _ in range(80)))
if __name__ == '__main__':
    asyncio.run(talk())
    print(subprocess.run('seq 1000 | tail -1 | cat', shell=True, capture_output=True).stdout)
    with multiprocessing.get_context('fork').Pool(4) as pool: print(sum(pool.map(abs, range(9))))
    time.sleep(0.3)
"""
    assert (await run_marked(bench, _FILL + source)).ok, bench.stderr
    assert bench.stdout == "b'1000\\n'\n36\n"


@pytest.mark.parametrize("bench", WAYS, indirect=True)
async def test_files_are_copied_by_the_usual_means(bench: Bench) -> None:
    source = """
import os, shutil, subprocess
open('a', 'wb').write(os.urandom(3_000_000))
shutil.copyfile('a', 'b'); shutil.copy2('b', '/tmp/c'); subprocess.run(['cp', '/tmp/c', 'd'])
subprocess.run('cat d | cat > e; tee f < e > g', shell=True)
print(len({open(name, 'rb').read() for name in 'abdefg'}))
"""
    assert (await run_marked(bench, source)).ok, bench.stderr
    assert bench.stdout == "1\n"


@pytest.mark.parametrize("bench", WATCHED, indirect=True)
async def test_a_watched_job_cannot_enlarge_or_pin_what_sockets_and_pipes_hold(
    bench: Bench,
) -> None:
    source = """
import ctypes
def says(call, *arguments):
    try: return call(*arguments)
    except OSError as error: return error.strerror
near, _ = socket.socketpair()
near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
print(near.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) < 1 << 20)
print(says(near.setsockopt, socket.SOL_SOCKET, 60, 1))
read, write = os.pipe()
print(says(fcntl.fcntl, write, fcntl.F_SETPIPE_SZ, 1 << 20))
libc = ctypes.CDLL(None, use_errno=True)
print([libc[call](read, None, write, None, 1, 0) and ctypes.get_errno()
       for call in ('vmsplice', 'splice', 'tee', 'sendfile')])
"""
    assert (await run_marked(bench, _FILL + source)).ok, bench.stderr
    assert bench.stdout.splitlines() == [
        "True",
        "Protocol not available",
        "Operation not permitted",
        "[22, 22, 22, 22]",
    ]


@with_cgroup
async def test_a_cgroup_is_used_again_and_removed_at_the_end() -> None:
    opened = open_cgroups()
    assert opened is not None
    with opened.group(LIMITS) as first, opened.group(LIMITS) as second:
        assert first.joining != second.joining
        folder = first.joining.parents[1]
    with opened.group(Limits(memory_bytes=MEBIBYTE)) as third:
        assert third.joining in {first.joining, second.joining}
    opened.close()
    assert not folder.exists()


_WORKER = """
import asyncio, sys
from pathlib import Path
from activities.sandbox.base import Job
from activities.sandbox.bubblewrap import Bubblewrap
async def main():
    folder = Path(sys.argv[1])
    (folder / "output").mkdir()
    job = Job(("/bin/sh", "-c", f"echo began; sleep 60; : {sys.argv[2]}"), folder / "output")
    await Bubblewrap(folder).run(job, lambda stream, piece: print(piece, flush=True))
asyncio.run(main())
"""


@with_cgroup
async def test_the_next_worker_sweeps_the_cgroups_of_one_that_was_killed() -> None:
    word = mark()
    with open_folder() as folder:
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _WORKER, str(folder), word),
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        assert worker.stdout is not None
        while b"began" not in await worker.stdout.readline():
            pass
        [job, *_] = [pid for pid in alive(word) if pid != worker.pid]
        group = _memory_cgroup(job)
        assert group.exists()
        worker.send_signal(signal.SIGKILL)
        await worker.wait()
    await until(lambda: not alive(word))
    opened = open_cgroups()
    assert opened is not None
    opened.close()
    assert not group.exists()
    assert not group.parent.exists()


def _memory_cgroup(pid: int) -> Path:
    """The folder of the group that a process is in."""
    names = re.findall(
        r"/(agentos-\w+/\d+)$", Path(f"/proc/{pid}/cgroup").read_text(), re.MULTILINE
    )
    [folder] = Path("/sys/fs/cgroup").glob(f"**/{names[0]}")
    return folder
