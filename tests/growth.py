"""How much more it costs to do more: a check that holds on any machine, however fast and busy."""

import time
from collections.abc import Callable

# Work that takes less than this is too little for its cost to be told from the clock's noise.
_NOISE_SECONDS = 0.02
_RUNS = 5


def is_about_linear(work: Callable[[int], object], size: int) -> bool:
    """Whether four times as much takes less than ten times as long, in time of this thread.

    What grows with the square takes sixteen times as long. ``work`` does ``size`` of something.
    """
    most = 10 * max(_NOISE_SECONDS / 4, min(_seconds(work, size // 4) for _ in range(_RUNS)))
    # The least of some runs counts, for others on the machine can only make it more: one is enough.
    return any(_seconds(work, size) < most for _ in range(_RUNS))


def _seconds(work: Callable[[int], object], size: int) -> float:
    began = time.thread_time()
    work(size)
    return time.thread_time() - began
