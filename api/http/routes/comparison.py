"""A task beside another."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from api.http.dependencies import ServicesDep, TeamDep
from api.http.routing import Routes
from api.tasks.comparing import compare_task
from api.wire.responses.comparison import Comparison

router = Routes(prefix="/tasks/{task_id}/comparison", tags=["history"])


@router.get("", operation_id="compareTasks")
async def compare(
    task_id: UUID,
    services: ServicesDep,
    team_id: TeamDep,
    other_id: Annotated[
        UUID | None, Query(alias="with", description="another task of any name")
    ] = None,
) -> Comparison:
    """Compare a task with the last one of its name and type that was completed before it.

    One of a schedule is compared with others of that. Inputs and definitions are given where they
    differ, steps and files as they are in both.
    """
    return await compare_task(services, team_id, task_id, other_id)
