"""Sandboxes that wait for jobs: when there are some, and what becomes of them."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from activities.sandbox.base import Job, Limit, Limits, Stream
from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.interpreter import sandbox_python
from activities.sandbox.warm_folders import MAX_BYTES, MAX_FILES
from activities.tidying import tidy
from activities.units import MEBIBYTE
from tests.folders import nest
from tests.integration.activities.sandbox.warm_jobs import Jobs, own_waiting
from tests.integration.sandboxes import open_folder
from tests.pressure import allowed
from tests.security.processes import outer, running, until
from workflows.errors import BadInput
from workflows.errors.scripts import SandboxUnavailable

AT_MOST = 2


@pytest.fixture
async def jobs() -> AsyncIterator[Jobs]:
    with open_folder() as folder:
        sandbox = Bubblewrap(folder / "work", warm=AT_MOST)
        yield Jobs(sandbox, folder)
        await sandbox.close()


def ours() -> list[int]:
    return own_waiting(os.getpid())


async def test_the_first_job_starts_its_sandbox_and_those_after_it_find_one(jobs: Jobs) -> None:
    assert [(await jobs.shell()).was_warm for _ in range(4)] == [False, True, True, True]


async def test_a_sandbox_may_wait_before_the_first_job(jobs: Jobs) -> None:
    await jobs.warm_up()
    assert (await jobs.shell()).was_warm


async def test_none_waits_where_none_may() -> None:
    with open_folder() as folder:
        jobs = Jobs(Bubblewrap(folder / "work", warm=0), folder)
        await jobs.warm_up()
        assert [(await jobs.shell()).was_warm for _ in range(2)] == [False, False]
        assert not (folder / "work" / "warm").exists()
        await jobs.sandbox.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has jobs run as other users")
async def test_one_waits_in_a_work_folder_that_is_closed_to_its_user() -> None:
    with open_folder() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        jobs = Jobs(Bubblewrap(closed / "work", warm=1), closed / "work")
        await jobs.warm_up()
        ended = await jobs.python("open('made', 'w').write('x')")
        assert (ended.ok, ended.was_warm) == (True, True)
        assert (jobs.output / "made").read_text() == "x"
        await jobs.sandbox.close()


async def test_each_serves_one_job(jobs: Jobs) -> None:
    await jobs.warm_up()
    seen = set()
    for _ in range(5):
        assert (await jobs.shell("readlink /proc/self/ns/pid")).was_warm
        seen.add(tuple(jobs.printed.values()))
    assert len(seen) == 5


async def test_jobs_at_once_never_share_one(jobs: Jobs) -> None:
    await jobs.warm_up()
    folders = [jobs.folder / str(number) for number in range(8)]
    for folder in folders:
        folder.mkdir()
    command = ("/bin/sh", "-c", "readlink /proc/self/ns/pid > ns; sleep 0.2")
    run = jobs.sandbox.run
    await asyncio.gather(*(run(Job(command, folder), lambda *_: None) for folder in folders))
    assert len({(folder / "ns").read_text() for folder in folders}) == 8


async def test_no_more_wait_than_may() -> None:
    with open_folder() as folder:
        work = folder / "work"  # Others may keep the processors of this machine busy.
        sandbox = Bubblewrap(work, warm=AT_MOST, are_taken=lambda _: False)
        try:
            await _never_more_wait_than_may(Jobs(sandbox, folder))
        finally:
            await sandbox.close()


async def _never_more_wait_than_may(jobs: Jobs) -> None:
    await jobs.warm_up()
    begun = [asyncio.create_task(_sleep(jobs, number)) for number in range(6)]
    await until(lambda: len(list(jobs.folder.glob("begun-*/begun"))) + len(_in_folders(jobs)) > 5)
    await until(lambda: len(_not_given(jobs)) == AT_MOST)
    await asyncio.sleep(0.2)
    assert len(_not_given(jobs)) == AT_MOST
    for task in begun:
        task.cancel()
    await asyncio.wait(begun)


async def test_none_is_started_while_jobs_keep_all_processors_busy(jobs: Jobs) -> None:
    spinning = 2 * max(2, len(os.sched_getaffinity(0)))
    begun = [
        asyncio.create_task(_begin(jobs, number, "while :; do :; done"))
        for number in range(spinning)
    ]
    await until(
        lambda: len(list(jobs.folder.glob("begun-*/begun"))) + len(_in_folders(jobs)) == spinning
    )
    await jobs.warm_up(Limits(processes=16))  # Those that wait have other bounds, and end.
    await until(lambda: not _not_given(jobs))
    await asyncio.sleep(0.3)
    assert not _not_given(jobs)
    for task in begun:
        task.cancel()
    await asyncio.wait(begun)
    await until(lambda: len(_not_given(jobs)) == 1)
    assert (await jobs.shell(limits=Limits(processes=16))).was_warm


async def _sleep(jobs: Jobs, number: int) -> None:
    await _begin(jobs, number, "sleep 60")


async def _begin(jobs: Jobs, number: int, script: str) -> None:
    output = jobs.folder / f"begun-{number}"
    output.mkdir()
    await jobs.sandbox.run(Job(("/bin/sh", "-c", f"touch begun; {script}"), output), print)


def _in_folders(jobs: Jobs) -> list[Path]:
    """Jobs that have begun in sandboxes which waited for them."""
    return list((jobs.folder / "work" / "warm").glob("*/*/output/begun"))


def _not_given(jobs: Jobs) -> list[Path]:
    folders = (jobs.folder / "work" / "warm").glob("*/*/output")
    return [folder for folder in folders if not (folder / "begun").exists()]


# --- What is started anew ---


async def test_a_job_with_other_bounds_gets_none_that_was_made_for_these(jobs: Jobs) -> None:
    await jobs.warm_up()
    for change in (
        {"memory_bytes": 512 * MEBIBYTE},
        {"processes": 16},
        {"file_bytes": MEBIBYTE},
        {"open_files": 64},
    ):
        limits = replace(Limits(), **change)  # type: ignore[arg-type]
        assert not (await jobs.shell(limits=limits)).was_warm
        assert (await jobs.shell("ulimit -a", limits=limits)).was_warm


async def test_times_are_bounded_when_the_job_has_come(jobs: Jobs) -> None:
    await jobs.warm_up()
    limits = Limits(wall_seconds=0.5)
    ended = await jobs.shell("sleep 60", limits=limits)
    assert (ended.was_warm, ended.limit) == (True, Limit.WALL_TIME)
    ended = await jobs.python("while True: pass", limits=Limits(cpu_seconds=1))
    assert (ended.was_warm, ended.limit) == (True, Limit.CPU_TIME)


@pytest.mark.parametrize("reason", ["network", "venv", "interpreter", "output"])
async def test_what_a_waiting_sandbox_cannot_have_is_started_with_one_that_can(
    jobs: Jobs, reason: str
) -> None:
    await jobs.warm_up()
    if reason == "output":
        output = jobs.folder / "full"
        output.mkdir()
        (output / "before").touch()
        ended = await jobs.sandbox.run(Job(("rm", "before"), output), print)
    else:
        venv = jobs.folder / "venv"
        venv.mkdir()
        options = {"network": True, "venv": venv, "interpreter": sandbox_python()}
        ended = await jobs.shell(**{reason: options[reason]})
    assert (ended.ok, ended.was_warm) == (True, False)
    assert (await jobs.shell()).was_warm


async def test_what_a_job_is_given_looks_as_where_it_is_mounted(jobs: Jobs) -> None:
    skill = jobs.folder / "skill"
    (skill / "scripts").mkdir(parents=True)
    (skill / "scripts" / "run.sh").write_text("echo run")
    (skill / "scripts" / "run.sh").chmod(0o755)
    (skill / "scripts" / "link").symlink_to("run.sh")
    (skill / "empty").touch(mode=0o644)
    data = jobs.folder / "data"
    data.write_bytes(bytes(range(256)))
    for path in (data, *skill.rglob("*"), skill):
        os.utime(path, (1, 1_600_000_000.5), follow_symlinks=False)
    look = (
        "cd /; find skills/same workspace/input/* -printf '%p %M %T@ %l\\n' | sort; "
        "md5sum workspace/input/data; /skills/same/scripts/run.sh"
    )
    printed = []
    for is_warm in (False, True):
        ended = await jobs.shell(look, inputs={"data": data}, skills={"same": skill})
        assert (ended.ok, ended.was_warm) == (True, is_warm)
        printed.append(jobs.printed)
    assert printed[0] == printed[1]


@pytest.mark.parametrize("reason", ["files", "bytes", "a setuid file", "a named pipe"])
async def test_what_is_not_copied_in_a_moment_is_mounted(jobs: Jobs, reason: str) -> None:
    skill = jobs.folder / "skill"
    skill.mkdir(mode=0o755)
    (skill / "first").write_text("content")
    if reason == "files":
        for number in range(MAX_FILES - 1):
            (skill / str(number)).touch(mode=0o644)
    elif reason == "bytes":
        (skill / "large").write_bytes(bytes(MAX_BYTES))
    elif reason == "a setuid file":
        (skill / "first").chmod(0o4755)
    else:
        os.mkfifo(skill / "pipe")
    await jobs.warm_up()
    ended = await jobs.shell("cat /skills/odd/first; echo", skills={"odd": skill})
    assert (ended.ok, ended.was_warm) == (True, False)
    assert "content\n" in jobs.printed.values()
    assert (await jobs.shell()).was_warm


async def test_as_much_as_is_copied_in_a_moment_comes_to_a_waiting_one(jobs: Jobs) -> None:
    await jobs.warm_up()
    large = jobs.folder / "large"
    large.write_bytes(os.urandom(MAX_BYTES))
    ended = await jobs.shell("cat /workspace/input/data > made", inputs={"data": large})
    assert (ended.ok, ended.was_warm) == (True, True)
    assert (jobs.output / "made").read_bytes() == large.read_bytes()


async def test_an_input_that_is_a_link_is_mounted(jobs: Jobs) -> None:
    await jobs.warm_up()
    file, link = jobs.folder / "file", jobs.folder / "link"
    file.write_text("content")
    link.symlink_to(file)
    ended = await jobs.shell("cat /workspace/input/data; echo", inputs={"data": link})
    assert (ended.ok, ended.was_warm) == (True, False)
    assert "content\n" in jobs.printed.values()


async def test_a_job_with_more_words_than_a_pipe_holds_is_run(jobs: Jobs) -> None:
    await jobs.warm_up()
    ended = await jobs.shell("echo ${#LONG}", environment={"LONG": "x" * 100_000})
    assert (ended.ok, ended.was_warm) == (True, False)
    assert "100000\n" in jobs.printed.values()


async def test_what_is_wrong_with_a_job_is_told_as_where_none_waits(jobs: Jobs) -> None:
    await jobs.warm_up()
    gone = Job(("true",), jobs.folder / "gone")
    with pytest.raises(SandboxUnavailable, match="gone is not there"):
        await jobs.sandbox.run(gone, print)
    with pytest.raises(SandboxUnavailable, match="gone is not there"):
        await jobs.shell(inputs={"data": jobs.folder / "gone"})
    assert (await jobs.shell()).was_warm


# --- When something is amiss ---


async def test_one_that_has_died_while_it_waited_is_passed_over(jobs: Jobs) -> None:
    await jobs.warm_up()
    await until(ours)
    [pid] = ours()
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not running([pid]))
    assert (await jobs.shell()).ok
    assert (await jobs.shell()).was_warm


async def test_one_whose_death_nobody_has_heard_of_is_passed_over(jobs: Jobs) -> None:
    await jobs.warm_up()
    await until(ours)
    [pid] = ours()
    around = outer(pid)
    os.kill(pid, signal.SIGKILL)
    while running([pid, around]):  # The event loop hears of nothing meanwhile.
        pass
    ended = await jobs.shell()
    assert (ended.ok, ended.was_warm) == (True, False)


async def test_one_that_dies_before_its_script_begins_costs_the_job_nothing(jobs: Jobs) -> None:
    """Its bwrap lives on for a moment, and takes what the interpreter would be told."""
    for wait in (0.0, 0.0005, 0.001) * 2:
        await jobs.warm_up()
        await until(ours)
        os.kill(ours()[0], signal.SIGKILL)
        end = time.monotonic() + wait
        while time.monotonic() < end:  # The event loop hears of nothing meanwhile.
            pass
        ended = await jobs.python("print('once'); open('made', 'a').write('x')")
        assert (ended.ok, ended.signal) == (True, None)
        assert jobs.printed == {Stream.STDOUT: "once\n", Stream.STDERR: ""}
        assert (jobs.output / "made").read_text() == "x"


@pytest.mark.parametrize("end", ["os._exit(1)", "os.kill(os.getpid(), 9)"])
async def test_a_script_that_has_begun_is_never_run_again(jobs: Jobs, end: str) -> None:
    await jobs.warm_up()
    ended = await jobs.python(f"import os; print('once', flush=True); {end}")
    assert ended.was_warm
    assert jobs.printed[Stream.STDOUT] == "once\n"


async def test_what_comes_into_the_output_meanwhile_stays_beside_what_the_job_makes(
    jobs: Jobs,
) -> None:
    await jobs.warm_up()
    job = asyncio.create_task(jobs.shell("mkdir made; echo 1 > made/one; echo 2 > two; sleep 0.3"))
    await until(lambda: _made(jobs, "two"))
    (jobs.output / "beside").write_text("x")
    ended = await job
    assert (ended.ok, ended.was_warm) == (True, True)
    assert sorted(path.name for path in jobs.output.rglob("*")) == ["beside", "made", "one", "two"]


def _made(jobs: Jobs, name: str) -> list[Path]:
    return [*(jobs.folder / "work" / "warm").glob(f"*/*/output/{name}")]


async def test_one_whose_folders_are_gone_is_passed_over(jobs: Jobs) -> None:
    await jobs.warm_up()
    [folder] = (jobs.folder / "work" / "warm").glob("*/*/output")
    folder.rmdir()
    ended = await jobs.shell("echo x > made")
    assert (ended.ok, ended.was_warm) == (True, False)
    assert (jobs.output / "made").exists()


async def test_where_none_can_be_made_to_wait_jobs_start_their_own(jobs: Jobs) -> None:
    assert (await jobs.shell()).ok
    [own] = (jobs.folder / "work" / "warm").iterdir()
    await until(lambda: len(list(own.iterdir())) == AT_MOST)
    own.rename(jobs.folder / "elsewhere")
    for _ in range(3):
        assert (await jobs.shell("echo x > made")).ok
        assert (jobs.output / "made").exists()


@pytest.mark.parametrize("removed", ["warm", "warm/*", "etc"])
async def test_what_somebody_has_removed_is_made_anew(jobs: Jobs, removed: str) -> None:
    await jobs.warm_up()
    for path in (jobs.folder / "work").glob(removed):
        shutil.rmtree(path)
    assert (await jobs.shell("echo x > made; cat /etc/hosts")).ok
    assert (jobs.output / "made").exists()
    await jobs.warm_up()
    assert (await jobs.shell("cat /etc/hosts")).was_warm


@pytest.mark.parametrize("at", ["warm", "warm/core"])
async def test_a_stray_file_among_what_is_prepared_breaks_no_job(jobs: Jobs, at: str) -> None:
    stray = jobs.folder / "work" / at
    stray.parent.mkdir(parents=True)
    stray.write_text("stray")
    tidy(jobs.folder / "work", None)
    await jobs.shell()
    descriptors = _descriptors()
    for _ in range(3):
        ended = await jobs.shell("echo x > made")
        assert (ended.ok, ended.was_warm) == (True, at != "warm")
        assert (jobs.output / "made").exists()
    if at == "warm":
        assert _descriptors() == descriptors
    stray.unlink()
    await jobs.warm_up()
    assert (await jobs.shell()).was_warm


def _descriptors() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


async def test_a_machine_is_looked_at_once_whoever_is_cancelled_meanwhile() -> None:
    looks = []

    def look() -> None:
        looks.append(time.monotonic())
        time.sleep(0.2)

    with open_folder() as folder:
        jobs = Jobs(Bubblewrap(folder / "work", cgroups=look, warm=1), folder)
        first = asyncio.create_task(jobs.shell())
        await until(lambda: looks)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await jobs.shell()).ok
        assert len(looks) == 1
        await jobs.sandbox.close()


async def test_a_job_that_makes_no_sense_costs_no_place(jobs: Jobs) -> None:
    for _ in range(2 * AT_MOST):
        await jobs.warm_up()
        with pytest.raises(BadInput):
            await jobs.shell(environment={"A=B": "c"})
        with pytest.raises(BadInput, match="half a character"):
            await jobs.run("echo", "\ud800")
        with pytest.raises(BadInput, match="half a character"):
            await jobs.shell(environment={"A": "\ud800"})
    await jobs.warm_up()
    assert (await jobs.shell()).was_warm
    await until(lambda: len(ours()) == AT_MOST)


@pytest.mark.parametrize("milliseconds", [0, 1, 3, 10, 30])
async def test_a_cancellation_at_any_time_leaves_nothing(jobs: Jobs, milliseconds: int) -> None:
    for _ in range(4):
        await jobs.warm_up()
        job = asyncio.create_task(jobs.shell("echo x > made; sleep 60"))
        await asyncio.sleep(milliseconds / 1_000)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
    await until(lambda: len(list((jobs.folder / "work" / "warm").glob("*/*"))) == len(ours()) <= 2)
    assert (await jobs.shell()).ok


# --- Their end ---


async def test_they_end_when_no_job_has_come_for_a_while() -> None:
    with open_folder() as folder:
        jobs = Jobs(Bubblewrap(folder / "work", warm=AT_MOST, idle_seconds=0.5), folder)
        await jobs.warm_up()
        assert list((folder / "work" / "warm").glob("*/*"))
        await until(lambda: not list((folder / "work" / "warm").glob("*/*")))
        assert ours() == []
        assert not (await jobs.shell()).was_warm
        await jobs.sandbox.close()


async def test_none_outlives_the_worker_s_end(jobs: Jobs) -> None:
    await jobs.warm_up()
    await jobs.shell()
    await until(ours)
    pids = ours()
    await jobs.sandbox.close()
    assert running(pids) == []
    assert list((jobs.folder / "work" / "warm").iterdir()) == []


_WORKER = """
import asyncio, sys
from pathlib import Path
from activities.sandbox.base import Job, Limits
from activities.sandbox.bubblewrap import Bubblewrap

async def main():
    folder = Path(sys.argv[1])
    sandbox = Bubblewrap(folder / "work", warm=3)
    await sandbox.warm_up(Limits())
    (folder / "output").mkdir()
    job = Job(("/bin/sh", "-c", "touch made; echo begun; sleep 60"), folder / "output")
    await sandbox.run(job, lambda *_: print("begun", flush=True))

asyncio.run(main())
"""


def _worker(folder: Path) -> "subprocess.Popen[bytes]":
    """One that runs a job in a sandbox which waited for it, and has others wait."""
    command = [sys.executable, "-c", _WORKER, str(folder)]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"begun\n"
    return worker


_ONE = """
import asyncio, sys
from pathlib import Path
from activities.sandbox.base import Job, Limits
from activities.sandbox.bubblewrap import Bubblewrap

async def main():
    folder = Path(sys.argv[1])
    (folder / "output").mkdir()
    sandbox = Bubblewrap(folder / "work", warm=1)
    await sandbox.warm_up(Limits())
    ended = await sandbox.run(Job(("touch", "made"), folder / "output"), print)
    print(ended.ok, ended.was_warm, (folder / "output" / "made").exists())
    await sandbox.close()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    "wrapper",
    [
        ["prlimit", "--cpu=600"],
        pytest.param(
            ["unshare", "--user", "--map-user=1000", "--map-group=1000"],
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="is an ordinary user anyway"),
        ),
    ],
    ids=["whose own processor time is bounded", "that is an ordinary user"],
)
async def test_one_waits_for_the_job_of_a_worker(wrapper: list[str]) -> None:
    with open_folder() as folder:
        command = [*wrapper, sys.executable, "-c", _ONE, str(folder)]
        told = await asyncio.to_thread(subprocess.check_output, command, text=True)
        assert told == "True True True\n"


async def test_a_killed_worker_takes_those_that_wait_with_it() -> None:
    with open_folder() as folder:
        worker = await asyncio.to_thread(_worker, folder)
        await until(lambda: len(own_waiting(worker.pid)) >= 2)
        pids = own_waiting(worker.pid)
        worker.kill()
        await asyncio.to_thread(worker.communicate)
        assert await until(lambda: not running(pids)) < allowed(1)


async def test_folders_that_a_killed_worker_left_are_removed_while_others_work(jobs: Jobs) -> None:
    await jobs.warm_up()
    worker = await asyncio.to_thread(_worker, jobs.folder)
    worker.kill()
    await asyncio.to_thread(worker.communicate)
    [made] = (jobs.folder / "work" / "warm").glob("*/*/output/made")
    nest(made.parent, 1_500)  # As a job may within moments.
    await asyncio.to_thread(tidy, jobs.folder / "work", None)
    assert not made.parents[2].exists()
    assert (await jobs.shell()).was_warm


async def test_folders_of_a_worker_that_lives_are_let_be(jobs: Jobs) -> None:
    await jobs.warm_up()
    other = Bubblewrap(jobs.folder / "work", warm=AT_MOST)
    await other.warm_up(Limits())
    assert len(list((jobs.folder / "work" / "warm").iterdir())) == 2
    await other.close()
    ended = await jobs.shell("echo x > made")
    assert (ended.ok, ended.was_warm) == (True, True)
