"""What bounds the agents that stay of a team, and how they sleep and remember."""

from dataclasses import dataclass

DEFAULT_AGENTS = 10_000


@dataclass(frozen=True, slots=True)
class ResidentOptions:
    """A team has ``most`` agents, those that are terminated and not deleted among them. So many of
    all teams may be ``thinking`` at once; None is no limit."""

    most: int = DEFAULT_AGENTS
    thinking: int | None = None


@dataclass(frozen=True, slots=True)
class ConversationOptions:
    """An agent that is told nothing for ``idle_seconds`` goes to sleep: its workflow ends."""

    idle_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class MemoryOptions:
    """Exchanges that have more than ``summarise_tokens`` are summed up; None: as is fit for the
    model. ``daily_tokens`` is the quota of a team that has none of its own; 0 is no limit."""

    summarise_tokens: int | None = None
    daily_tokens: int = 0
