"""Calls that wait for a person, as workers write them down."""

import json
from typing import Any
from uuid import UUID, uuid4

from activities.store.approvals import Approval
from tests.integration.agent_stage import approval
from tests.integration.api_stage import Stage


async def ask(
    stage: Stage,
    task_id: UUID,
    arguments: dict[str, Any],
    *,
    tool: str = "write_file",
    asked: Approval | None = None,
) -> UUID:
    """Write down that a call of a task waits, as a worker does."""
    call_id = uuid4()
    context = {
        "tool": tool,
        "arguments": arguments,
        "turn": 1,
        "request_id": "r",
        "is_retry_safe": True,
    }
    said = asked or approval("approval")
    await stage.execute(
        """
        INSERT INTO sub_tasks (id, team_id, task_id, name, task_type, status, dependencies,
                               input_context, approval, retry_count, execution_order)
        SELECT :id, team_id, id, :name, 'tool', 'waiting', '[]',
               CAST(:context AS jsonb), CAST(:approval AS jsonb), 0, 4
        FROM tasks WHERE id = :task_id""",
        id=call_id,
        task_id=task_id,
        context=json.dumps(context),
        name=f"1.1 {tool}",
        approval=said.model_dump_json(exclude_none=True),
    )
    return call_id
