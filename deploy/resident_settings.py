"""The settings of agents that stay."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from activities.reminders.options import ReminderLimits
from activities.residents.options import (
    DEFAULT_AGENTS,
    ConversationOptions,
    MemoryOptions,
    ResidentOptions,
)
from deploy.setting_values import YEAR_SECONDS, Count, CountOrZero


class ResidentSettings(BaseSettings):
    """A part of ``Settings``, which says how variables are named."""

    agents_path: str = Field(default="", description="folders of templates")
    agent_idle_seconds: float = Field(
        default=30.0, gt=0, le=3_600, description="until one that is told nothing sleeps"
    )
    max_agents: Count = Field(default=DEFAULT_AGENTS, description="of a team")
    reminder_least_seconds: float = Field(
        default=60.0, ge=1, le=YEAR_SECONDS, description="between two of those that come again"
    )
    reminders_per_agent: Count = Field(default=50, description="that are still to come")
    max_thinking_agents: CountOrZero = Field(default=0, description="of all teams; 0: no limit")
    summarise_tokens: CountOrZero = Field(default=0, description="0: a share of the context")

    @property
    def agent_folders(self) -> tuple[Path, ...]:
        """Those of ``AGENTOS_AGENTS_PATH``, separated like PATH."""
        return tuple(Path(part) for part in self.agents_path.split(os.pathsep) if part)

    @property
    def conversation_options(self) -> ConversationOptions:
        return ConversationOptions(idle_seconds=self.agent_idle_seconds)

    def memory_options(self, team_daily_tokens: int) -> MemoryOptions:
        return MemoryOptions(self.summarise_tokens or None, team_daily_tokens)

    @property
    def reminder_limits(self) -> ReminderLimits:
        return ReminderLimits(
            least_seconds=self.reminder_least_seconds, most=self.reminders_per_agent
        )

    @property
    def resident_options(self) -> ResidentOptions:
        return ResidentOptions(most=self.max_agents, thinking=self.max_thinking_agents or None)
