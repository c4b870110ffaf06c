"""How long work waits for a breaker."""

import random
from collections.abc import Callable

from activities.attempts.holding import Held
from activities.breakers.errors import BreakerOpen

# However long it is open: somebody may close it meanwhile.
LONGEST_SECONDS = 60.0
_SHORTEST_SECONDS = 0.5
_JITTER = (1.0, 1.2)


def held_by(
    refused: BreakerOpen, *, uniform: Callable[[float, float], float] = random.uniform
) -> Held:
    """What waits is tried again shortly after the breaker is, and not all of it at once."""
    seconds = refused.retry_after_seconds
    wanted = LONGEST_SECONDS if seconds is None else min(seconds, LONGEST_SECONDS)
    wait_seconds = max(wanted, _SHORTEST_SECONDS) * uniform(*_JITTER)
    return Held(what=f"the breaker of {refused.name}", seconds=wait_seconds)
