"""The fork server: what it forks is what a fresh interpreter would be, and goes on without it."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from uuid import uuid4

import pytest
import structlog

from deploy.local.forking import ForkServer
from deploy.local.part import Part, Process
from deploy.local.supervisor import Supervisor
from tests.folders import PROJECT
from tests.live import children_of, until

PATIENCE_SECONDS = 60
MODEL = ("model", "--port", "0")  # It serves until it is stopped.
API = ("api", "--port", "1")  # It ends at once for want of a database, and says so.
_UNKNOWN_OPTION = 2
_CANCELS = 40
_KILLS = 10
_STEP_SECONDS = 0.001  # each is cut off later than the one before it


def given(**settings: str) -> dict[str, str]:
    """Pytest says in a variable which test runs, so that one would differ."""
    left_out = ("AGENTOS_", "PYTEST_")
    usual = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return usual | settings


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    server = ForkServer(given())
    server.start()
    yield server
    server.close()


@pytest.fixture
async def supervisor(
    tmp_path: Path, lock: int, fork_server: ForkServer
) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(tmp_path, lock, lambda: None, fork=fork_server.fork)
    yield supervisor
    await supervisor.stop("model")


def part(
    folder: Path,
    *words: str,
    environment: Mapping[str, str] | None = None,
    interpreter: str = "/nonexistent",
) -> Part:
    """With none that can be run, it shows that nothing was started in place of a fork."""
    return Part(
        words[0],
        (interpreter, "-P", "-m", "deploy.cli", *words),
        folder,
        words=words,
        environment=given() if environment is None else environment,
    )


async def serving(
    supervisor: Supervisor,
    tmp_path: Path,
    environment: Mapping[str, str] | None = None,
    interpreter: str = "/nonexistent",
) -> int:
    """The pid of one that has begun to serve."""
    await supervisor.start(part(tmp_path, *MODEL, environment=environment, interpreter=interpreter))
    (process,) = supervisor.processes

    async def answers() -> bool:
        return "answers at" in process.last_words

    await until(answers, what=lambda: process.last_words)
    return process.pid


async def ended(supervisor: Supervisor, each: Part) -> tuple[str, str]:
    return await asyncio.wait_for(supervisor.run_to_end(each), PATIENCE_SECONDS)


def field(pid: int, name: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith(f"{name}:"))


def open_files(pid: int) -> dict[int, str]:
    """What each descriptor leads to, without those that are closed between two looks."""
    found = {}
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found[int(path.name)] = str(path.readlink())
    return found


async def test_a_fork_is_a_child_of_ours_in_a_session_of_its_own(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    pid = await serving(supervisor, tmp_path)
    assert int(field(pid, "PPid")) == os.getpid()
    assert os.getsid(pid) == pid
    assert Path(f"/proc/{pid}/cwd").readlink() == tmp_path


async def test_a_fork_looks_like_the_command_that_it_runs(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    pid = await serving(supervisor, tmp_path)
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    assert command.split(b"\0")[1:] == [b"-P", b"-m", b"deploy.cli", *map(str.encode, MODEL), b""]
    shown = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    assert dict(os.fsdecode(each).split("=", 1) for each in shown if each) == given()


async def test_a_fork_has_no_files_of_the_fork_server(
    supervisor: Supervisor, tmp_path: Path, lock: int
) -> None:
    pid = await serving(supervisor, tmp_path)
    log, null = str(tmp_path / "model.log"), os.devnull
    # What it has opened itself: the loop with its pair of sockets, and the port.
    others = sorted([str(tmp_path / "lock"), "anon_inode", "socket", "socket", "socket"])

    async def has_just_these() -> bool:
        """In the end: it may be reading a file of its own, such as a module's, at any one look."""
        found = open_files(pid)
        standard = [found.pop(number, "") for number in (0, 1, 2)]
        kinds = sorted(name.partition(":")[0] for name in found.values())
        return standard == [null, log, log] and kinds == others

    await until(has_just_these, what=lambda: str(open_files(pid)))


async def test_a_fork_takes_signals_as_a_fresh_interpreter_does(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    pid = await serving(supervisor, tmp_path)
    assert int(field(pid, "SigBlk"), 16) == 0
    handled = 1 << (signal.SIGINT - 1)  # by the server; a shell may have had us ignore it
    ignored, ours = (int(field(each, "SigIgn"), 16) & ~handled for each in (pid, os.getpid()))
    assert ignored == ours

    async def would_end_by_itself() -> bool:
        return bool(int(field(pid, "SigCgt"), 16) & 1 << (signal.SIGTERM - 1))

    await until(would_end_by_itself)
    (process,) = supervisor.processes
    await supervisor.stop("model")
    assert process.status == "exit code 0"


async def test_the_supervisor_hears_how_a_fork_ended(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    status, said = await ended(supervisor, part(tmp_path, "ls", "--nonsense"))
    assert (status, "--nonsense" in said) == (f"exit code {_UNKNOWN_OPTION}", True)
    assert (await ended(supervisor, part(tmp_path, "ls", "--help")))[0] == "exit code 0"
    pid = await serving(supervisor, tmp_path)
    (process,) = supervisor.processes
    os.kill(pid, signal.SIGKILL)
    await process.wait()
    assert process.status == "signal SIGKILL"


async def test_a_fork_knows_no_variable_of_the_one_before_it(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    wrong = given(AGENTOS_DATABASE_URL="no-url")
    _, said = await ended(supervisor, part(tmp_path, *API, environment=wrong))
    assert "AGENTOS_DATABASE_URL: it must be a URL" in said
    _, said = await ended(supervisor, part(tmp_path, *API))
    assert "AGENTOS_DATABASE_URL: " in said
    assert "it must be a URL" not in said


async def test_what_the_fork_server_may_have_loaded_otherwise_is_not_forked(
    fork_server: ForkServer, lock: int, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("wb") as output:
        for other in ({"LANG": "other"}, {"PYTHONMALLOC": "debug"}):
            each = part(tmp_path, *MODEL, environment=given() | other)
            assert await fork_server.fork(each, output.fileno(), lock) is None
        plain = Part("sleeper", ("/bin/sleep", "600"), tmp_path, environment=given())
        assert await fork_server.fork(plain, output.fileno(), lock) is None


async def test_a_fork_that_nobody_waits_for_runs_nothing(
    fork_server: ForkServer, lock: int, tmp_path: Path
) -> None:
    assert fork_server.pid is not None
    os.kill(fork_server.pid, signal.SIGSTOP)
    with (tmp_path / "log").open("wb") as output:
        asked = asyncio.create_task(fork_server.fork(part(tmp_path, *MODEL), output.fileno(), lock))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait([asked])
        os.kill(fork_server.pid, signal.SIGCONT)
        again = await fork_server.fork(part(tmp_path, "ls", "--help"), output.fileno(), lock)
    assert again is not None
    await again.wait()
    assert "answers at" not in (tmp_path / "log").read_text()


async def test_a_fork_has_the_mask_the_limits_and_the_rights_that_we_have(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    pid = await serving(supervisor, tmp_path)
    for name in ("Umask", "NoNewPrivs", "Seccomp", "CapEff", "Groups", "Cpus_allowed_list"):
        assert field(pid, name) == field(os.getpid(), name), name
    limits = [Path(f"/proc/{each}/limits").read_text() for each in (pid, os.getpid())]
    assert limits[0] == limits[1]
    assert field(pid, "Threads") == "1"


async def test_secrets_of_a_part_are_not_in_the_memory_of_the_fork_server(
    supervisor: Supervisor, fork_server: ForkServer, tmp_path: Path
) -> None:
    secret = uuid4().hex
    told = given(AGENTOS_SECRETS_KEY=secret)
    pid = await serving(supervisor, tmp_path, told)
    assert secret.encode() in Path(f"/proc/{pid}/environ").read_bytes()
    assert await asyncio.to_thread(is_in_memory, pid, secret.encode())
    assert fork_server.pid is not None
    assert not await asyncio.to_thread(is_in_memory, fork_server.pid, secret.encode())


async def test_as_many_are_forked_as_are_asked_for_at_once(
    fork_server: ForkServer, lock: int, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("wb") as output:
        forks = await asyncio.gather(
            *(fork_server.fork(part(tmp_path, *MODEL), output.fileno(), lock) for _ in range(5))
        )
    children = [each for each in forks if each is not None]
    assert len({each.pid for each in children}) == len(forks)
    for each in children:
        assert int(field(each.pid, "PPid")) == os.getpid()
        each.send_signal(signal.SIGKILL)
        assert await each.wait() == -signal.SIGKILL


async def test_a_fork_that_is_cancelled_leaves_no_process_and_no_zombie(
    fork_server: ForkServer, lock: int, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("wb") as output:
        first = await fork_server.fork(part(tmp_path, "ls", "--help"), output.fileno(), lock)
        assert first is not None  # It has loaded.
        await first.wait()
        others = children_of(os.getpid())
        for number in range(_CANCELS):
            asked = asyncio.create_task(
                fork_server.fork(part(tmp_path, *MODEL), output.fileno(), lock)
            )
            await asyncio.sleep(number * _STEP_SECONDS)
            asked.cancel()
            await asyncio.wait([asked])
            if not asked.cancelled() and (child := asked.result()):
                child.send_signal(signal.SIGKILL)

    async def is_alone() -> bool:
        return children_of(os.getpid()) == others

    await until(is_alone, what=lambda: str(children_of(os.getpid())))


async def test_a_fork_can_be_killed_as_soon_as_it_is_there(
    fork_server: ForkServer, lock: int, tmp_path: Path
) -> None:
    """With all of its session, which it has to have by then: else nothing is killed."""
    for _ in range(_KILLS):
        log = tmp_path / "model.log"
        process = await Process.start(part(tmp_path, *MODEL), log, lock, fork_server.fork)
        assert os.getsid(process.pid) == process.pid
        await asyncio.wait_for(process.kill(), PATIENCE_SECONDS)
        assert process.status == "signal SIGKILL"


async def test_a_fork_server_that_died_is_started_again_for_the_next_part(
    lock: int, tmp_path: Path
) -> None:
    server = ForkServer(given())
    server.start()
    supervisor = Supervisor(tmp_path, lock, lambda: None, fork=server.fork)
    pid, killed = await serving(supervisor, tmp_path), server.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    with structlog.testing.capture_logs() as told:
        # Not with the command of the part, which cannot be run.
        assert (await ended(supervisor, part(tmp_path, "ls", "--help")))[0] == "exit code 0"
    assert [each["event"] for each in told] == ["fork_server.lost", "fork_server.started"]
    assert server.pid not in (None, killed)
    os.kill(pid, 0)
    await supervisor.stop("model")
    server.close()


async def test_a_part_that_dies_after_an_upgrade_in_place_starts_again(
    lock: int, tmp_path: Path
) -> None:
    """What was loaded before it lacks a name that a module loaded after it imports."""
    tree = tmp_path / "tree"
    for package in ("workflows", "activities", "api", "worker", "deploy"):
        await asyncio.to_thread(shutil.copytree, PROJECT / package, tree / package)
    environment = given(PYTHONPATH=str(tree))
    server = ForkServer(environment)
    server.start()
    supervisor = Supervisor(tmp_path, lock, lambda: None, fork=server.fork)
    await serving(supervisor, tmp_path, environment, sys.executable)
    added, importing = tree / "deploy/variables.py", tree / "deploy/offline_model/server.py"
    added.write_text(added.read_text() + "\nADDED = 1\n")
    importing.write_text(importing.read_text() + "\nfrom deploy.variables import ADDED\n")
    (killed,) = supervisor.processes

    async def serves_again() -> bool:
        (process,) = supervisor.processes
        return process is not killed and "answers at" in process.last_words

    with closing(server):
        await killed.kill()
        await until(serves_again, what=lambda: supervisor.processes[0].last_words)
    await supervisor.stop("model")


async def test_a_fork_server_that_cannot_load_is_started_seldom_and_done_without(
    lock: int, tmp_path: Path
) -> None:
    broken = given(PYTHONHOME="/nonexistent")
    server = ForkServer(broken)
    server.start()
    each = part(tmp_path, *MODEL, environment=broken)
    with (tmp_path / "log").open("wb") as output, structlog.testing.capture_logs() as told:
        for _ in range(5):
            assert await server.fork(each, output.fileno(), lock) is None
    assert server.pid is None
    events = [each["event"] for each in told]
    assert events.count("fork_server.lost") == 3
    assert events.count("fork_server.started") == 2
    assert "Python" in told[0]["said"]


async def test_one_that_is_closed_is_not_started_again(lock: int, tmp_path: Path) -> None:
    server = ForkServer(given())
    server.start()
    server.close()
    with (tmp_path / "log").open("wb") as output:
        assert await server.fork(part(tmp_path, *MODEL), output.fileno(), lock) is None
    assert server.pid is None


def is_in_memory(pid: int, text: bytes) -> bool:
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            where, rights, *_ = line.split()
            if "w" not in rights:
                continue
            begin, end = (int(each, 16) for each in where.split("-"))
            memory.seek(begin)
            with suppress(OSError):  # Such as that of a device.
                if text in memory.read(end - begin):
                    return True
    return False
