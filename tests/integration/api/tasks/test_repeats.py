"""Requests with files that are sent again under the same idempotency key."""

from typing import Any
from uuid import uuid4

import httpx

from tests.integration.api_stage import Stage, pipeline

CONTENT = b"a,b\n1,2\n"


async def upload(client: httpx.AsyncClient, content: bytes, name: str = "data.csv") -> str:
    """The reference to an uploaded file."""
    answer = await client.post("/files", files={"file": (name, content, "text/csv")})
    assert answer.status_code == 201, answer.text
    return f"file:{answer.json()['id']}"


def body(**inputs: str) -> dict[str, Any]:
    used = " ".join(f"INPUT_{name.upper()}" for name in inputs)
    return {"inputs": inputs, "pipeline": {**pipeline(f"print {used}"), "inputs": [*inputs]}}


async def test_a_file_that_lies_elsewhere_with_the_same_bytes_is_the_same_request(
    stage: Stage,
) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    one = await upload(stage.http, CONTENT)
    other = await upload(stage.http, CONTENT, "copy.csv")
    assert one != other
    first = await stage.http.post("/tasks", json=body(data=one), headers=key)
    again = await stage.http.post("/tasks", json=body(data=other), headers=key)
    assert again.status_code == 202, again.text
    assert again.json()["task_id"] == first.json()["task_id"]


async def test_a_file_that_a_task_made_is_told_by_its_bytes_as_well(stage: Stage) -> None:
    made = await stage.until(await stage.submit("file a.html <b>"), "completed")
    artifact = f"artifact:{made['artifacts'][0]['id']}"
    key = {"Idempotency-Key": str(uuid4())}
    first = await stage.http.post("/tasks", json=body(data=artifact), headers=key)
    uploaded = await upload(stage.http, b"<b>")
    again = await stage.http.post("/tasks", json=body(data=uploaded), headers=key)
    assert again.json()["task_id"] == first.json()["task_id"]


async def test_a_conflict_says_which_inputs_have_another_content(stage: Stage) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    one, other = await upload(stage.http, CONTENT), await upload(stage.http, b"a,b\n3,4\n")
    await stage.http.post("/tasks", json=body(data=one, rates=one), headers=key)
    for inputs, said in (
        ({"data": one, "rates": other}, "input 'rates' has another content"),
        ({"data": one, "prices": one}, "input 'prices' is new; input 'rates' is missing"),
    ):
        refused = await stage.http.post("/tasks", json=body(**inputs), headers=key)
        assert refused.status_code == 409
        assert refused.json()["code"] == "idempotency-conflict"
        assert said in refused.json()["detail"]


async def test_a_number_with_a_point_is_the_same_and_is_given_back_without_one(
    stage: Stage,
) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    request = {"pipeline": {**pipeline("print x"), "parallel": 3}, "priority": 7}
    pointed = {"pipeline": {**pipeline("print x"), "parallel": 3.0}, "priority": 7.0}
    first = await stage.http.post("/tasks", json=pointed, headers=key)
    assert first.status_code == 202, first.text
    again = await stage.http.post("/tasks", json=request, headers=key)
    assert (again.status_code, again.json()["existed"]) == (202, True)
    shown = await stage.http.get(f"/tasks/{first.json()['task_id']}")
    assert '"priority":7,' in shown.text
    assert '"parallel":3,' in shown.text or '"parallel":3}' in shown.text


async def test_a_conflict_about_something_else_says_that_inputs_are_the_same(stage: Stage) -> None:
    key, request = {"Idempotency-Key": str(uuid4())}, body(data=await upload(stage.http, CONTENT))
    await stage.http.post("/tasks", json=request, headers=key)
    refused = await stage.http.post("/tasks", json={**request, "priority": 9}, headers=key)
    assert refused.status_code == 409
    assert "its inputs are the same, but it differs in the priority." in refused.json()["detail"]


async def test_a_conflict_about_parameters_names_them(stage: Stage) -> None:
    definition = pipeline("print x")
    definition["steps"][0]["args"] = ["${parameters.p}", "${parameters.q}"]
    given = {"pipeline": {**definition, "parameters": {"p": 1, "q": 2}}}
    key = {"Idempotency-Key": str(uuid4())}
    assert (await stage.http.post("/tasks", json=given, headers=key)).status_code == 202
    given["pipeline"]["parameters"]["q"] = 3
    refused = await stage.http.post("/tasks", json=given, headers=key)
    assert "it differs in parameter 'q'." in refused.json()["detail"]
    given["pipeline"]["parameters"] = {"p": 1.0, "q": 2}
    refused = await stage.http.post("/tasks", json=given, headers=key)
    assert "it differs in parameter 'p'." in refused.json()["detail"]
    given["pipeline"]["name"] = "other"
    refused = await stage.http.post("/tasks", json=given, headers=key)
    assert "it differs in the definition." in refused.json()["detail"]


async def test_a_conflict_about_the_definition_says_so(stage: Stage) -> None:
    key, request = {"Idempotency-Key": str(uuid4())}, body(data=await upload(stage.http, CONTENT))
    await stage.http.post("/tasks", json=request, headers=key)
    request["pipeline"]["name"] = "other"
    refused = await stage.http.post("/tasks", json=request, headers=key)
    assert "but it differs in the definition." in refused.json()["detail"]


async def test_a_check_says_which_task_has_the_key(stage: Stage) -> None:
    key, request = {"Idempotency-Key": str(uuid4())}, {"pipeline": pipeline("print x")}
    before = await stage.http.post("/tasks/check", json=request, headers=key)
    made = await stage.http.post("/tasks", json=request, headers=key)
    after = await stage.http.post("/tasks/check", json=request, headers=key)
    assert before.json()["existing_task_id"] is None
    assert after.json()["existing_task_id"] == made.json()["task_id"]


async def test_a_repeat_is_known_after_a_retry_with_another_file(stage: Stage) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    one, other = await upload(stage.http, CONTENT), await upload(stage.http, b"other\n")
    first = await stage.http.post("/tasks", json=body(data=one), headers=key)
    task_id = first.json()["task_id"]
    await stage.until(task_id, "completed")
    retry = {"from": "a", "inputs": {"data": other}}
    assert (await stage.http.post(f"/tasks/{task_id}/retry", json=retry)).status_code == 202
    again = await stage.http.post("/tasks", json=body(data=one), headers=key)
    assert again.json()["task_id"] == task_id
    refused = await stage.http.post("/tasks", json=body(data=other), headers=key)
    assert refused.status_code == 409


async def test_a_repeat_is_known_when_its_file_is_gone(stage: Stage) -> None:
    key, file = {"Idempotency-Key": str(uuid4())}, await upload(stage.http, b"it goes\n")
    first = await stage.http.post("/tasks", json=body(data=file), headers=key)
    await stage.until(first.json()["task_id"], "completed")
    await stage.execute("DELETE FROM files WHERE id::text = :id", id=file.removeprefix("file:"))
    again = await stage.http.post("/tasks", json=body(data=file), headers=key)
    assert again.json()["task_id"] == first.json()["task_id"]
    new = await upload(stage.http, b"it goes\n")
    assert new != file
    assert (await stage.http.post("/tasks", json=body(data=new), headers=key)).json() == {
        **again.json()
    }


async def test_what_an_older_version_has_accepted_is_known_by_its_references(stage: Stage) -> None:
    """It wrote the digest alone, over references, and a row for each upload."""
    key = {"Idempotency-Key": str(uuid4())}
    one = await upload(stage.http, CONTENT)
    first = await stage.http.post("/tasks", json=body(data=one), headers=key)
    task_id = first.json()["task_id"]
    await stage.execute("UPDATE tasks SET request_inputs = NULL WHERE id::text = :id", id=task_id)
    copy = await upload(stage.http, CONTENT, "copy.csv")
    for same in (one, copy):
        again = await stage.http.post("/tasks", json=body(data=same), headers=key)
        assert again.json()["task_id"] == task_id
    refused = await stage.http.post(
        "/tasks", json=body(data=await upload(stage.http, b"x")), headers=key
    )
    assert "input 'data' has another content" in refused.json()["detail"]
