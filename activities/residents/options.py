"""What bounds the agents that stay of a team."""

from dataclasses import dataclass

DEFAULT_AGENTS = 10_000


@dataclass(frozen=True, slots=True)
class ResidentOptions:
    """A team has ``most`` agents, those that are terminated and not deleted among them."""

    most: int = DEFAULT_AGENTS


@dataclass(frozen=True, slots=True)
class ConversationOptions:
    """An agent that is told nothing for ``idle_seconds`` goes to sleep: its workflow ends."""

    idle_seconds: float = 30.0
