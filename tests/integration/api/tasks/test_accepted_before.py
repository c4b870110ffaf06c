"""Tasks that were accepted when less was refused."""

from uuid import UUID, uuid4

from sqlalchemy import text

from tests.integration.api_stage import Stage


async def failed_with_a_star(stage: Stage) -> str:
    """A task that refers to a file whose name would be taken for a pattern today."""
    shell = {"language": "shell"}
    steps = [
        {"id": "split", "code": {**shell, "source": "file Q1.csv x"}},
        {
            "id": "sum",
            "code": {**shell, "source": "fail"},
            "args": ["${steps.split.files['Q1.csv']}"],
        },
    ]
    definition = {"name": f"before {uuid4()}", "steps": steps}
    answer = await stage.http.post("/tasks", json={"pipeline": definition})
    task_id = str(answer.json()["task_id"])
    await stage.until(task_id, "failed")
    async with stage.database.writing() as connection:
        for statement in (
            """UPDATE tasks SET definition = replace(definition::text, 'Q1.', 'Q1?.')::jsonb
            WHERE id = :id""",
            """UPDATE sub_tasks
            SET input_context = replace(input_context::text, 'Q1.', 'Q1?.')::jsonb
            WHERE task_id = :id""",
        ):
            await connection.execute(text(statement), {"id": UUID(task_id)})
    return task_id


async def test_a_task_of_before_runs_again_though_its_pipeline_would_be_refused_today(
    stage: Stage,
) -> None:
    task_id = await failed_with_a_star(stage)
    definition = (await stage.task(task_id))["definition"]
    refused = await stage.http.post("/tasks", json={"pipeline": definition})
    assert "a pattern stands in foreach only" in refused.text
    for request in ({}, {"pipeline": {**definition, "name": "mended"}}):
        retried = await stage.http.post(f"/tasks/{task_id}/retry", json=request)
        assert retried.status_code == 202, retried.text
        await stage.until(task_id, "failed")
    assert (await stage.http.post(f"/tasks/{task_id}/rerun", json={})).status_code == 202


async def test_a_retry_takes_no_pattern_that_the_task_did_not_have(stage: Stage) -> None:
    task_id = await failed_with_a_star(stage)
    definition = (await stage.task(task_id))["definition"]
    definition["steps"][1]["args"] = ["${steps.split.files['*.csv']}"]
    refused = await stage.http.post(f"/tasks/{task_id}/retry", json={"pipeline": definition})
    assert refused.status_code == 422
    assert "a pattern stands in foreach only" in refused.text
