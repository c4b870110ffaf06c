"""What bounds the agents that stay of a team."""

from dataclasses import dataclass

DEFAULT_AGENTS = 10_000


@dataclass(frozen=True, slots=True)
class ResidentOptions:
    """A team has ``most`` agents, those that are terminated and not deleted among them. So many of
    all teams may be ``thinking`` at once; None is no limit."""

    most: int = DEFAULT_AGENTS
    thinking: int | None = None
