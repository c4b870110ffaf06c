"""New tasks like others, over HTTP; and what a retry keeps of a pipeline that was mended."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from tests.integration.api_stage import Stage, pipeline


async def rerun(stage: Stage, task_id: str, **body: Any) -> dict[str, Any]:
    answer = await stage.http.post(f"/tasks/{task_id}/rerun", json=body)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def test_a_task_that_runs_or_has_ended_can_be_run_once_more(stage: Stage) -> None:
    failed = await stage.submit("fail", cache=False)
    await stage.until(failed, "failed")
    again = await rerun(stage, failed)
    assert again["task_id"] != failed
    assert again["links"]["self"].endswith(again["task_id"])
    task = await stage.until(again["task_id"], "failed")
    assert task["definition"] == (await stage.task(failed))["definition"]
    async with stage.database.reading(fresh=True) as connection:
        cache = await connection.scalar(
            text("SELECT cache FROM tasks WHERE id = :id"), {"id": UUID(again["task_id"])}
        )
    assert cache is False


async def test_a_task_is_run_once_more_only_once_under_a_key(stage: Stage) -> None:
    task_id, key = await stage.submit("print x"), {"Idempotency-Key": str(uuid4())}
    path = f"/tasks/{task_id}/rerun"
    first = await stage.http.post(path, headers=key)
    again = await stage.http.post(path, headers=key)
    assert first.json()["task_id"] == again.json()["task_id"]
    assert first.headers["Location"].endswith(first.json()["task_id"])
    assert (first.json()["existed"], again.json()["existed"]) == (False, True)
    refused = await stage.http.post(path, headers=key, json={"cache": False})
    assert refused.status_code == 409
    assert f"task {first.json()['task_id']}: " in refused.json()["detail"]
    assert "it differs in whether kept results are used" in refused.json()["detail"]


async def test_the_key_of_a_task_itself_makes_no_new_one_of_it(stage: Stage) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    body = {"pipeline": pipeline("print x")}
    task_id = (await stage.http.post("/tasks", json=body, headers=key)).json()["task_id"]
    refused = await stage.http.post(f"/tasks/{task_id}/rerun", headers=key)
    assert refused.status_code == 409
    assert "it is the key of the task that is to be run once more" in refused.json()["detail"]


async def test_an_agent_is_run_once_more_with_its_prompt_and_limits(agents_stage: Stage) -> None:
    body = {"type": "agent", "prompt": "Look", "agent": {"limits": {"turns": 3}}}
    made = (await agents_stage.http.post("/tasks", json=body)).json()["task_id"]
    again = await rerun(agents_stage, made)
    task = (await agents_stage.http.get(f"/tasks/{again['task_id']}")).json()
    assert (task["type"], task["prompt"]) == ("agent", "Look")
    assert task["definition"]["limits"]["turns"] == 3


@pytest.mark.parametrize(
    ("body", "pointer", "message"),
    [
        ({"inputs": {"other": "file:x"}}, "/inputs/other", "no such input (inputs: data)"),
        ({"inputs": {"date": "file:x"}}, "/inputs/date", "did you mean 'data'?"),
        ({"parameters": {"rows": 1}}, "/parameters/rows", "no such parameter (parameters: none)"),
        ({"inputs": {"data": f"file:{UUID(int=1)}"}}, "/inputs/data", ""),
    ],
    ids=["unknown", "mistyped", "parameter", "gone"],
)
async def test_what_does_not_fit_the_task_is_refused(
    stage: Stage, body: dict[str, Any], pointer: str, message: str
) -> None:
    file = await stage.http.post("/files", files={"file": ("a.csv", b"a")})
    definition = {**pipeline("print INPUT_DATA"), "inputs": ["data"]}
    given = {"pipeline": definition, "inputs": {"data": f"file:{file.json()['id']}"}}
    task_id = (await stage.http.post("/tasks", json=given)).json()["task_id"]
    refused = await stage.http.post(f"/tasks/{task_id}/rerun", json=body)
    assert refused.status_code == 422
    [problem] = refused.json()["errors"]
    assert problem["pointer"] == pointer
    assert message in problem["message"]


async def dry_run(stage: Stage, task_id: str, key: str | None = None, **body: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    path = f"/tasks/{task_id}/rerun"
    answer = await stage.http.post(path, json={**body, "dry_run": True}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_dry_run_says_what_would_be_submitted_and_submits_nothing(stage: Stage) -> None:
    files = [
        (await stage.http.post("/files", files={"file": ("a.csv", uuid4().bytes)})).json()["id"]
        for _ in range(2)
    ]
    definition = {**pipeline("print INPUT_DATA"), "inputs": ["data"], "parameters": {"rows": 5}}
    definition["steps"][0]["args"] = ["${parameters.rows}"]
    definition["name"] = f"dry {uuid4()}"
    given = {"pipeline": definition, "inputs": {"data": f"file:{files[0]}"}, "priority": 8}
    task_id = (await stage.http.post("/tasks", json=given)).json()["task_id"]
    other = {"inputs": {"data": f"file:{files[1]}"}, "parameters": {"rows": 7}, "cache": False}
    said = await dry_run(stage, task_id, **other)
    assert (said["valid"], said["problems"], said["type"]) == (True, [], "pipeline")
    assert [step["id"] for step in said["steps"]] == ["a"]
    assert (said["request"]["priority"], said["request"]["cache"]) == (8, False)
    assert said["request"]["inputs"] == other["inputs"]
    assert said["request"]["pipeline"]["parameters"] == {"rows": 7}
    assert {each["pointer"]: (each["other"], each["task"]) for each in said["changes"]} == {
        "/inputs/data": (f"file:{files[0]}", f"file:{files[1]}"),
        "/pipeline/parameters/rows": ("5", "7"),
        "/cache": ("true", "false"),
    }
    listed = (await stage.http.get("/tasks", params={"text": definition["name"]})).json()["items"]
    assert [each["task_id"] for each in listed] == [task_id]
    # It is what would be taken, and made of it is the task that a rerun makes.
    made = (await stage.http.post("/tasks", json=said["request"])).json()["task_id"]
    again = (await rerun(stage, task_id, **other))["task_id"]
    one, two = [await stage.task(each) for each in (made, again)]
    for field in ("definition", "inputs", "priority", "type", "name"):
        assert one[field] == two[field]


async def test_a_dry_run_of_the_same_differs_in_nothing(stage: Stage, agents_stage: Stage) -> None:
    task_id = await stage.submit("print x")
    assert (await dry_run(stage, task_id))["changes"] == []
    body = {"type": "agent", "prompt": "Look", "agent": {"limits": {"turns": 3}}}
    agent = (await agents_stage.http.post("/tasks", json=body)).json()["task_id"]
    said = await dry_run(agents_stage, agent)
    assert (said["type"], said["changes"]) == ("agent", [])
    assert said["request"]["prompt"] == "Look"
    assert said["request"]["agent"] == {"limits": {"turns": 3}}


async def test_a_dry_run_tells_numbers_apart_that_a_script_is_given_as_other_texts(
    stage: Stage,
) -> None:
    definition = {**pipeline("print x"), "parameters": {"rows": 5}}
    definition["steps"][0]["args"] = ["${parameters.rows}"]
    task_id = (await stage.http.post("/tasks", json={"pipeline": definition})).json()["task_id"]
    [change] = (await dry_run(stage, task_id, parameters={"rows": 5.0}))["changes"]
    assert (change["pointer"], change["other"], change["task"]) == (
        "/pipeline/parameters/rows",
        "5",
        "5.0",
    )


async def test_a_dry_run_tells_all_that_is_wrong_and_the_task_of_a_used_key(stage: Stage) -> None:
    task_id = await stage.submit("print x")
    wrong = {"inputs": {"data": "file:x"}, "parameters": {"rows": 1}}
    said = await dry_run(stage, task_id, **wrong)
    assert not said["valid"]
    assert [each["pointer"] for each in said["problems"]] == ["/inputs/data", "/parameters/rows"]
    key = str(uuid4())
    path = f"/tasks/{task_id}/rerun"
    made = await stage.http.post(path, headers={"Idempotency-Key": key})
    assert (await dry_run(stage, task_id, key))["existing_task_id"] == made.json()["task_id"]


async def foreseen(stage: Stage, task_id: str, **body: Any) -> tuple[list[str], list[str]]:
    """The steps that a retry keeps, and those that it runs again."""
    answer = await stage.http.post(f"/tasks/{task_id}/retry", json={**body, "dry_run": True})
    assert answer.status_code == 200, answer.text
    return tuple(
        [step["step"] for step in answer.json()[name]] for name in ("kept_steps", "redone_steps")
    )  # type: ignore[return-value]


async def test_a_step_that_is_tried_longer_or_more_often_keeps_its_result(stage: Stage) -> None:
    task_id = await stage.submit("print x", "print y", "fail")
    await stage.until(task_id, "failed")
    new = pipeline("print x", "print y", "print z")
    new["steps"][0] |= {"timeout": "1h", "retries": 9, "cache": "1h"}
    assert await foreseen(stage, task_id, pipeline=new) == (["a", "b"], ["c"])
    new["steps"][1]["env"] = {"A": "b"}
    assert await foreseen(stage, task_id, pipeline=new) == (["a"], ["b", "c"])


async def with_parameters(stage: Stage) -> str:
    """A task that has failed, whose second step uses a parameter."""
    definition = {**pipeline("print x", "print y", "fail"), "parameters": {"kind": "bar"}}
    definition["steps"][1]["args"] = ["${parameters.kind}"]
    task_id = (await stage.http.post("/tasks", json={"pipeline": definition})).json()["task_id"]
    await stage.until(task_id, "failed")
    return str(task_id)


async def test_a_parameter_of_another_value_redoes_the_steps_that_have_it(stage: Stage) -> None:
    task_id = await with_parameters(stage)
    new = {**pipeline("print x", "print y", "fail"), "parameters": {"kind": "line"}}
    new["steps"][1]["args"] = ["${parameters.kind}"]
    assert await foreseen(stage, task_id, pipeline=new) == (["a"], ["b", "c"])


async def test_a_dry_run_says_what_is_new_of_the_pipeline_if_it_may_be_another(
    stage: Stage,
) -> None:
    task_id = await with_parameters(stage)

    async def changes(**body: Any) -> Any:
        answer = await stage.http.post(f"/tasks/{task_id}/retry", json={**body, "dry_run": True})
        assert answer.status_code == 200, answer.text
        return answer.json()["changes"]

    assert await changes() is None
    assert await changes(**{"from": "b"}) is None
    nothing = {"fields": [], "parameters": [], "steps": []}
    assert await changes(parameters={"kind": "bar"}) == nothing
    kind = await changes(parameters={"kind": "line"})
    assert (kind["fields"], kind["parameters"]) == (["parameters"], ["kind"])
    unchanged = {"added": False, "removed": False, "moved": False, "waits_for": None}
    assert kind["steps"] == [{"step": "b", "fields": ["args"], **unchanged}]
    new = {**pipeline("print x", "print z"), "name": "other"}
    other = await changes(pipeline=new)
    assert other["fields"] == ["name", "parameters"]
    assert [(each["step"], each["fields"], each["removed"]) for each in other["steps"]] == [
        ("b", ["code", "args"], False),
        ("c", [], True),
    ]


async def test_a_parameter_takes_the_place_of_that_of_the_task_or_of_the_new_pipeline(
    stage: Stage,
) -> None:
    task_id = await with_parameters(stage)
    assert await foreseen(stage, task_id, parameters={"kind": "line"}) == (["a"], ["b", "c"])
    assert await foreseen(stage, task_id, parameters={"kind": "bar"}) == (["a", "b"], ["c"])
    new = {**pipeline("print x", "print y", "print z"), "parameters": {"kind": "dot"}}
    new["steps"][1]["args"] = ["${parameters.kind}"]
    body = {"pipeline": new, "parameters": {"kind": "bar"}}
    assert await foreseen(stage, task_id, **body) == (["a", "b"], ["c"])
    assert (await stage.http.post(f"/tasks/{task_id}/retry", json=body)).status_code == 202
    task = await stage.until(task_id, "completed")
    assert task["definition"]["parameters"] == {"kind": "bar"}


async def test_a_parameter_that_is_not_there_is_refused_with_its_place(stage: Stage) -> None:
    task_id = await with_parameters(stage)
    unparametric = pipeline("print x", "print y")
    unreferred = {**pipeline("print x"), "parameters": {"kind": "bar"}}
    unreferred["steps"][0]["args"] = ["${parameters.kind}", "${parameters.kim}"]
    for body, pointer, message in (
        (
            {"parameters": {"kin": "x"}},
            "/parameters/kin",
            "the task has no such parameter (parameters: kind); did you mean 'kind'?",
        ),
        (
            {"parameters": {"kind": "x"}, "pipeline": unparametric},
            "/parameters/kind",
            "the pipeline has no such parameter (parameters: none)",
        ),
        ({"pipeline": unreferred}, "/pipeline/steps/0/args/1", "there is no parameter 'kim'"),
    ):
        for more in ({}, {"dry_run": True}):
            refused = await stage.http.post(f"/tasks/{task_id}/retry", json={**body, **more})
            assert refused.status_code == 422, refused.text
            [problem] = refused.json()["errors"]
            assert problem["pointer"] == pointer
            assert message in problem["message"]


async def test_a_replaced_input_redoes_the_steps_that_use_it(stage: Stage) -> None:
    files = [
        (await stage.http.post("/files", files={"file": ("a.csv", uuid4().bytes)})).json()["id"]
        for _ in range(2)
    ]
    definition = {**pipeline("print x", "print INPUT_DATA", "fail"), "inputs": ["data"]}
    body = {"pipeline": definition, "inputs": {"data": f"file:{files[0]}"}}
    task_id = (await stage.http.post("/tasks", json=body)).json()["task_id"]
    await stage.until(task_id, "failed")
    same, other = ({"data": f"file:{each}"} for each in files)
    assert await foreseen(stage, task_id, inputs=same) == (["a", "b"], ["c"])
    assert await foreseen(stage, task_id, inputs=other) == (["a"], ["b", "c"])
    # Whoever says where to begin knows better.
    assert await foreseen(stage, task_id, inputs=other, **{"from": "c"}) == (["a", "b"], ["c"])
