"""Counting attempts at steps and calls."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from activities.metrics.definitions import STEP_RETRIES, STEP_SECONDS, STEPS_RUNNING
from activities.metrics.numbers import Numbers
from workflows.states import Status


@dataclass(frozen=True, slots=True)
class Counted:
    """Those of one ``kind``."""

    numbers: Numbers
    kind: str

    def running(self) -> AbstractContextManager[None]:
        return self.numbers.during(STEPS_RUNNING, self.kind)

    def ended(self, status: Status, duration_ms: int) -> None:
        self.numbers.observe(STEP_SECONDS, duration_ms / 1_000, self.kind, status.value)
        if status is Status.QUEUED:
            self.numbers.count(STEP_RETRIES, self.kind)
