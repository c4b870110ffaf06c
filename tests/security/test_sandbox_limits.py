"""What a job in bubblewrap can use up: an abuse ends in its own limit, with nothing left alive."""

import time

import pytest

from activities.sandbox.base import Exit, Limit, Limits
from activities.sandbox.profile import TEMPORARY_BYTES
from activities.units import MEBIBYTE
from tests.integration.sandboxes import Bench
from tests.pressure import allowed
from tests.security.processes import alive, mark

MEMORY = Limits(memory_bytes=300 * MEBIBYTE, wall_seconds=20)
PROCESSES = Limits(processes=40, wall_seconds=20)
DISK = Limits(disk_bytes=64 * MEBIBYTE, wall_seconds=20)

_FORK = """
import os, time
def child(work):
    if os.fork() == 0:
        work()
        time.sleep(30)
        os._exit(0)
"""

ABUSES = {
    "one process eats memory": (
        "x = []\nwhile True: x.append(b'x' * 1_000_000)",
        MEMORY,
        Limit.MEMORY,
    ),
    "one process asks for too much memory at once": (
        "x = bytearray(10 << 30)",
        MEMORY,
        Limit.MEMORY,
    ),
    "many processes eat memory, none too much": (
        _FORK + "hold = []\n"
        "for _ in range(8): child(lambda: hold.append(b'x' * (60 << 20)))\n"
        "time.sleep(30)",
        MEMORY,
        Limit.MEMORY,
    ),
    "processes hold too much memory and fork all the time": (
        "import os\nos.fork()\nx = b'x' * (200 << 20)\n"
        "while True:\n"
        "  if os.fork() == 0: os._exit(0)\n"
        "  os.wait()",
        MEMORY,
        Limit.MEMORY,
    ),
    "processes hold too much memory and hide it in children": (
        "import os, time\nos.fork()\nx = b'x' * (200 << 20)\nalive = 0\n"
        "while True:\n"
        "  if os.fork() == 0: time.sleep(0.03); os._exit(0)\n"
        "  alive += 1\n"
        "  if alive > 5: os.wait(); alive -= 1",
        MEMORY,
        Limit.MEMORY,
    ),
    "memory that could be shared, which no limit of a process bounds": (
        "import mmap, time\n"
        "keep = [mmap.mmap(-1, 60 << 20) for _ in range(8)]\n"
        "for x in keep: x.write(b'x' * (60 << 20))\n"
        "time.sleep(30)",
        MEMORY,
        Limit.MEMORY,
    ),
    "files in memory count as memory": (
        "import time\nopen('/tmp/x', 'wb').write(b'x' * (150 << 20))\n"
        "x = b'x' * (200 << 20)\ntime.sleep(30)",
        MEMORY,
        Limit.MEMORY,
    ),
    "a fork bomb": ("import os\nwhile True:\n  os.fork()", PROCESSES, Limit.PROCESSES),
    "a fork bomb that hears no": (
        "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass",
        PROCESSES,
        Limit.PROCESSES,
    ),
    "many sleeping processes": (
        _FORK + "for _ in range(100): child(lambda: None)\ntime.sleep(30)",
        PROCESSES,
        Limit.PROCESSES,
    ),
    "many threads": (
        "import threading, time\n"
        "for _ in range(45): threading.Thread(target=time.sleep, args=(30,)).start()",
        PROCESSES,
        Limit.PROCESSES,
    ),
    "one process uses the processor": (
        "while True: pass",
        Limits(cpu_seconds=1, wall_seconds=20),
        Limit.CPU_TIME,
    ),
    "one process uses the processor and hears no": (
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
        Limits(cpu_seconds=1, wall_seconds=20),
        Limit.CPU_TIME,
    ),
    "many processes use the processor, none too much": (
        _FORK + "def spin():\n"
        "  while time.process_time() < 0.5: pass\n"
        "for _ in range(8): child(spin)\n"
        "time.sleep(30)",
        Limits(cpu_seconds=2, wall_seconds=20),
        Limit.CPU_TIME,
    ),
    "one process after the other uses the processor": (
        "import os, time\n"
        "while True:\n"
        "  if os.fork() == 0:\n"
        "    while time.process_time() < 0.3: pass\n"
        "    os._exit(0)\n"
        "  os.wait()",
        Limits(cpu_seconds=1, wall_seconds=20),
        Limit.CPU_TIME,
    ),
    "a file of 10 GB": (
        "f = open('x', 'wb')\nfor _ in range(10_000): f.write(b'x' * 1_000_000)",
        Limits(file_bytes=32 * MEBIBYTE),
        Limit.FILE_SIZE,
    ),
    "a sparse file of 10 GB": (
        "open('x', 'wb').truncate(10 << 30)",
        Limits(file_bytes=32 * MEBIBYTE),
        Limit.FILE_SIZE,
    ),
    "many files fill the disk, none too large": (
        "import time\nfor n in range(100): open(str(n), 'wb').write(b'x' * (4 << 20))\n"
        "time.sleep(30)",
        DISK,
        Limit.DISK,
    ),
    "files without a name fill the disk": (
        "import os, time\nkeep = []\nfor _ in range(30):\n"
        "  keep.append(open('x', 'wb')); os.unlink('x'); keep[-1].write(b'x' * (4 << 20))\n"
        "time.sleep(30)",
        DISK,
        Limit.DISK,
    ),
    "files in closed folders fill the disk": (
        "import os, time\nos.mkdir('d')\nos.chmod('d', 0o300)\nos.chmod('.', 0o300)\n"
        "for n in range(30): open(f'd/{n}', 'wb').write(b'x' * (4 << 20))\n"
        "time.sleep(30)",
        DISK,
        Limit.DISK,
    ),
    "the temporary folder is full": (
        f"open('/tmp/x', 'wb').write(b'x' * {TEMPORARY_BYTES + MEBIBYTE})",
        Limits(),
        Limit.DISK,
    ),
    "100,000 files": (
        "for n in range(100_000): open(str(n), 'w').close()",
        Limits(),
        Limit.FILES,
    ),
    "more files than it may, made too quickly to be noticed": (
        "for n in range(50): open(str(n), 'w').close()",
        Limits(files=40),
        Limit.FILES,
    ),
    "too much on the disk, written too quickly to be noticed": (
        "open('x', 'wb').write(b'x' * (2 << 20))",
        Limits(disk_bytes=MEBIBYTE),
        Limit.DISK,
    ),
    "100,000 files in memory": (
        "for n in range(100_000): open(f'/tmp/{n}', 'w').close()\nimport time; time.sleep(30)",
        Limits(wall_seconds=20),
        Limit.FILES,
    ),
    "folders too deep to be walked": (
        "import os, time\nfor _ in range(200): os.mkdir('d'); os.chdir('d')\ntime.sleep(30)",
        Limits(wall_seconds=20),
        Limit.FILES,
    ),
    "folders too deep to be walked, made too quickly to be noticed": (
        "import os\nfor _ in range(2000): os.mkdir('d'); os.chdir('d')",
        Limits(),
        Limit.FILES,
    ),
    "endless printing": (
        "while True: print('x' * 10_000)",
        Limits(printed_bytes=MEBIBYTE),
        Limit.PRINTED,
    ),
    "endless printing on both streams": (
        "import sys\nwhile True: print('x' * 10_000); print('x' * 10_000, file=sys.stderr)",
        Limits(printed_bytes=MEBIBYTE),
        Limit.PRINTED,
    ),
    "a hang": ("import time\ntime.sleep(60)", Limits(wall_seconds=0.3), Limit.WALL_TIME),
    "a hang that hears no": (
        "import signal, time\n"
        "for n in set(signal.Signals) - {9, 19}: signal.signal(n, signal.SIG_IGN)\n"
        "time.sleep(60)",
        Limits(wall_seconds=0.5),
        Limit.WALL_TIME,
    ),
}


@pytest.mark.parametrize("abuse", ABUSES)
async def test_an_abuse_ends_in_its_limit(bench: Bench, abuse: str) -> None:
    source, limits, limit = ABUSES[abuse]
    ended, seconds = await _run_marked(bench, source, limits)
    assert ended.limit is limit
    assert not ended.ok
    assert seconds < allowed(15)


async def _run_marked(bench: Bench, source: str, limits: Limits) -> tuple[Exit, float]:
    """Run it, and look at once for what it left running."""
    word = mark()
    started = time.monotonic()
    ended = await bench.python(f"{source}\n# {word}", limits=limits)
    seconds = time.monotonic() - started
    assert alive(word) == []
    return ended, seconds


async def test_memory_that_processes_share_is_counted_once(bench: Bench) -> None:
    long_enough_to_be_seen = min(allowed(1), 10)  # The watchdog has its turn, too.
    source = (
        _FORK + "x = b'x' * (150 << 20)\nfor _ in range(6): child(lambda: None)\n"
        f"time.sleep({long_enough_to_be_seen})"
    )
    ended, _ = await _run_marked(bench, source, MEMORY)
    assert ended.ok
    assert ended.peak_memory_bytes is not None
    assert 150 * MEBIBYTE < ended.peak_memory_bytes < 300 * MEBIBYTE


async def test_memory_shared_by_processes_that_come_and_go_is_counted_once(bench: Bench) -> None:
    source = (
        "import os, random, time\nx = b'x' * (150 << 20)\nalive = 0\n"
        "end = time.monotonic() + 1.5\n"
        "while time.monotonic() < end:\n"
        "  while alive < 6:\n"
        "    if os.fork() == 0: time.sleep(random.random() / 20); os._exit(0)\n"
        "    alive += 1\n"
        "  os.wait(); alive -= 1"
    )
    ended, _ = await _run_marked(bench, source, MEMORY)
    assert ended.ok
    assert ended.peak_memory_bytes is not None
    assert ended.peak_memory_bytes < 300 * MEBIBYTE


async def test_a_hard_link_counts_once(bench: Bench) -> None:
    source = (
        "import os, time\nopen('x', 'wb').write(b'x' * (4 << 20))\n"
        "for n in range(100): os.link('x', str(n))\ntime.sleep(0.5)"
    )
    assert (await _run_marked(bench, source, DISK))[0].ok


async def test_a_job_within_its_limits_hears_nothing_of_them(bench: Bench) -> None:
    limits = Limits(
        wall_seconds=10,
        cpu_seconds=5,
        memory_bytes=200 * MEBIBYTE,
        processes=10,
        printed_bytes=3,
        disk_bytes=8 * MEBIBYTE,
        files=4,
        file_bytes=MEBIBYTE,
    )
    script = "for i in 1 2 3 4; do head -c 1M /dev/zero > $i; done; sleep 0.3; echo ok"
    ended = await bench.shell(script, limits=limits)
    assert (ended.code, ended.limit, bench.stdout) == (0, None, "ok\n")


async def test_a_failure_that_is_no_limits_fault_names_none(bench: Bench) -> None:
    ended = await bench.shell("echo 'disk full, out of memory' >&2; exit 1")
    assert (ended.code, ended.limit) == (1, None)


@pytest.mark.parametrize("network", [False, True])
async def test_the_kernel_bounds_each_process_as_well(bench: Bench, network: bool) -> None:
    """The watchdog looks ten times a second; what is quicker than that meets these."""
    limits = Limits(memory_bytes=300 * MEBIBYTE, open_files=64, processes=40)
    assert (await bench.shell("cat /proc/self/limits", limits=limits, network=network)).ok
    bounds = {line[:26].strip(): line[26:].split()[0] for line in bench.stdout.splitlines()}
    assert 300 * MEBIBYTE < int(bounds["Max data size"]) <= 400 * MEBIBYTE
    assert int(bounds["Max open files"]) == 64
    assert 40 < int(bounds["Max processes"]) <= 50


async def test_a_job_may_have_a_limit_of_very_few_open_files(bench: Bench) -> None:
    assert (await bench.shell("true", limits=Limits(open_files=8))).ok


async def test_a_limit_over_the_workers_own_is_brought_down_to_it(bench: Bench) -> None:
    ended = await bench.shell("true", limits=Limits(open_files=2**40, memory_bytes=2**60))
    assert ended.ok
