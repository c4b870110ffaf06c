"""What an export of a task holds."""

from uuid import uuid4

from activities.store import tasks
from activities.store.keys import DEFAULT_TEAM
from api.tasks.exporting import exported
from tests.integration.api_stage import Stage
from tests.integration.new_tasks import new_task
from workflows.definitions.plan import Plan
from workflows.states import TaskType

NODES = 510


async def test_an_export_of_a_large_plan_has_every_node(stage: Stage) -> None:
    plan_id = uuid4()
    plan = new_task(TaskType.PLAN, Plan(), task_id=plan_id, prompt="Do it.")
    await tasks.create_task(stage.database, plan)
    await stage.execute(
        """
        WITH child AS (
            INSERT INTO tasks
                (id, team_id, parent_id, type, name, status, priority, definition, inputs, run,
                 first_step, event_seq, executions, finished_at)
            SELECT gen_random_uuid(), :team, :plan, 'agent', 'n' || n, 'completed', 5, '{}', '{}',
                   1, 0, 1, '[]', now()
            FROM generate_series(1, :nodes) AS n
            RETURNING id, name
        )
        INSERT INTO sub_tasks
            (id, team_id, task_id, name, task_type, status, dependencies, input_context,
             retry_count, execution_order, number, child_id)
        SELECT gen_random_uuid(), :team, :plan, name, 'agent', 'completed', '[]', '{}', 0, 4,
               CAST(substr(name, 2) AS int), id
        FROM child
        """,
        team=DEFAULT_TEAM,
        plan=plan_id,
        nodes=NODES,
    )
    names = [file.name async for file in exported(stage.services, DEFAULT_TEAM, plan_id)]
    assert sum(name.endswith("/task.json") for name in names) == NODES
