"""Holding a job's processes still for a moment, so that what they hold can be counted."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from activities.sandbox.tree import Identity, Member, read_member

# A process that forks all the time is followed by its children, each of which has to be stopped.
_ROUNDS = 50
_PAUSE_SECONDS = 0.001


@contextmanager
def standing_still(list_members: Callable[[], list[Member]]) -> Iterator[list[Member]]:
    """Gives the processes that ``list_members`` finds, all of them stopped as far as that can be.

    SIGSTOP cannot be refused, and a stopped process starts no other: after some rounds nobody new
    is left. Those that the job itself had stopped stay so afterwards. Blocks for up to 0.1 s.
    """
    stopped: dict[Identity, int] = {}
    try:
        members = list_members()
        for _ in range(_ROUNDS):
            moving = [member for member in members if not member.is_still]
            if not moving:
                break
            for member in moving:
                if member.identity not in stopped and (handle := _stop(member)) is not None:
                    stopped[member.identity] = handle
            time.sleep(_PAUSE_SECONDS)
            members = list_members()
        yield members
    finally:
        for handle in stopped.values():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGCONT)
            os.close(handle)


def _stop(member: Member) -> int | None:
    """A descriptor of the process that was stopped; None when it has ended.

    Its pid may be another's by now, one that is not the job's: so it is looked at again once the
    descriptor holds it.
    """
    try:
        handle = os.pidfd_open(member.pid)
    except OSError:
        return None
    try:
        if read_member(member.pid).is_same_process(member):
            signal.pidfd_send_signal(handle, signal.SIGSTOP)
            return handle
    except OSError:
        pass
    os.close(handle)
    return None
