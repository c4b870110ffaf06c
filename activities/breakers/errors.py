"""What a call is told that an open breaker keeps from being made."""

from workflows.errors import AgentOSError


class BreakerOpen(AgentOSError):
    """{name} is not called for now, because its breaker is open: {why}. {following}"""

    def __init__(self, *, name: str, why: str, seconds: float | None) -> None:
        by_hand = f"Somebody has to close it: agentos breakers close {name}"
        following = by_hand if seconds is None else f"The next try is in {seconds:.0f} s."
        super().__init__(name=name, why=why, following=following)
        self.name = name
        self.retry_after_seconds = seconds
