"""Tasks whose inputs were deleted: who is told, and what can still be run again."""

import json
from uuid import uuid4

import pytest

from tests.integration.api_stage import Stage
from tests.integration.cli_runs import agentos


@pytest.fixture
def name() -> str:
    return f"deleted {uuid4()}"


async def upload(stage: Stage, name: str) -> str:
    """Its reference."""
    answer = await stage.http.post("/files", files={"file": (f"{name}.csv", name.encode())})
    return f"file:{answer.json()['id']}"


async def failed_after_use(stage: Stage, name: str, ref: str) -> str:
    """A task that has failed in its second step, whose input only the first one has used."""
    steps = [
        {"id": "clean", "code": {"language": "shell", "source": "print INPUT_DATA"}},
        {"id": "sum", "code": {"language": "shell", "source": "fail"}},
    ]
    definition = {"name": name, "inputs": ["data"], "steps": steps}
    answer = await stage.http.post("/tasks", json={"pipeline": definition, "inputs": {"data": ref}})
    assert answer.status_code == 202, answer.text
    task_id = str(answer.json()["task_id"])
    await stage.until(task_id, "failed")
    return task_id


async def test_whoever_deletes_a_file_is_told_which_failed_tasks_had_it(
    stage: Stage, name: str
) -> None:
    ref = await upload(stage, name)
    task_id = await failed_after_use(stage, name, ref)
    unused = await agentos(stage.url, "files", "rm", await upload(stage, f"{name} unused"))
    assert "had it as an input" not in unused.stderr
    removed = await agentos(stage.url, "files", "rm", f"{name}.csv")
    assert removed.code == 0
    assert f"{task_id[:8]}" in removed.stderr
    assert f"{name}, failed, had it as an input" in removed.stderr


async def test_tasks_are_listed_by_a_reference_that_they_were_given(
    stage: Stage, name: str
) -> None:
    ref = await upload(stage, name)
    task_id = await failed_after_use(stage, name, ref)
    for given, found in ((f"file:{ref[5:].upper()}", [task_id]), (f"file:{uuid4()}", [])):
        listed = (await stage.http.get("/tasks", params={"given": given})).json()["items"]
        assert [task["task_id"] for task in listed] == found
    other = (await stage.http.get("/tasks", params={"given": ref, "status": "completed"})).json()
    assert other["items"] == []


async def test_an_input_that_only_kept_steps_have_used_may_be_gone(stage: Stage, name: str) -> None:
    ref = await upload(stage, name)
    task_id = await failed_after_use(stage, name, ref)
    assert (await agentos(stage.url, "files", "rm", ref)).code == 0
    definition = (await stage.task(task_id))["definition"]
    definition["steps"][1]["code"]["source"] = "print mended"
    retried = await stage.http.post(f"/tasks/{task_id}/retry", json={"pipeline": definition})
    assert retried.status_code == 202, retried.text
    assert (await stage.until(task_id, "completed", "failed"))["status"] == "completed"


async def test_a_retry_is_refused_before_it_begins_where_a_step_may_find_what_is_gone(
    stage: Stage, name: str
) -> None:
    ref = await upload(stage, name)
    task_id = await failed_after_use(stage, name, ref)
    assert (await agentos(stage.url, "files", "rm", ref)).code == 0
    definition = (await stage.task(task_id))["definition"]
    for runs in ({"skill": "greet"}, {"code": {"language": "shell", "source": "ls .."}}):
        definition["steps"][1] = {"id": "sum", **runs}
        asked = {"pipeline": definition, "dry_run": True}
        refused = await stage.http.post(f"/tasks/{task_id}/retry", json=asked)
        assert refused.status_code == 422, refused.text
        assert "--input data=FILE" in refused.text
        assert ref in refused.text


async def test_a_deleted_input_that_is_read_again_is_named_with_what_to_do(
    stage: Stage, name: str
) -> None:
    ref = await upload(stage, name)
    task_id = await failed_after_use(stage, name, ref)
    assert (await agentos(stage.url, "files", "rm", ref)).code == 0
    for words in (("retry", task_id, "--from", "clean"), ("rerun", task_id)):
        refused = await agentos(stage.url, *words)
        assert refused.code == 2
        assert f"file '{name}.csv' was deleted ({ref})" in refused.stderr
        assert "--input data=FILE" in refused.stderr
    shown = await agentos(stage.url, "show", task_id)
    assert f"{name}.csv  deleted  {ref}" in shown.stdout
    inputs = (await stage.http.get(f"/tasks/{task_id}/inputs")).json()["items"]
    assert [item["deleted_name"] for item in inputs] == [f"{name}.csv"], json.dumps(inputs)
