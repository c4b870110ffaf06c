"""A fork whose parent is our own parent: what the fork server makes are children of the supervisor.

So the supervisor waits for them, signals them and takes them with it as it does with what it starts
itself, and the end of the fork server is none of theirs. `os.fork` cannot do that, `clone` can.
"""

import ctypes
import os
import platform
import signal
from collections.abc import Mapping
from pathlib import Path

_CLONE_PARENT = 0x8000  # linux/sched.h
_CLONE_CHILD_CLEARTID = 0x200000
_CLONE_CHILD_SETTID = 0x1000000
_FLAGS = _CLONE_PARENT | _CLONE_CHILD_CLEARTID | _CLONE_CHILD_SETTID | signal.SIGCHLD
_PR_GET_TID_ADDRESS = 40  # linux/prctl.h
_CLONE: Mapping[str, int] = {"x86_64": 56, "aarch64": 220}  # the number of the call

# These keep the interpreter's lock, as `os.fork` does.
_libc = ctypes.PyDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.syscall.argtypes = [ctypes.c_long, *[ctypes.c_ulong] * 5]
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]


def fork_sibling() -> int:
    """As `os.fork`, but that the child is one of our parent.

    The C library's handlers of forks are not called. They put locks right that other threads may
    hold, so there must be none.

    Raises:
        RuntimeError: there is another thread.
        OSError: the kernel refuses.
    """
    if sum(1 for _ in Path("/proc/self/task").iterdir()) != 1:
        raise RuntimeError("no fork: there is more than one thread")
    number, tid = _CLONE[platform.machine()], _address_of_tid()
    ctypes.pythonapi.PyOS_BeforeFork()
    # The address stands in the places of both architectures; in the other one it is not looked at.
    pid = int(_libc.syscall(number, _FLAGS, 0, 0, tid, tid))
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    else:
        code = ctypes.get_errno()
        ctypes.pythonapi.PyOS_AfterFork_Parent()
        if pid < 0:
            raise OSError(code, f"clone: {os.strerror(code)}")
    return pid


def _address_of_tid() -> int:
    """Where the C library keeps the number of the thread, which is another one in the child."""
    address = ctypes.c_ulong()
    if _libc.prctl(_PR_GET_TID_ADDRESS, ctypes.addressof(address), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl(PR_GET_TID_ADDRESS): {os.strerror(code)}")
    return address.value
