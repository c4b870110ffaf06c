"""A supervisor whose kernel refuses it a system call: ``python -m tests.doubles.refusing_kernel
NAME``. It has a fork server fork twice, and prints what came of that, as JSON.

A seccomp filter refuses, as that of a container may.
"""

import asyncio
import ctypes
import errno
import json
import os
import platform
import struct
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from structlog.testing import capture_logs

from deploy.local.forking import ForkServer
from deploy.local.part import Part

_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000 | errno.EPERM  # linux/seccomp.h
_FIRST_ARGUMENT = 16  # in struct seccomp_data
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2
_PIDFD_OPEN = 434
_PRCTL = {"x86_64": 157, "aarch64": 167}
_PR_SET_CHILD_SUBREAPER = 36
_MOST_SECONDS = 20.0

_ENDINGS = [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _FAIL)]


def filter_of(name: str) -> list[tuple[int, int, int, int]]:
    if name == "pidfd_open":
        return [(_LOAD, 0, 0, 0), (_JUMP_EQUAL, 1, 0, _PIDFD_OPEN), *_ENDINGS]
    return [
        (_LOAD, 0, 0, 0),
        (_JUMP_EQUAL, 0, 2, _PRCTL[platform.machine()]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_EQUAL, 1, 0, _PR_SET_CHILD_SUBREAPER),
        *_ENDINGS,
    ]


def refuse(code: Iterable[tuple[int, int, int, int]]) -> None:
    """From now on, to this thread and to whatever it starts."""
    packed = b"".join(struct.pack("<HBBI", *each) for each in code)
    held = ctypes.create_string_buffer(packed, len(packed))
    program = struct.pack("@HP", len(packed) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((_PR_SET_NO_NEW_PRIVS, 1, 0), (_PR_SET_SECCOMP, _MODE_FILTER, program)):
        if libc.prctl(*words, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def children() -> set[int]:
    tasks = Path("/proc/self/task").iterdir()
    return {int(each) for task in tasks for each in (task / "children").read_text().split()}


async def main(name: str) -> None:
    refuse(filter_of(name))
    server = ForkServer(os.environ)
    server.start()
    first, words = server.pid, ("ls", "--help")
    with TemporaryDirectory() as folder, capture_logs() as told:
        part = Part("ls", ("/nonexistent",), Path(folder), words=words, environment=os.environ)
        with (Path(folder) / "log").open("wb") as output:
            forks = [await server.fork(part, output.fileno(), output.fileno()) for _ in range(2)]
    began = time.monotonic()
    while (left := children() - {first}) and time.monotonic() - began < _MOST_SECONDS:
        await asyncio.sleep(0.1)
    events, is_the_first = [each["event"] for each in told], server.pid == first
    server.close()
    found = {"forks": forks, "events": events, "is_the_first": is_the_first, "left": len(left)}
    sys.stdout.write(json.dumps(found, default=str))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
