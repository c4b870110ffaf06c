"""Orphans among our descendants, which are ours for as long as we ask for that.

To adopt for good would make us the parent of whatever a part leaves behind, and keep each as a
zombie. So it is for the milliseconds of a fork. Whoever else comes to us meanwhile is reaped, but
late: one that we have started ourselves at that moment is reaped by who has started it.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from deploy.local.launcher import control

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_OTHERS_SECONDS = 1.0


class Adopted:
    """``known`` are those that somebody waits for."""

    def __init__(self) -> None:
        self.known: set[int] = set()


class _Windows:
    """How many forks are under way: the kernel knows of one switch a process."""

    count = 0


@contextmanager
def adopting() -> Iterator[Adopted]:
    """Orphans become children of ours meanwhile. Within a running loop, in its thread.

    Raises:
        OSError: the kernel refuses.
    """
    adopted, before = Adopted(), _children()
    _switch(is_on=True)
    _Windows.count += 1
    try:
        yield adopted
    finally:
        _Windows.count -= 1
        if not _Windows.count:
            _switch(is_on=False)
        for pid in _children() - before - adopted.known:
            reap_late(pid)


def _switch(*, is_on: bool) -> None:
    control(_PR_SET_CHILD_SUBREAPER, int(is_on), "PR_SET_CHILD_SUBREAPER")


def _children() -> set[int]:
    """Empty where the kernel does not list them."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            found.update(map(int, (thread / "children").read_text().split()))
    return found


def reap_late(pid: int) -> None:
    """A child of ours, a second after its end. Within a running loop, in its thread."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:  # It has been reaped.
        return
    except OSError:  # There is no descriptor left, say, or the kernel has none for processes.
        _look(pid, has_ended=False)
        return
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(descriptor)
        loop.call_later(_OTHERS_SECONDS, reap)

    def reap() -> None:
        with suppress(ChildProcessError):  # Somebody has.
            os.waitid(os.P_PIDFD, descriptor, os.WEXITED | os.WNOHANG)
        os.close(descriptor)

    loop.add_reader(descriptor, ended)


def _look(pid: int, *, has_ended: bool) -> None:
    """Reap one that had ended at the last look, or look again. The number is its own until then."""
    try:
        if has_ended:
            os.waitpid(pid, os.WNOHANG)
            return
        only_look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        has_ended = os.waitid(os.P_PID, pid, only_look) is not None
    except ChildProcessError:  # Somebody has.
        return
    loop = asyncio.get_running_loop()
    loop.call_later(_OTHERS_SECONDS, partial(_look, pid, has_ended=has_ended))
