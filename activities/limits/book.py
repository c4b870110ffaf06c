"""The limits that are set, remembered for a moment: where there are none they cost nothing."""

import time
from collections.abc import Mapping

from activities.limits.base import (
    AGENTS_KEY,
    Bounds,
    Limit,
    Limits,
    agents_key,
    model_key,
    team_key,
    tool_key,
    tool_name,
)
from activities.store.database import Database
from activities.store.limits import limits_set

# A change of a limit counts after so long at the latest.
REMEMBERED_SECONDS = 1.0


class LimitBook:
    """``models`` are the limits of models, and ``thinking`` is how many agents that stay may think
    at once: both hold for all teams together."""

    def __init__(
        self, database: Database, models: Mapping[str, Bounds], thinking: int | None = None
    ) -> None:
        self._database = database
        self._models = models
        self._agents = Limit(AGENTS_KEY, "agents of all teams", None, Bounds(running=thinking))
        self._read_at = -REMEMBERED_SECONDS
        self._limits = Limits.of((), {})

    async def limits(self) -> Limits:
        """Raises ``TemporaryFailure``."""
        now = time.monotonic()
        if now - self._read_at >= REMEMBERED_SECONDS:
            self._limits = await self.read()
            self._read_at = now
        return self._limits

    def forget(self) -> None:
        """Read them anew when they are wanted next."""
        self._read_at = -REMEMBERED_SECONDS

    async def read(self) -> Limits:
        """What is set at this moment, for people: they look for what they have just set.

        Raises ``TemporaryFailure``.
        """
        teams, tools = await limits_set(self._database)
        of_models = (
            Limit(model_key(name), f"model:{name}", None, bounds)
            for name, bounds in self._models.items()
        )
        of_teams = (
            Limit(team_key(team.team_id), "team", team.team_id, Bounds(running=team.max_running))
            for team in teams
        )
        of_agents = (
            Limit(
                agents_key(team.team_id),
                AGENTS_KEY,
                team.team_id,
                Bounds(running=team.max_thinking),
            )
            for team in teams
        )
        of_tools = (
            Limit(
                tool_key(tool.team_id, tool.name),
                tool_name(tool.name),
                tool.team_id,
                Bounds(running=tool.max_running, per_minute=tool.calls_per_minute),
            )
            for tool in tools
        )
        weights = {team.team_id: team.weight for team in teams if team.weight is not None}
        return Limits.of((self._agents, *of_models, *of_agents, *of_teams, *of_tools), weights)
