"""Plans: how a task was split."""

from uuid import UUID

from api.errors import PlanMissing
from api.http.dependencies import ServicesDep, TeamDep
from api.http.openapi import refusals
from api.http.routing import Routes
from api.tasks.plan_views import plan_of_task
from api.wire.responses.plans import PlanOfTask

router = Routes(prefix="/tasks/{task_id}/plan", tags=["plans"])


@router.get("", responses=refusals(PlanMissing), operation_id="getPlan")
async def show_plan(task_id: UUID, services: ServicesDep, team_id: TeamDep) -> PlanOfTask:
    """Show the nodes of a plan with their states, its revisions, and estimate and actual spending.

    While the plan waits for approval, these are the nodes to approve.
    """
    return await plan_of_task(services, team_id, task_id)
