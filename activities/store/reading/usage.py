"""What a task has used."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, cast, func, select, true
from sqlmodel import col

from activities.store.query import Asked, Query, given
from activities.store.tables import ExecutionLog, Message, Task


@dataclass(frozen=True, slots=True)
class TaskUsage:
    """Of all runs. ``turns`` are answers of the model; ``attempts`` are those at steps and calls,
    whose time and the model's together is ``duration_ms``."""

    tokens_used: int
    cost_usd: float
    turns: int
    attempts: int
    duration_ms: int


async def usage_of(asked: Asked, team_id: UUID, task_id: UUID) -> TaskUsage:
    """With what was used to choose what the task is: the conversation of that is gone."""
    return TaskUsage(*await _USAGE.row(asked, team_id=team_id, task_id=task_id))


def _usage() -> Select[Any]:
    task_id, team_id = given("task_id"), given("team_id")
    attempts = (
        select(
            func.coalesce(func.sum(col(ExecutionLog.tokens_used)), 0).label("tokens"),
            func.count().label("attempts"),
            func.coalesce(func.sum(col(ExecutionLog.duration_ms)), 0).label("ms"),
        )
        .where(col(ExecutionLog.task_id) == task_id, col(ExecutionLog.team_id) == team_id)
        .subquery()
    )
    tokens = col(Message.prompt_tokens) + col(Message.completion_tokens)
    answers = (
        select(
            func.coalesce(func.sum(tokens), 0).label("tokens"),
            func.coalesce(func.sum(col(Message.cost_usd)), 0.0).label("cost_usd"),
            func.count().label("turns"),
            func.coalesce(func.sum(col(Message.duration_ms)), 0).label("ms"),
        )
        .where(
            col(Message.task_id) == task_id,
            col(Message.team_id) == team_id,
            col(Message.role) == "assistant",
        )
        .subquery()
    )
    route = (
        select(
            *(
                func.coalesce(func.sum(col(Task.route)[name].as_float()), 0.0).label(name)
                for name in ("tokens", "cost_usd", "turns", "duration_ms")
            )
        )
        .where(col(Task.id) == task_id, col(Task.team_id) == team_id)
        .subquery()
    )
    return select(
        attempts.c.tokens + answers.c.tokens + cast(route.c.tokens, BigInteger),
        answers.c.cost_usd + route.c.cost_usd,
        answers.c.turns + cast(route.c.turns, BigInteger),
        attempts.c.attempts,
        attempts.c.ms + answers.c.ms + cast(route.c.duration_ms, BigInteger),
    ).select_from(attempts.join(answers, true()).join(route, true()))


_USAGE = Query(_usage())
