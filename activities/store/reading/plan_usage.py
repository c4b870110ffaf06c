"""What plans and their nodes have used, wherever it is written down."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Used:
    """Tokens, and their cost in US dollars."""

    tokens: int = 0
    cost_usd: float = 0.0

    def __add__(self, other: "Used") -> "Used":
        return Used(self.tokens + other.tokens, self.cost_usd + other.cost_usd)


async def uses_of(
    connection: AsyncConnection, tasks: Collection[UUID], since: datetime | None
) -> Mapping[UUID, Mapping[bool, Used]]:
    """By task, and whether it is by those below it."""
    rows = await connection.execute(_USED, {"ids": list(tasks), "since": since})
    found: dict[UUID, dict[bool, Used]] = {task: {} for task in tasks}
    for row in rows:
        found[row.root][row.is_below] = Used(row.tokens, row.cost_usd)
    return found


# A plan is at most three deep; the bound is for rows that somebody else has written. What broke off
# is in the messages once its turn has an answer; turn 0 is none (see `KEEP_USED`). ``executions``
# and the mark of a router in them are those of the present run.
_USED = text(
    """
    WITH RECURSIVE below AS (
        SELECT id AS root, id, 0 AS depth FROM unnest(:ids) AS x(id)
        UNION ALL
        SELECT root, tasks.id, depth + 1
        FROM below JOIN tasks ON tasks.parent_id = below.id WHERE depth < 8
    ), taken AS (
        SELECT root, depth > 0 AS is_below, prompt_tokens + completion_tokens AS tokens, cost_usd
        FROM below JOIN messages ON messages.task_id = below.id AND role = 'assistant'
        WHERE CAST(:since AS timestamptz) IS NULL OR messages.created_at >= :since
        UNION ALL
        SELECT root, depth > 0 OR lost.turn = 0, lost.prompt_tokens + lost.completion_tokens,
               lost.cost_usd
        FROM below JOIN tasks ON tasks.id = below.id
        JOIN lost_answers AS lost ON lost.task_id = below.id
        WHERE (CAST(:since AS timestamptz) IS NULL OR executions @> to_jsonb(lost.execution))
          AND NOT EXISTS (
              SELECT FROM messages
              WHERE messages.task_id = lost.task_id AND messages.turn = lost.turn
                AND messages.execution = lost.execution AND role = 'assistant')
        UNION ALL
        SELECT root, depth > 0, CAST(route ->> 'tokens' AS bigint),
               CAST(route ->> 'cost_usd' AS float)
        FROM below JOIN tasks ON tasks.id = below.id
        WHERE route IS NOT NULL
          AND (CAST(:since AS timestamptz) IS NULL OR executions @> '["routed"]')
    )
    SELECT root, is_below, CAST(coalesce(sum(tokens), 0) AS bigint) AS tokens,
           coalesce(sum(cost_usd), 0.0) AS cost_usd
    FROM taken GROUP BY root, is_below
    """
).bindparams(
    bindparam("ids", type_=ARRAY(Uuid())), bindparam("since", type_=DateTime(timezone=True))
)
