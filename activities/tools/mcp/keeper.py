"""Runs one program and lets nothing of it outlive whoever holds the other end of a pipe.

A script of its own, for the standard library alone: ``python -I -S keeper.py LEASH PROGRAM ARG...``
where LEASH is the number of an inherited descriptor, the reading end of that pipe. The program has
this process's stdin, stdout and stderr. When the program ends, or the pipe does (a worker that is
killed with -9 closes it as well), every process that the program started is killed, whatever
session or group it moved to: they are this process's descendants, and orphans among them become its
children. Exits with the program's code, or 128 and the number of the signal that killed it.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36

# To end by themselves on SIGTERM; what is left after that, or comes after it, is killed.
_GRACE_SECONDS = 1.0
_KILLING_SECONDS = 5.0
_PAUSE_SECONDS = 0.005

NOT_STARTED = 127


def main(leash: int, command: list[str]) -> int:
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    os.set_inheritable(leash, False)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    keeper = os.getpid()
    program = os.fork()
    if program == 0:
        _become(command, keeper)
    _let_go_of_streams()
    code = None
    while code is None and not (ready := select.select([leash, wake], [], [])[0]).count(leash):
        if ready:
            os.read(wake, 4_096)
        code = _reap(program)
    return _end_all(program, code)


def _become(command: list[str], keeper: int) -> NoReturn:
    """The program, in a session of its own. Dies with this process, should that be killed."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(NOT_STARTED)
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGPIPE):  # Python ignores the latter
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError:
        os._exit(NOT_STARTED)


def _let_go_of_streams() -> None:
    """Held here as well, they would not seem closed when the program closes them."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)


def _reap(program: int, code: int | None = None) -> int | None:
    """Take leave of the dead; the program's exit code once it is known."""
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0] != 0:
            if found[0] == program:
                status = os.waitstatus_to_exitcode(found[1])
                code = status if status >= 0 else 128 - status
    return code


def _end_all(program: int, code: int | None) -> int:
    started = time.monotonic()
    if code is None:
        with contextlib.suppress(OSError):
            os.killpg(program, signal.SIGTERM)
    else:
        started -= _GRACE_SECONDS  # What the program has left behind is due no grace.
    while (left := _children()) and time.monotonic() - started < _GRACE_SECONDS + _KILLING_SECONDS:
        if time.monotonic() - started >= _GRACE_SECONDS:
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE_SECONDS)
        code = _reap(program, code)
    return 128 + signal.SIGTERM if code is None else code


def _children() -> list[int]:
    """Zombies too. Grandchildren become children when their parents die."""
    mine, found = os.getpid(), []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # pid (name) state parent ...: the name may hold anything.
            if int(path.read_text(errors="replace").rpartition(")")[2].split()[1]) == mine:
                found.append(int(path.parent.name))
    return found


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
