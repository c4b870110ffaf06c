"""The system call filter: as a program, on every architecture, and at work in a job."""

import errno
import json
import platform
import signal
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.sandbox.seccomp import program
from activities.sandbox.syscalls import (
    CLONE,
    CLOSE_RANGE,
    DENIED,
    IOCTL,
    SOCKET,
    SOCKETPAIR,
    Syscall,
)
from tests.integration.sandboxes import Bench
from tests.security.bpf import decide
from workflows.errors.scripts import SandboxUnavailable

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
MACHINES = tuple(ARCHITECTURES)
NETLINK_NETFILTER = 12
CLONE_NEW = {
    "cgroup": 0x02000000,
    "ipc": 0x08000000,
    "mount": 0x00020000,
    "network": 0x40000000,
    "pid": 0x20000000,
    "time": 0x00000080,
    "user": 0x10000000,
    "uts": 0x04000000,
}
CLONE_THREAD_OF_GLIBC = 0x003D0F00
CLONE_FILES = 0x400
CLONE_VFORK_OF_GLIBC = 0x4100
CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC = 2, 4


def ask(machine: str, syscall: Syscall, *arguments: int) -> int | str | None:
    """What the filter says on a machine; None where that has no such call."""
    number = syscall.x86_64 if machine == "x86_64" else syscall.aarch64
    if number is None:
        return None
    return decide(
        program(machine),
        architecture=ARCHITECTURES[machine],
        number=number,
        arguments=arguments,
    )


# --- As a program ---


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("syscall", DENIED, ids=lambda syscall: syscall.name)
def test_a_denied_call_fails_whatever_its_arguments(machine: str, syscall: Syscall) -> None:
    assert ask(machine, syscall, *(6 * (0xFFFFFFFF,))) in {syscall.error, None}
    assert ask(machine, syscall) in {syscall.error, None}


@pytest.mark.parametrize("machine", MACHINES)
def test_system_calls_that_programs_need_are_allowed(machine: str) -> None:
    needed = {
        "read": (0, 63),
        "mmap": (9, 222),
        "execve": (59, 221),
        "wait4": (61, 260),
        "futex": (202, 98),
        "openat": (257, 56),
        "getrandom": (318, 278),
        "statx": (332, 291),
    }
    for name, numbers in needed.items():
        assert ask(machine, Syscall(name, *numbers)) == "allow"


@pytest.mark.parametrize("machine", MACHINES)
def test_a_system_call_of_another_architecture_kills_the_job(machine: str) -> None:
    i386, other = 0x40000003, ARCHITECTURES["aarch64" if machine == "x86_64" else "x86_64"]
    for architecture in (i386, other):
        verdict = decide(program(machine), architecture=architecture, number=0)
        assert verdict == "kill"


def test_the_x32_numbers_of_x86_64_are_killed() -> None:
    assert ask("x86_64", Syscall("x32 read", 0x40000000, None)) == "kill"


@pytest.mark.parametrize("machine", MACHINES)
def test_clone_makes_threads_and_processes_but_no_namespaces(machine: str) -> None:
    assert ask(machine, CLONE, signal.SIGCHLD) == "allow"
    assert ask(machine, CLONE, CLONE_THREAD_OF_GLIBC) == "allow"
    for flag in CLONE_NEW.values():
        assert ask(machine, CLONE, flag | signal.SIGCHLD) == errno.EPERM


@pytest.mark.parametrize("machine", MACHINES)
def test_a_thread_has_the_descriptors_of_its_process(machine: str) -> None:
    alone = CLONE_THREAD_OF_GLIBC & ~CLONE_FILES
    assert ask(machine, CLONE, alone) == errno.EPERM
    assert ask(machine, CLONE, CLONE_VFORK_OF_GLIBC | signal.SIGCHLD) == "allow"
    assert ask(machine, CLONE, CLONE_FILES | signal.SIGCHLD) == "allow"
    for flags in (0, CLOSE_RANGE_CLOEXEC):
        assert ask(machine, CLOSE_RANGE, 3, 0xFFFFFFFF, flags) == "allow"
        verdict = ask(machine, CLOSE_RANGE, 3, 0xFFFFFFFF, flags | CLOSE_RANGE_UNSHARE)
        assert verdict == errno.ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
def test_a_job_cannot_type_into_a_terminal(machine: str) -> None:
    tiocsti, tioclinux, tcgets = 0x5412, 0x541C, 0x5401
    assert ask(machine, IOCTL, 0, tiocsti) == errno.EPERM
    # The kernel reads 32 bits of the request: bits above them must not get it past the filter.
    assert ask(machine, IOCTL, 0, tiocsti | 1 << 40) == errno.EPERM
    assert ask(machine, IOCTL, 0, tioclinux) == errno.EPERM
    assert ask(machine, IOCTL, 0, tcgets) == "allow"


@given(
    machine=st.sampled_from(MACHINES),
    family=st.integers(0, 2**32 - 1) | st.sampled_from(list(map(int, socket.AddressFamily))),
    protocol=st.integers(0, 300),
)
def test_a_job_can_create_only_known_kinds_of_sockets(
    machine: str, family: int, protocol: int
) -> None:
    if family == socket.AF_UNIX:
        allowed = True
    elif family in {socket.AF_INET, socket.AF_INET6}:
        allowed = protocol in {0, 1, 6, 17, 58}
    else:
        allowed = family == socket.AF_NETLINK and protocol == 0
    verdict = ask(machine, SOCKET, family, 1, protocol)
    assert verdict == ("allow" if allowed else errno.EAFNOSUPPORT)


@pytest.mark.parametrize("machine", MACHINES)
def test_pairs_are_of_unix_sockets(machine: str) -> None:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        assert ask(machine, SOCKETPAIR, socket.AF_UNIX, kind) == "allow"
        assert ask(machine, SOCKETPAIR, socket.AF_INET, kind) == errno.EAFNOSUPPORT


def test_an_architecture_without_a_filter_runs_no_jobs() -> None:
    with pytest.raises(SandboxUnavailable, match="riscv64"):
        program("riscv64")


# --- At work ---

_CALL = """
import ctypes, json, os
syscall = ctypes.CDLL(None, use_errno=True).syscall
results = {}
for name, number in json.loads(os.environ["CALLS"]):
    results[name] = ctypes.get_errno() if syscall(number, 0, 0, 0, 0, 0, 0) == -1 else 0
print(json.dumps(results))
"""


async def test_denied_calls_fail_in_a_job(bench: Bench) -> None:
    native = [
        (call.name, call.x86_64 if platform.machine() == "x86_64" else call.aarch64)
        for call in DENIED
    ]
    calls = [(name, number) for name, number in native if number is not None]
    assert (await bench.python(_CALL, environment={"CALLS": json.dumps(calls)})).ok
    expected = {call.name: call.error for call in DENIED if call.name in dict(calls)}
    assert json.loads(bench.stdout) == expected


@pytest.mark.parametrize("network", [False, True])
async def test_exotic_sockets_cannot_be_made_in_a_job(bench: Bench, network: bool) -> None:
    script = f"""
import errno, socket
for family, kind, protocol in (
    (socket.AF_VSOCK, socket.SOCK_STREAM, 0),
    (socket.AF_ALG, socket.SOCK_SEQPACKET, 0),
    (socket.AF_NETLINK, socket.SOCK_RAW, {NETLINK_NETFILTER}),
    (socket.AF_INET, socket.SOCK_SEQPACKET, 132),
):
    try:
        socket.socket(family, kind, protocol)
        print("made", family)
    except OSError as error:
        print(errno.errorcode[error.errno])
"""
    assert (await bench.python(script, network=network)).ok
    assert bench.stdout.split() == 4 * ["EAFNOSUPPORT"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the code is of x86_64")
@pytest.mark.parametrize(
    "code",
    [
        pytest.param("b8 14 00 00 00  cd 80  c3", id="int 0x80"),  # getpid of i386
        pytest.param("b8 27 00 00 40  0f 05  c3", id="x32"),  # getpid of x32
    ],
)
async def test_a_call_by_the_numbers_of_another_architecture_kills(bench: Bench, code: str) -> None:
    script = f"""
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("{code}"))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""
    assert (await bench.python(script)).signal == signal.SIGSYS


async def test_common_programs_run_under_the_filter(bench: Bench) -> None:
    script = """
import asyncio, concurrent.futures, multiprocessing, socket, subprocess, threading
if __name__ == "__main__":
    thread = threading.Thread(target=print, args=("thread",), kwargs={"flush": True})
    thread.start()
    thread.join()
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        print(sum(pool.map(abs, range(-3, 1))), flush=True)
    with multiprocessing.Pool(2) as pool:
        print(pool.map(abs, [-1]), flush=True)
    asyncio.run(asyncio.sleep(0))
    subprocess.run(["sh", "-c", "seq 3 | tail -1"])
"""
    for network in (False, True):
        assert (await bench.python(script, network=network)).ok
        assert bench.stdout == "thread\n6\n[1]\n3\n"
