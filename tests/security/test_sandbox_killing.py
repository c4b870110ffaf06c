"""However a job in bubblewrap ends, nothing of it stays alive."""

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from activities.sandbox import orphans
from activities.sandbox.base import Job, Limit, Limits, Stream
from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.host import host_for_trial
from activities.sandbox.interpreter import sandbox_python
from activities.sandbox.launch import launch
from activities.sandbox.processes import Process
from activities.sandbox.profile import trial_arguments
from activities.sandbox.seccomp import program
from tests.integration.sandboxes import Bench, open_folder
from tests.pressure import allowed
from tests.security.processes import alive, children, inside, mark, outer, parent, running, until
from workflows.errors import TemporaryFailure
from workflows.errors.scripts import SandboxKilled

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
_UID = 61_500
_TRIES = 50
_FEW_FILES = 256

# Leaves its parent, its session and its streams, and forks for good measure.
_DAEMON = """
import os, time
def detach():
    if os.fork(): return False
    os.setsid()
    if os.fork(): os._exit(0)
    for descriptor in range(3): os.close(descriptor)
    return True
for _ in range(3):
    if detach():
        while True: time.sleep(0.01)
"""


@pytest.mark.parametrize("milliseconds", [tries / 3 for tries in range(60)])
async def test_a_cancellation_at_any_time_leaves_no_orphan(
    bench: Bench, milliseconds: float
) -> None:
    word = mark()
    job = asyncio.create_task(bench.shell(f"sleep 60; : {word}"))
    await asyncio.sleep(milliseconds / 1000)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert alive(word) == []


async def test_a_cancellation_kills_daemons_within_a_second(bench: Bench) -> None:
    word = mark()
    source = f"{_DAEMON}\nprint('ready', flush=True)\ntime.sleep(60)\n# {word}"
    job = asyncio.create_task(bench.python(source))
    # The daemons come into being by themselves: a look in the midst of that may miss one.
    await until(lambda: bench.stdout and len(inside(word)) == 4)
    pids = alive(word)
    started = time.monotonic()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert running(pids) == []
    assert time.monotonic() - started < allowed(1)
    assert alive(word) == []


async def test_a_second_cancellation_does_not_cut_the_first_short(bench: Bench) -> None:
    word = mark()
    job = asyncio.create_task(bench.python(f"{_DAEMON}\ntime.sleep(60)\n# {word}"))
    await until(lambda: len(inside(word)) == 4)
    pids = alive(word)
    while not job.done():
        job.cancel()
        await asyncio.sleep(0)
    assert running(pids) == []
    assert job.cancelled()


async def test_daemons_do_not_outlive_the_command(bench: Bench) -> None:
    word = mark()
    # With much memory to give back, dying takes long enough to be seen.
    waiting = "while not os.path.exists('go'): time.sleep(0.01)"
    script = f"hold = b'x' * (300 << 20)\n{_DAEMON}\n{waiting}\n# {word}"
    job = asyncio.create_task(bench.python(script))
    await until(lambda: len(inside(word)) == 4)
    pids = alive(word)
    Path(f"/proc/{inside(word)[0]}/cwd/go").touch()
    assert (await job).ok
    assert running(pids) == []
    assert alive(word) == []


async def test_daemons_do_not_outlive_a_limit(bench: Bench) -> None:
    word = mark()
    source = f"{_DAEMON}\ntime.sleep(60)\n# {word}"
    ended = await bench.python(source, limits=Limits(wall_seconds=0.5))
    assert ended.limit is Limit.WALL_TIME
    assert alive(word) == []


async def test_a_listener_that_raises_leaves_nothing_alive(bench: Bench) -> None:
    word = mark()

    def listen(stream: Stream, piece: bytes) -> None:
        raise LookupError

    command = ("/bin/sh", "-c", f"echo x; sleep 60; : {word}")
    with pytest.raises(LookupError):
        await bench.sandbox.run(Job(command, bench.output), listen)
    assert alive(word) == []


async def test_a_job_that_closes_its_streams_is_waited_for(bench: Bench) -> None:
    ended = await bench.shell("exec >&- 2>&-; sleep 0.2; exit 3")
    assert ended.code == 3
    assert ended.duration_ms >= 200


async def test_a_sandbox_that_is_killed_from_outside_is_tried_again_and_not_blamed_on_the_machine(
    bench: Bench,
) -> None:
    word = mark()
    job = asyncio.create_task(bench.shell(f"echo began >&2; sleep 60; : {word}"))
    await until(lambda: bench.stderr == "began\n")
    os.kill(outer(alive(word)[0]), signal.SIGKILL)
    with pytest.raises(SandboxKilled, match="signal 9") as caught:
        await job
    assert caught.value.retryable
    assert alive(word) == []


async def test_a_sandbox_that_is_killed_before_its_job_begins_is_tried_again() -> None:
    others = _inner_ones()  # They wait for other tests.
    with open_folder() as folder:
        bench = Bench(Bubblewrap(folder), folder)
        for _ in range(_TRIES):  # A busy machine lets some jobs begin before that.
            job = asyncio.create_task(bench.shell("sleep 60"))
            while not (ours := _inner_ones() - others):
                await asyncio.sleep(0)
            os.kill(ours.pop(), signal.SIGKILL)
            await asyncio.wait({job})
            if (error := job.exception()) is not None:
                break
        await bench.sandbox.close()
    assert isinstance(error, SandboxKilled)
    assert error.retryable
    assert "signal 9" in str(error)
    assert _inner_ones() == others


async def test_a_sandbox_that_cannot_be_watched_is_killed_and_tried_again() -> None:
    with contextlib.closing(host_for_trial(None)) as host, contextlib.ExitStack() as taken:
        process = Process(
            launch(
                host.bwrap,
                [*host.system(None), *trial_arguments()],
                ["sleep", "60"],
                mark=mark(),
                files=host.files(None),
                seccomp=program(is_watched=True),
                uid=None,
            )
        )
        bounds = resource.getrlimit(resource.RLIMIT_NOFILE)
        taken.callback(resource.setrlimit, resource.RLIMIT_NOFILE, bounds)
        resource.setrlimit(resource.RLIMIT_NOFILE, (_FEW_FILES, bounds[1]))
        with contextlib.suppress(OSError):
            while True:
                taken.callback(os.close, os.dup(0))
        await process.wait()
    await process.end()
    with pytest.raises(TemporaryFailure, match="cannot be watched") as caught:
        process.verify_watched()
    assert caught.value.retryable


def _inner_ones() -> set[int]:
    """The first processes of all sandboxes that we have started."""
    return {pid for child in children() for pid in children(child)}


_WORKER = """
import asyncio, sys
from pathlib import Path
from activities.sandbox.base import Job
from activities.sandbox.bubblewrap import Bubblewrap
folder = Path(sys.argv[1])
job = Job(("/bin/sh", "-c", f"echo started; sleep 60; : {sys.argv[2]}"), folder)
asyncio.run(Bubblewrap(folder.parent).run(job, lambda *_: print("started", flush=True)))
"""


async def test_a_killed_worker_takes_its_jobs_with_it() -> None:
    word = mark()
    with open_folder() as folder:
        output = folder / "output"
        output.mkdir()
        worker = subprocess.Popen(  # noqa: ASYNC220
            [sys.executable, "-c", _WORKER, str(output), word], stdout=subprocess.PIPE
        )
        assert worker.stdout is not None
        assert await asyncio.to_thread(worker.stdout.readline) == b"started\n"
        assert alive(word)
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        assert await until(lambda: not alive(word)) < allowed(1)


# Starts as many jobs as it can, each of which is known by a word, until it is killed.
_BUSY_WORKER = """
import asyncio, sys
from pathlib import Path
from activities.sandbox.base import Job
from activities.sandbox.bubblewrap import Bubblewrap
folder = Path(sys.argv[1])

async def main():
    sandbox, jobs = Bubblewrap(folder), []
    for number in range(1_000):
        output = folder / str(number)
        output.mkdir()
        job = Job(("/bin/sh", "-c", f"sleep 600; : {sys.argv[2]}"), output)
        jobs.append(asyncio.create_task(sandbox.run(job, print)))
        await asyncio.sleep(0.0005)
        print("started", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("jobs", [1, 2, 3, 5, 8, 13, 21])
async def test_a_worker_that_is_killed_while_it_starts_jobs_takes_them_with_it(jobs: int) -> None:
    """bwrap asks to die with its worker only some milliseconds after its start."""
    word = mark()
    with open_folder() as folder:
        worker = subprocess.Popen(  # noqa: ASYNC220
            [sys.executable, "-c", _BUSY_WORKER, str(folder), word], stdout=subprocess.PIPE
        )
        assert worker.stdout is not None
        for _ in range(jobs):
            assert await asyncio.to_thread(worker.stdout.readline) == b"started\n"
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        assert await until(lambda: not alive(word)) < allowed(1)
        await asyncio.sleep(0.2)  # One may just have been starting.
        assert await until(lambda: not alive(word)) < allowed(1)


async def test_a_warden_that_was_killed_is_replaced(bench: Bench) -> None:
    others = _wardens()
    sandbox = Bubblewrap(bench.folder / "work")
    job = Job(("true",), bench.output)
    assert (await sandbox.run(job, bench.record)).ok
    [first] = _wardens() - others
    os.kill(first, signal.SIGKILL)
    await until(lambda: running([first]) == [])
    assert (await sandbox.run(job, bench.record)).ok
    assert len(_wardens() - others - {first}) == 1
    await sandbox.close()


async def test_no_warden_outlives_its_sandbox(bench: Bench) -> None:
    others = _wardens()
    sandbox = Bubblewrap(bench.folder / "work")
    assert (await sandbox.run(Job(("true",), bench.output), bench.record)).ok
    [warden] = _wardens() - others
    await sandbox.close()
    assert running([warden]) == []


@as_root
async def test_a_neighbour_that_bears_its_mark_does_not_keep_a_warden_from_its_work() -> None:
    word = mark()
    sleep = [str(sandbox_python()), "-c", "import time; time.sleep(60)", word]
    neighbour = subprocess.Popen(sleep)  # noqa: ASYNC220
    orphan = subprocess.Popen(sleep, user=_UID)  # noqa: ASYNC220
    await until(lambda: len(alive(word)) == 2)
    read, write = os.pipe()
    os.close(write)
    source = Path(orphans.__file__).read_text()
    warden = [str(sandbox_python()), "-I", "-S", "-c", source, str(read), word]
    await asyncio.to_thread(subprocess.run, warden, user=_UID, pass_fds=(read,), check=True)
    os.close(read)
    assert running([neighbour.pid, orphan.pid]) == [neighbour.pid]
    neighbour.kill()
    neighbour.wait()
    orphan.wait()


def _wardens() -> set[int]:
    """Those of this process."""
    return {pid for pid in alive("orphans.py") if parent(pid) == os.getpid()}


@pytest.mark.parametrize("warm", [0, 2], ids=["cold", "warm"])
async def test_no_descriptor_and_no_zombie_is_left_behind(warm: int) -> None:
    assert await _run_script(_TIDY, warm) == "[]\n"


@pytest.mark.parametrize("warm", [0, 2], ids=["cold", "warm"])
async def test_a_worker_that_is_process_1_gathers_no_zombies(warm: int) -> None:
    """As in a container, where whatever loses its parent becomes ours."""
    unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if os.geteuid() != 0:
        unshare.append("--map-current-user")
    if await asyncio.to_thread(subprocess.call, [*unshare, "true"]) != 0:
        pytest.skip("no pid namespace can be made here")
    assert await _run_script(_TIDY, warm, *unshare) == "[]\n"


async def _run_script(source: str, warm: int, *wrapper: str) -> str:
    with open_folder() as folder:
        command = [*wrapper, sys.executable, "-c", source, str(folder), str(warm)]
        done = await asyncio.to_thread(
            subprocess.run, command, stdout=subprocess.PIPE, text=True, check=True
        )
    return done.stdout


# Prints the descriptors and children that jobs, ended and cancelled, have added.
_TIDY = """
import asyncio, os, sys
from pathlib import Path
from activities.sandbox.base import Job
from activities.sandbox.bubblewrap import Bubblewrap

def held():
    children = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == os.getpid():
            children.append(name)
    return {*os.listdir("/proc/self/fd"), *children}

async def main():
    output = Path(sys.argv[1], "output")
    output.mkdir()
    sandbox = Bubblewrap(output.parent, warm=int(sys.argv[2]))
    assert (await sandbox.run(Job(("true",), output), print)).ok
    before = held()
    for pause in range(0, 20, 2):
        assert (await sandbox.run(Job(("true",), output), print)).ok
        running = asyncio.create_task(sandbox.run(Job(("sleep", "60"), output), print))
        await asyncio.sleep(pause / 1000)
        running.cancel()
        await asyncio.wait({running})
    await sandbox.close()
    print(sorted(held() - before))

asyncio.run(main())
"""
