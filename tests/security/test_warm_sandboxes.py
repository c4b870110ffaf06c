"""A job in a sandbox that waited for it finds nothing of another job, and ends as it would in one
that was started for it."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from activities.sandbox.base import Job, Limit, Limits, Stream
from activities.sandbox.bubblewrap import Bubblewrap
from activities.units import MEBIBYTE
from tests.integration.activities.sandbox.warm_jobs import Jobs
from tests.integration.sandboxes import open_folder
from tests.security.processes import until


@asynccontextmanager
async def jobs(*, warm: int) -> AsyncIterator[Jobs]:
    with open_folder() as folder:
        sandbox = Bubblewrap(folder / "work", warm=warm)
        yield Jobs(sandbox, folder)
        await sandbox.close()


@pytest.fixture(scope="module")
async def warm() -> AsyncIterator[Jobs]:
    async with jobs(warm=1) as warm:
        yield warm


@pytest.fixture(scope="module")
async def cold() -> AsyncIterator[Jobs]:
    async with jobs(warm=0) as cold:
        yield cold


# Leaves something of itself wherever it can, and tells what it finds.
_PRESENCE = """
import os, shutil, subprocess, sys
here, found = "secret-of-a-job", []
found += [name for name in os.environ if here in name + os.environ[name]]
for top in ("/tmp", "/dev/shm", "/run", "/var", "/workspace", "/skills", "/opt", "/home"):
    for folder, folders, files in os.walk(top):
        found += [os.path.join(folder, name) for name in files if here in name]
given = [os.path.join(folder, name) for top in ("/workspace/input", "/skills")
         for folder, _, files in os.walk(top) for name in files]
found += [path for path in given if os.stat(path).st_nlink != 1]
found += [name for name in sys.modules if "secret" in name]
found += [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()
          and here.encode() in open(f"/proc/{name}/cmdline", "rb").read()]
descriptors = sorted(os.readlink(f"/proc/self/fd/{fd}").partition(":")[0]
                     for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}"))
print(found, descriptors, os.getcwd(), os.listdir("."), oct(os.umask(0o22)))
sys.modules["secret"] = os
os.environ[here] = here
for folder in ("/tmp", "/dev/shm", "/workspace/output"):
    open(f"{folder}/{here}", "w").close()
subprocess.Popen(["/bin/sh", "-c", f"sleep 60; : {here}"], start_new_session=True,
                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
"""


async def test_nothing_of_a_job_is_found_by_the_next(warm: Jobs, cold: Jobs) -> None:
    await cold.python(_PRESENCE, skills={"same": _skill(cold)})
    alone = cold.printed[Stream.STDOUT]
    assert alone.startswith("[] ")
    skill = _skill(warm)
    await warm.warm_up()
    for _ in range(4):
        assert (await warm.python(_PRESENCE, skills={"same": skill})).was_warm
        assert warm.printed == cold.printed


def _skill(jobs: Jobs) -> Path:
    skill = jobs.folder / "skill"
    (skill / "scripts").mkdir(parents=True)
    for file in (skill / "SKILL.md", skill / "scripts" / "run.py"):
        file.write_text("pass")
    return skill


# Watches for half a second what it was given.
_SPY = """
import os, time
seen, end = set(), time.monotonic() + 0.5
while time.monotonic() < end:
    for path in ("/workspace/input/script.py", "/workspace/input", "/skills/same",
                 "/skills/same/scripts", "/skills/same/scripts/run.py"):
        status = os.stat(path)
        seen.add((path, status.st_nlink, status.st_ctime_ns, status.st_mtime_ns))
    open("begun", "w").close()
    time.sleep(0.01)
print(len(seen))
"""


async def test_a_job_does_not_see_when_others_are_given_the_same() -> None:
    with open_folder() as folder:
        sandbox = Bubblewrap(folder / "work", warm=3, are_taken=lambda _: False)
        jobs = Jobs(sandbox, folder)
        skills = {"same": _skill(jobs)}
        await jobs.warm_up()
        spy = asyncio.create_task(jobs.python(_SPY, skills=skills))
        await until(lambda: [*(folder / "work" / "warm").glob("*/*/output/begun")])
        inputs = {"script.py": folder / "script.py"}
        other = Job(("true",), folder / "other", inputs=inputs, skills=skills)
        for _ in range(3):
            other.output.mkdir()
            assert (await jobs.sandbox.run(other, print)).was_warm
            other.output.rmdir()
        assert (await spy).was_warm
        assert "".join(jobs.printed.values()) == "5\n"
        await jobs.sandbox.close()


async def test_a_job_cannot_tell_others_anything_over_what_it_was_given(warm: Jobs) -> None:
    """Neither what it was given nor the folders in which that lies can be changed."""
    await warm.warm_up()
    source = """
import os
for name in ("/workspace/input/new", "/skills/new", "/workspace/new"):
    try: open(name, "w")
    except OSError as error: print(error.strerror)
for change in (lambda path: open(path, "a"), os.unlink, lambda path: os.chmod(path, 0o666),
               lambda path: os.link(path, "/workspace/output/second")):
    try: change("/workspace/input/script.py")
    except OSError as error: print(error.strerror)
"""
    assert (await warm.python(source)).was_warm
    refusals = warm.printed[Stream.STDOUT].splitlines()
    assert len(refusals) == 7
    assert {*refusals} <= {*map(os.strerror, (errno.EROFS, errno.EACCES, errno.EXDEV))}


async def test_the_pipe_of_its_words_tells_a_job_nothing_more(warm: Jobs) -> None:
    """Processes around it may still hold its end: it is empty, and nobody writes to it."""
    await warm.warm_up()
    source = """
import os
for pid in (1, os.getpid()):
    try: ends = os.listdir(f"/proc/{pid}/fd")
    except OSError: continue
    for end in ends:
        path = f"/proc/{pid}/fd/{end}"
        if int(end) > 2 and os.path.exists(path) and "pipe" in os.readlink(path):
            read = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            print(os.read(read, 1000))
"""
    assert (await warm.python(source, environment={"TOKEN": "word"})).was_warm
    assert set(warm.printed[Stream.STDOUT].split()) <= {"b''"}


ENDS = {
    "prints": "import sys; print('out'); print('err', file=sys.stderr)",
    "is given words": "import sys; print(sys.argv, __file__, __name__)",
    "exits": "raise SystemExit(3)",
    "raises": "def f():\n    1 / 0\nf()",
    "raises from another": "try: 1 / 0\nexcept Exception as e: raise ValueError('x') from e",
    "warns": "import warnings; warnings.warn('old'); print(1 is 1)",
    "has a mistake in its syntax": "print(1\nx = = 2",
    "needs a module that is not there": "import pandas",
    "is terminated": "import os; os.kill(os.getpid(), 15)",
    "is killed": "import os; os.kill(os.getpid(), 9)",
    "breaks off": "import os; os.abort()",
    "reads": "import sys; print(repr(sys.stdin.read()))",
    "writes on after its reader": "import os\nr, w = os.pipe(); os.close(r); os.write(w, b'x')",
    "asks for its bounds": """
import resource
for name in sorted(dir(resource)):
    if name.startswith("RLIMIT"): print(name, resource.getrlimit(getattr(resource, name)))
""",
    "asks who it is": """
import os
print(os.getuid(), os.getgid(), os.getgroups(), os.uname()[1], os.getcwd(), os.getpriority(0, 0))
status = open("/proc/self/status").read().splitlines()
print([line for line in status if line.startswith(("Cap", "NoNewPrivs", "Seccomp:", "Sig", "Shd"))])
print(sorted(os.environ.items()))
print(open("/proc/self/cmdline").read().rstrip("\\0"))
""",
    "asks what is mounted": """
for line in open("/proc/self/mounts"):
    _, place, kind, options, *_ = line.split()
    if not place.startswith(("/workspace", "/skills")): print(place, kind, options.split(",")[0])
""",
    "makes files": """
import os
os.mkdir("folder"); open("folder/file", "w").write("x"); os.symlink("folder", "link")
os.chmod("folder", 0)
""",
}


@dataclass(frozen=True)
class Seen:
    code: int | None
    signal: int | None
    limit: Limit | None
    printed: dict[Stream, str]
    made: list[tuple[str, int]]


async def _seen(jobs: Jobs, source: str, **options: object) -> Seen:
    ended = await jobs.python(source, **options)
    made = sorted(
        (str(path.relative_to(jobs.output)), path.lstat().st_mode)
        for path in jobs.output.rglob("*")
    )
    return Seen(ended.code, ended.signal, ended.limit, jobs.printed, made)


@pytest.mark.parametrize("source", ENDS.values(), ids=ENDS)
async def test_a_script_does_what_it_does_in_a_sandbox_started_for_it(
    warm: Jobs, cold: Jobs, source: str
) -> None:
    await warm.warm_up()
    options = {"environment": {"OWN": "word", "PYTHONPATH": "/workspace/input"}}
    assert await _seen(warm, source, **options) == await _seen(cold, source, **options)


@pytest.mark.parametrize(
    ("source", "limits"),
    [
        ("while True: pass", Limits(cpu_seconds=1)),
        ("import time; time.sleep(60)", Limits(wall_seconds=0.3)),
        ("print('x' * 2_000_000)", Limits(printed_bytes=MEBIBYTE)),
        ("open('f', 'wb').write(b'x' * (3 << 20))", Limits(file_bytes=MEBIBYTE)),
        ("x = b'x' * (300 << 20)", Limits(memory_bytes=200 * MEBIBYTE)),
    ],
    ids=["processor", "time", "printed", "file", "memory"],
)
async def test_a_limit_ends_it_alike(warm: Jobs, cold: Jobs, source: str, limits: Limits) -> None:
    await warm.warm_up(limits)
    warm_end, cold_end = (
        await warm.python(source, limits=limits),
        await cold.python(source, limits=limits),
    )
    assert warm_end.was_warm
    assert warm_end.limit is not None
    assert (warm_end.limit, warm_end.code) == (cold_end.limit, cold_end.code)
