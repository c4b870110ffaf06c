"""Rows of agents that stay and of their exchanges, as a test wants them to be."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from workflows.definitions.resident import Resident
from workflows.resident_contracts import exchange_id
from workflows.states import Status, TaskType


async def write(database: Database, statement: str, **values: object) -> None:
    async with database.writing() as connection:
        await connection.execute(text(statement), values)


async def read(database: Database, query: str, **values: object) -> Sequence[Any]:
    async with database.reading(fresh=True) as connection:
        return (await connection.execute(text(query), values)).all()


async def new_agent(
    database: Database,
    resident: Resident | None = None,
    *,
    name: str = "",
    team_id: UUID = DEFAULT_TEAM,
) -> UUID:
    agent_id = uuid4()
    definition = (resident or Resident()).model_dump(mode="json", exclude_defaults=True)
    await write(
        database,
        """
        INSERT INTO agents (id, team_id, name, depth, definition, message_seq, told_seq, exchanges)
        VALUES (:id, :team_id, :name, 0, CAST(:definition AS jsonb), 0, 0, 0)""",
        id=agent_id,
        team_id=team_id,
        name=name or f"agent-{agent_id.hex[:8]}",
        definition=json.dumps(definition),
    )
    return agent_id


async def new_exchange(
    database: Database,
    agent_id: UUID,
    number: int,
    prompt: str,
    messages: Sequence[dict[str, Any]] = (),
    *,
    reply: str | None = None,
    status: Status = Status.COMPLETED,
    **more: Any,
) -> UUID:
    """An exchange of a prompt and ``messages``: ``{"role", "content", "requests", ...}``, which are
    numbered as they come. ``more`` are columns of its task."""
    task_id = exchange_id(agent_id, number)
    result = None if reply is None else json.dumps({"reply": reply} | more.pop("result", {}))
    error = more.pop("error", None)
    await write(
        database,
        """
        INSERT INTO tasks
            (id, team_id, type, name, prompt, parent_id, status, priority, definition,
             inputs, first_step, result, error, run, event_seq, executions, finished_at)
        SELECT :id, team_id, :type, 'exchange', :prompt, id, :status, 5,
               jsonb_build_object('number', CAST(:number AS int)), '{}', 0,
               CAST(:result AS jsonb), CAST(:error AS jsonb), 1, 0, '[]',
               CASE WHEN :ended THEN now() END
        FROM agents WHERE id = :agent_id""",
        id=task_id,
        agent_id=agent_id,
        type=TaskType.EXCHANGE,
        number=number,
        prompt=prompt,
        status=status,
        result=result,
        error=error and json.dumps(error),
        ended=status not in {Status.RUNNING, Status.QUEUED},
    )
    await _write_messages(database, task_id, messages)
    await write(
        database,
        "UPDATE agents SET exchanges = greatest(exchanges, :number), exchange_id = :id "
        "WHERE id = :agent_id",
        agent_id=agent_id,
        number=number,
        id=task_id,
    )
    return task_id


async def _write_messages(
    database: Database, task_id: UUID, messages: Sequence[dict[str, Any]]
) -> None:
    await write(
        database,
        """
        INSERT INTO messages
            (task_id, seq, team_id, turn, role, content, requests, request_id, is_protected,
             execution, prompt_tokens, completion_tokens, cost_usd)
        SELECT :id, place, tasks.team_id, coalesce(turn, 0), role, coalesce(content, ''), requests,
               request_id, coalesce(is_protected, false), 'a', 0, 0, 0
        FROM tasks, ROWS FROM (jsonb_to_recordset(CAST(:messages AS jsonb)) AS (
                 role text, content text, requests jsonb, request_id text, turn int,
                 is_protected bool
             )) WITH ORDINALITY
             AS x(role, content, requests, request_id, turn, is_protected, place)
        WHERE tasks.id = :id""",
        id=task_id,
        messages=json.dumps(list(messages)),
    )
