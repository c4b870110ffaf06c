"""A breaker of a team, as one worker knows it and the database keeps it."""

from dataclasses import dataclass

from activities.breakers.breaker import Breaker, Shared
from activities.store.breakers import BreakerKey, StoredBreaker


@dataclass(slots=True)
class Known:
    """``writing`` are changes of ours that the database has not answered yet; what was read before
    ``told_at`` may be older than its last answer."""

    key: BreakerKey
    breaker: Breaker
    writing: int = 0
    told_at: float = 0.0

    def learn(self, stored: StoredBreaker) -> None:
        self.breaker.learn(Shared(stored.state, stored.seconds, why(stored)))


def why(stored: StoredBreaker) -> str:
    """Why it is open, as a part of a sentence. The words are ours, and those of who opened it."""
    if stored.decided_by is None:
        return stored.reason
    note = f" ({stored.note})" if stored.note else ""
    return f"it was opened by hand{note}"
