"""The seccomp filter of a job, written as classic BPF without libseccomp.

A filter sees the number, the architecture and the raw arguments of a system call, see seccomp(2).
It never sees what a pointer points at, so only plain integers are judged here.
"""

import errno
import platform
import socket
import struct
from collections.abc import Iterable
from functools import cache
from typing import Final

from activities.sandbox.syscalls import (
    CLONE,
    CLOSE_RANGE,
    DENIED,
    FCNTL,
    IOCTL,
    PAGE_KEEPING,
    SETSOCKOPT,
    SOCKET,
    SOCKETPAIR,
    Syscall,
)
from workflows.errors.scripts import SandboxUnavailable

Code = list[tuple[int, int, int, int]]

# Opcodes of <linux/bpf_common.h>.
_LOAD: Final = 0x20
_RETURN: Final = 0x06
_JUMP_EQUAL: Final = 0x15
_JUMP_AT_LEAST: Final = 0x35
_JUMP_ANY_BIT: Final = 0x45

# Verdicts of <linux/seccomp.h>.
_ALLOW: Final = 0x7FFF0000
_FAIL: Final = 0x00050000
_KILL: Final = 0x80000000

# Offsets in struct seccomp_data; of an argument the low half, for `int` is all the kernel reads.
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_ARGUMENTS: Final = 16

_AUDIT_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT: Final = 0x40000000
_TOGETHER: Final = 8  # rules: of numbers, the square root

# CLONE_NEWTIME | NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET.
_NEW_NAMESPACES: Final = 0x00000080 | 0x00020000 | 0x7E000000
# Of clone(2) and close_range(2): a thread whose descriptors are not those of its process would hide
# what it has open from /proc/PID/fd, and so from all limits that are looked after there.
_CLONE_FILES: Final = 0x00000400
_CLONE_THREAD: Final = 0x00010000
_CLOSE_RANGE_UNSHARE: Final = 0x2
# TIOCSTI and TIOCLINUX type into a terminal; TIOCSETD loads line disciplines.
_TERMINAL_REQUESTS: Final = (0x5412, 0x541C, 0x5423)

_SO_ZEROCOPY: Final = 60  # asm-generic/socket.h
_F_SETPIPE_SZ: Final = 1031  # linux/fcntl.h
_SUCCESS: Final = 0
_NETLINK_ROUTE: Final = 0
_PROTOCOLS: Final = (
    0,
    socket.IPPROTO_ICMP,
    socket.IPPROTO_TCP,
    socket.IPPROTO_UDP,
    socket.IPPROTO_ICMPV6,
)


@cache
def program(machine: str | None = None, *, is_watched: bool = False) -> bytes:
    """The filter as an array of ``struct sock_filter``, for ``bwrap --seccomp``.

    A job that ``is_watched`` has no control group that bounds its memory in the kernel: it may not
    enlarge the buffers of sockets and pipes, so that they can be counted by their number.

    Unix sockets are allowed: abstract names live in the network namespace, of which each job has
    one of its own, and a folder shows a job no socket but its own.

    Raises:
        SandboxUnavailable: the machine is neither x86_64 nor aarch64.
    """
    machine = machine or platform.machine()
    if machine not in _AUDIT_ARCHITECTURES:
        raise SandboxUnavailable(
            sandbox="bubblewrap",
            reason=f"no system call filter is known for the architecture {machine}",
            remedy="Run the worker on x86_64 or aarch64, or set AGENTOS_SANDBOX=e2b.",
        )
    rules = [(syscall, _fail(syscall.error)) for syscall in DENIED]
    rules += [
        (CLONE, _clone()),
        (CLOSE_RANGE, _close_range()),
        (IOCTL, _ioctl()),
        (SOCKET, _socket()),
        (SOCKETPAIR, _socketpair()),
    ]
    if is_watched:
        rules += [(syscall, _fail(syscall.error)) for syscall in PAGE_KEEPING]
        rules += [(SETSOCKOPT, _setsockopt()), (FCNTL, _fcntl())]
    code = _prologue(machine) + _ruled(
        (number, body)
        for syscall, body in rules
        if (number := _number(syscall, machine)) is not None
    )
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)


def _ruled(rules: Iterable[tuple[int, Code]]) -> Code:
    """Allow what no rule is for. Few rules are looked at for each number: the kernel goes through
    all numbers twice when a job starts, to know those that are always allowed."""
    ordered = sorted(rules)
    code: Code = []
    for some in (ordered[at : at + _TOGETHER] for at in range(0, len(ordered), _TOGETHER)):
        group: Code = []
        for number, body in some:
            group += _when(number, body)
        group += _return(_ALLOW)
        code += [(_JUMP_AT_LEAST, len(group), 0, some[-1][0] + 1), *group]
    return code + _return(_ALLOW)


def _number(syscall: Syscall, machine: str) -> int | None:
    return syscall.x86_64 if machine == "x86_64" else syscall.aarch64


def _prologue(machine: str) -> Code:
    """Kill what speaks another architecture's numbers, and leave the number in the accumulator."""
    code = [
        *_load(_ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCHITECTURES[machine]),
        *_return(_KILL),
        *_load(_NUMBER),
    ]
    if machine == "x86_64":
        code += [(_JUMP_AT_LEAST, 0, 1, _X32_BIT), *_return(_KILL)]
    return code


def _clone() -> Code:
    thread = [*_when_any(_CLONE_FILES, _return(_ALLOW)), *_fail(errno.EPERM)]
    return [
        *_load_argument(0),
        *_when_any(_NEW_NAMESPACES, _fail(errno.EPERM)),
        *_when_any(_CLONE_THREAD, thread),
        *_return(_ALLOW),
    ]


def _close_range() -> Code:
    """The error is one after which programs close files one by one."""
    return [
        *_load_argument(2),
        *_when_any(_CLOSE_RANGE_UNSHARE, _fail(errno.ENOSYS)),
        *_return(_ALLOW),
    ]


def _ioctl() -> Code:
    code = _load_argument(1)
    for request in _TERMINAL_REQUESTS:
        code += _when(request, _fail(errno.EPERM))
    return code + _return(_ALLOW)


def _socket() -> Code:
    internet = [*_load_argument(2), *_one_of(_PROTOCOLS)]
    code = _load_argument(0)
    code += _when(socket.AF_UNIX, _return(_ALLOW))
    code += _when(socket.AF_INET, internet)
    code += _when(socket.AF_INET6, internet)
    code += _when(socket.AF_NETLINK, [*_load_argument(2), *_one_of((_NETLINK_ROUTE,))])
    return code + _fail(errno.EAFNOSUPPORT)


def _socketpair() -> Code:
    return [*_load_argument(0), *_one_of((socket.AF_UNIX,))]


def _setsockopt() -> Code:
    """A size that is asked for is a hint, which the kernel bounds without a word as well."""
    options = _load_argument(2)
    for size in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        options += _when(size, _fail(_SUCCESS))
    options += _when(_SO_ZEROCOPY, _fail(errno.ENOPROTOOPT))
    options += _return(_ALLOW)
    return [*_load_argument(1), *_when(socket.SOL_SOCKET, options), *_return(_ALLOW)]


def _fcntl() -> Code:
    return [*_load_argument(1), *_when(_F_SETPIPE_SZ, _fail(errno.EPERM)), *_return(_ALLOW)]


def _one_of(values: tuple[int, ...]) -> Code:
    code: Code = []
    for value in values:
        code += _when(value, _return(_ALLOW))
    return code + _fail(errno.EAFNOSUPPORT)


def _when(value: int, body: Code) -> Code:
    """Run ``body``, which must return, when the accumulator holds ``value``."""
    return [(_JUMP_EQUAL, 0, len(body), value), *body]


def _when_any(bits: int, body: Code) -> Code:
    """Run ``body``, which must return, when the accumulator has any of ``bits``."""
    return [(_JUMP_ANY_BIT, 0, len(body), bits), *body]


def _load(offset: int) -> Code:
    return [(_LOAD, 0, 0, offset)]


def _load_argument(index: int) -> Code:
    return _load(_ARGUMENTS + 8 * index)


def _fail(error: int) -> Code:
    return _return(_FAIL | error)


def _return(verdict: int) -> Code:
    return [(_RETURN, 0, 0, verdict)]
