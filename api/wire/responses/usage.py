"""Tokens and cost of a team's agents."""

from datetime import date

from api.wire.responses.base import Answer


class DayUsage(Answer):
    day: date
    tokens: int
    cost_usd: float


class TeamUsage(Answer):
    """``daily_tokens`` is the team's quota, if any; ``days`` are in UTC, latest first."""

    daily_tokens: int | None
    tokens_left: int | None
    days: list[DayUsage]
