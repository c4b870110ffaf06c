"""A mount namespace in which the users of jobs reach a folder that nobody else can.

A root worker keeps its files behind folders that are closed to others, and bwrap opens what a job
is given as the job's user. In the view, what is in the way is covered by empty folders that lead to
the one that is meant, under the path that it has everywhere; nothing else is behind them.

A script of its own as well, for the standard library alone: ``python -I -S view.py BARRIER
FOLDER...``. It makes the view, prints the pid of the process that is in it, and waits for the end
of its input.
"""

import ctypes
import errno
import os
import sys
from pathlib import Path

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000  # linux/sched.h
_MS_BIND, _MS_REC, _MS_SLAVE = 0x1000, 0x4000, 1 << 19  # linux/mount.h


def main(barrier: str, *folders: str) -> None:
    try:
        _unshare(_CLONE_NEWNS)
    except PermissionError:
        # Root in a container: it may not mount, but may in a user namespace of its own.
        _enter_user_namespace()
    _mount(None, "/", None, _MS_REC | _MS_SLAVE)
    held = {folder: os.open(folder, os.O_PATH | os.O_DIRECTORY) for folder in folders}
    if barrier not in folders:  # else it is only tried whether we may
        _mount("tmpfs", barrier, "tmpfs", 0, "mode=0755,size=64k")
    os.umask(0o022)
    for folder, descriptor in held.items():
        Path(folder).mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{descriptor}", folder, None, _MS_BIND | _MS_REC)
        os.close(descriptor)
    print(os.getpid(), flush=True)  # noqa: T201
    sys.stdin.read()


def _enter_user_namespace() -> None:
    """Go on in a child, which has the same users in a namespace of its own."""
    maps = {name: _same(Path("/proc/self", name).read_text()) for name in ("uid_map", "gid_map")}
    entered, entering = os.pipe()
    mapped, mapping = os.pipe()
    child = os.fork()
    if child == 0:
        _unshare(_CLONE_NEWUSER | _CLONE_NEWNS)
        os.write(entering, b".")
        os.close(mapping)
        if not os.read(mapped, 1):
            os._exit(1)
        return
    os.close(entering)
    if os.read(entered, 1):
        for name, text in maps.items():
            Path(f"/proc/{child}", name).write_text(text)
        os.write(mapping, b".")
    _, status = os.waitpid(child, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _same(extents: str) -> str:
    """Every id stands for itself."""
    rows = [line.split() for line in extents.splitlines()]
    return "".join(f"{first} {first} {count}\n" for first, _, count in rows)


def _unshare(flags: int) -> None:
    _check(_libc().unshare(flags), "unshare")


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, data: str | None = None
) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    options = None if data is None else data.encode()
    _check(_libc().mount(*texts, ctypes.c_ulong(flags), options), f"mount {target}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno() or errno.EPERM
        raise OSError(number, f"{call}: {os.strerror(number)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
