"""Counting attempts at turns."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from activities.attempts.holding import Held
from activities.metrics.definitions import TURN_SECONDS
from activities.metrics.numbers import Numbers
from workflows.states import TaskType


@contextmanager
def counted_turn(numbers: Numbers, task_type: TaskType) -> Iterator[None]:
    started, end = time.monotonic(), "failed"
    try:
        yield
        end = "completed"
    except Held:
        end = "held"
        raise
    finally:
        numbers.observe(TURN_SECONDS, time.monotonic() - started, task_type.value, end)
