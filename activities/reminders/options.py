"""Bounds on the reminders of agents that stay."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReminderLimits:
    """None may come more often than every ``least_seconds``; an agent has ``most`` that are still
    to come."""

    least_seconds: float = 60.0
    most: int = 50
