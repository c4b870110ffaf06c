"""Kills what a killed worker has left running, which without it would go on without any limit.

bwrap asks the kernel to die with the worker, and what runs inside asks to die with bwrap: but each
does so some milliseconds after it was started. A worker that is killed within these leaves behind a
job that nobody watches, or one that waits for its bwrap for ever.

A script of its own, for the standard library alone: ``python -I -S orphans.py LEASH MARK``. LEASH
is the number of an inherited descriptor, the reading end of a pipe that the worker holds. When the
pipe ends, every process that has MARK among its arguments is killed, until there has been none for
a second: one may just be starting.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

_QUIET_SECONDS = 1.0
_LONGEST_SECONDS = 60.0  # What sticks in the kernel cannot be killed.
_PAUSE_SECONDS = 0.02


def main(leash: int, mark: str) -> None:
    os.read(leash, 1)
    started = last_seen = time.monotonic()
    while (now := time.monotonic()) - last_seen < _QUIET_SECONDS:
        if now - started > _LONGEST_SECONDS:
            return
        for pid in _marked(mark.encode()):
            with contextlib.suppress(OSError):  # It has ended, or a neighbour mimics the mark.
                os.kill(pid, signal.SIGKILL)
                last_seen = now
        time.sleep(_PAUSE_SECONDS)


def _marked(mark: bytes) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        pid = int(path.parent.name)
        with contextlib.suppress(OSError):  # It has ended.
            if pid != os.getpid() and mark in path.read_bytes().split(b"\0"):
                found.append(pid)
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
