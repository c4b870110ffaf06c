"""Tokens and cost of a team's agents."""

from datetime import date

from api.wire.responses.base import Answer


class OfModel(Answer):
    """What one ``model`` took on a day. Without a name it is what is not told apart: answers that
    broke off, and days before this was counted by model; there ``prompt_tokens`` and
    ``completion_tokens`` are null."""

    model: str | None
    tokens: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float


class DayUsage(Answer):
    """``models`` add up to the rest. The one that took most is first, that without a name last."""

    day: date
    tokens: int
    cost_usd: float
    models: list[OfModel]


class TeamUsage(Answer):
    """``daily_tokens`` is the team's quota, if any; ``days`` are in UTC, latest first."""

    daily_tokens: int | None
    tokens_left: int | None
    days: list[DayUsage]
