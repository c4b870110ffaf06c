"""What a task was given, with the files behind the references."""

from uuid import UUID, uuid4

from tests.integration.api_stage import Stage, pipeline


async def _given(stage: Stage, **inputs: str) -> str:
    definition = pipeline("print 1")
    definition["inputs"] = list(inputs)
    definition["steps"][0]["args"] = [f"${{inputs.{name}}}" for name in inputs]
    answer = await stage.http.post("/tasks", json={"pipeline": definition, "inputs": inputs})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


async def test_inputs_are_listed_with_the_names_of_uploads_and_of_files_that_tasks_made(
    stage: Stage,
) -> None:
    file = (await stage.http.post("/files", files={"file": ("a.csv", uuid4().bytes)})).json()
    assert file.pop("existed") is False
    maker = await stage.submit("file page.html hello")
    [made] = (await stage.until(maker, "completed"))["artifacts"]
    task_id = await _given(stage, sales=f"file:{file['id']}", page=f"artifact:{made['id']}")
    answer = await stage.http.get(f"/tasks/{task_id}/inputs")
    found = {item["name"]: item for item in answer.json()["items"]}
    assert found["sales"] == {
        "name": "sales",
        "ref": f"file:{file['id']}",
        "file": file,
        "deleted_name": None,
        "task_id": None,
    }
    assert (found["page"]["file"]["name"], found["page"]["task_id"]) == ("page.html", maker)
    assert (await stage.http.get(found["page"]["file"]["url"].removeprefix("/api/v1"))).is_success


async def test_a_task_without_inputs_has_none(stage: Stage) -> None:
    task_id = await stage.submit("print 1")
    assert (await stage.http.get(f"/tasks/{task_id}/inputs")).json() == {"items": []}
    assert (await stage.http.get(f"/tasks/{uuid4()}/inputs")).status_code == 404


async def test_a_file_that_is_gone_is_a_reference_only(stage: Stage) -> None:
    file = (await stage.http.post("/files", files={"file": ("a.csv", b"gone")})).json()
    task_id = await _given(stage, sales=f"file:{file['id']}")
    await stage.until(task_id, "completed")
    await stage.execute("DELETE FROM files WHERE id = :id", id=UUID(file["id"]))
    [item] = (await stage.http.get(f"/tasks/{task_id}/inputs")).json()["items"]
    assert (item["ref"], item["file"]) == (f"file:{file['id']}", None)


async def test_a_task_tells_its_last_event_and_that_a_pause_was_asked_for(stage: Stage) -> None:
    task_id = await stage.submit("print 1")
    task = await stage.until(task_id, "completed")
    assert task["last_event"] > 0
    assert task["is_pausing"] is False
    answer = await stage.http.get(f"/tasks/{task_id}/events", params={"after": task["last_event"]})
    assert answer.status_code == 204
