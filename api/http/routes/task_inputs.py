"""What a task was given."""

from uuid import UUID

from api.http.dependencies import ServicesDep, TeamDep
from api.http.routing import Routes
from api.tasks.inputs import described
from api.tasks.lookup import load_task
from api.wire.responses.files import TaskInputList

router = Routes(prefix="/tasks/{task_id}/inputs", tags=["tasks"])


@router.get("", operation_id="listTaskInputs")
async def list_inputs(task_id: UUID, services: ServicesDep, team_id: TeamDep) -> TaskInputList:
    """List the inputs of a task by name, with what is known of their files."""
    task = await load_task(services.database, team_id, task_id)
    return TaskInputList(items=list(await described(services, team_id, task.inputs)))
