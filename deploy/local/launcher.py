"""Turn this process into a part of the stack, one that cannot outlive the process that started it.

Run as a script, isolated (``python -I -S launcher.py PARENT SIGNAL UID COMMAND...``), so that it
costs 15 ms and imports nothing of the project. Not a ``preexec_fn``: running
Python between fork and exec can deadlock once the parent has threads.
"""

import ctypes
import os
import signal
import sys

_CLONE_NEWUSER = 0x10000000  # linux/sched.h
_PR_SET_PDEATHSIG = 1  # linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def control(option: int, argument: int, name: str) -> None:
    """prctl(2). Raises ``OSError``: the kernel refuses."""
    _check(_libc.prctl(option, argument, 0, 0, 0), f"prctl({name})")


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def appear_as(uid: int) -> None:
    """Take on ``uid`` in a user namespace of our own, while files stay those of the real user.

    PostgreSQL refuses an effective uid of 0. This satisfies it without a second account, without a
    change of owner and without opening a folder to others.
    """
    real_uid, real_gid = os.geteuid(), os.getegid()
    _check(_libc.unshare(_CLONE_NEWUSER), "unshare(CLONE_NEWUSER)")
    # The kernel takes a gid map from an unprivileged writer only once setgroups is denied.
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid} {real_uid} 1")
    _write("/proc/self/gid_map", f"{uid} {real_gid} 1")


def die_with(parent: int, death_signal: int) -> None:
    """Have the kernel send us ``death_signal`` when ``parent`` dies."""
    control(_PR_SET_PDEATHSIG, death_signal, "PR_SET_PDEATHSIG")
    if os.getppid() != parent:  # it died before the call above: nobody would ever tell us
        os.kill(os.getpid(), signal.SIGKILL)


def main(parent: str, death_signal: str, uid: str, *command: str) -> None:
    if int(uid):
        appear_as(int(uid))
    # After the namespace: a change of credentials clears the death signal.
    die_with(int(parent), int(death_signal))
    os.execv(command[0], command)  # noqa: S606  (an exact path, no shell)


if __name__ == "__main__":
    main(*sys.argv[1:])
