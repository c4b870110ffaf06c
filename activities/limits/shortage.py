"""What a piece of work has to wait for, and for how long it may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from activities.limits.base import Limit, rate_key
from activities.limits.line import Waiting

# A slot is told of by whoever gives one back, so this is for when no word comes. It doubles, and is
# longer where many come before: hundreds that ask in vain would keep those from the lock whose turn
# it is.
FIRST_PAUSE_SECONDS = 5.0
PAUSE_SECONDS_EACH = 1.0
LONGEST_PAUSE_SECONDS = 300.0
# Each try costs workflow history some events. Two hours of the former are enough to lose hope in.
PATIENT_TRIES = 24
PATIENT_PAUSE_SECONDS = 3_600.0
SHORTEST_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Shortage:
    """``what`` a piece of work has to wait for, and how long at most until it tries again."""

    what: str
    seconds: float


def shortage_of(
    holder: UUID,
    wanted: Sequence[Limit],
    line: Sequence[Waiting],
    free: Mapping[str, float],
    tries: int,
) -> Shortage:
    """What it waits for first: a place, for that may take longer than a rate."""
    before: list[Waiting] = []
    for each in line:
        if each.holder == holder:
            break
        before.append(each)
    first = max(FIRST_PAUSE_SECONDS, len(before) * PAUSE_SECONDS_EACH)
    pause = min(first * 2.0 ** min(tries, 10), LONGEST_PAUSE_SECONDS)
    if tries > PATIENT_TRIES:
        pause = PATIENT_PAUSE_SECONDS
    for limit in wanted:
        ahead = sum(limit.key in each.keys for each in before)
        if limit.bounds.running is not None and free[limit.key] <= ahead:
            return Shortage(f"a slot of {limit.name} ({ahead} before it)", pause)
    for limit in wanted:
        key = rate_key(limit.key)
        ahead = sum(key in each.keys for each in before)
        if key in free and free[key] < ahead + 1:
            seconds = (ahead + 1 - free[key]) * limit.bounds.token_seconds
            what = f"its turn with {limit.name} ({limit.bounds.per_minute} a minute)"
            at_most = min(seconds, LONGEST_PAUSE_SECONDS)
            return Shortage(what, max(at_most, SHORTEST_PAUSE_SECONDS))
    return Shortage(f"its turn ({len(before)} before it)", pause)
