"""Turns that wait for a model that is away for longer than their retries last: those of agents that
stay, for nobody may be there to try again."""

import random
from collections.abc import Callable

from activities.attempts.holding import Held
from workflows import policies
from workflows.errors import AgentOSError
from workflows.errors.models import ModelOverloaded

# The model is asked again after one minute, then two, then four, and then every five.
FIRST_SECONDS = 60.0
LONGEST_SECONDS = 300.0
_JITTER = (1.0, 1.2)

_REASON_CHARACTERS = 300


def held_by_model(
    error: AgentOSError, failures: int, *, uniform: Callable[[float, float], float] = random.uniform
) -> Held:
    """``failures`` attempts at the turn failed before this one, which failed of ``error``."""
    times = max(0, failures - policies.THINK_RETRIES)
    seconds = min(FIRST_SECONDS * 2.0 ** min(times, 10), LONGEST_SECONDS) * uniform(*_JITTER)
    why = "overloaded" if isinstance(error, ModelOverloaded) else "away"
    model, reason = error.fields.get("model", "its model"), str(error.fields.get("reason", ""))
    return Held(
        what=f"{model}, which is {why}: {reason[:_REASON_CHARACTERS]}",
        seconds=max(seconds, error.retry_after_seconds or 0.0),
        failure=error,
    )
