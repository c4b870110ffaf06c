"""A fork whose parent is our own parent: what the fork server makes are children of the supervisor.

So the supervisor waits for them, signals them and takes them with it as it does with what it starts
itself, and the end of the fork server is none of theirs. We fork twice, and the one in the middle
ends: its child is an orphan, which the kernel gives to who adopts (``adoption.py``).
"""

import os
import time
from pathlib import Path

_POLL_SECONDS = 0.000_5


def fork_for(parent: int) -> bool:
    """Fork, and return True in the child, once it is one of ``parent``.

    A child that somebody else gets runs nothing: nobody would wait for it, or end it.

    Raises:
        RuntimeError: there is another thread, whose locks would stay taken in the child.
        OSError: the kernel refuses.
    """
    if sum(1 for _ in Path("/proc/self/task").iterdir()) != 1:
        raise RuntimeError("no fork: there is more than one thread")
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        return False
    middle = os.getpid()
    _fork_and_end()
    while os.getppid() == middle:
        time.sleep(_POLL_SECONDS)
    if os.getppid() != parent:
        os._exit(1)
    return True


def _fork_and_end() -> None:
    """Returns in the child."""
    try:
        child = os.fork()
    except OSError:  # Who waits for a child sees that its channel has ended.
        os._exit(1)
    if child:
        os._exit(0)
