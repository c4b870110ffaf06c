"""A task beside the last one of its name that went well."""

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.api_stage import Stage, pipeline

Json = dict[str, Any]


async def submit(stage: Stage, name: str, *sources: str, **more: Any) -> str:
    body = {"pipeline": {**pipeline(*sources), **more.pop("pipeline", {}), "name": name}, **more}
    answer = await stage.http.post("/tasks", json=body)
    assert answer.status_code == 202, answer.text
    task_id: str = answer.json()["task_id"]
    await stage.until(task_id, "completed", "failed", "blocked")
    return task_id


async def compare(stage: Stage, task_id: str, **query: str) -> Json:
    answer = await stage.http.get(f"/tasks/{task_id}/comparison", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.fixture
def name() -> str:
    return f"compared {uuid4()}"


async def test_a_failed_task_is_compared_with_the_last_completed_one_of_its_name(
    stage: Stage, name: str
) -> None:
    await submit(stage, name, "print 0")
    good = await submit(stage, name, "print 1\nfile page.html long", "print 2\nfile a.html same")
    await submit(stage, name, "fail")
    await submit(stage, f"{name} other", "print 1")
    bad = await submit(stage, name, "print 1\nfile page.html other", "fail")
    found = await compare(stage, bad)
    assert found["task"]["task_id"] == bad
    assert (found["other"]["task_id"], found["other"]["status"]) == (good, "completed")
    assert found["other"]["duration_ms"] >= 0
    [a, b] = found["steps"]
    assert (a["name"], a["task"]["status"], a["other"]["status"]) == ("a", "completed", "completed")
    assert (b["task"]["status"], b["other"]["status"]) == ("failed", "completed")
    [page, only] = found["files"]
    assert (page["step"], page["name"], page["same"]) == ("a", "page.html", False)
    assert (page["task"]["size"], page["other"]["size"]) == (5, 4)
    assert (only["task"], only["other"]["size"]) == (None, 4)
    assert [each["pointer"] for each in found["definition"]] == [
        "/pipeline/steps/0/code/source",
        "/pipeline/steps/1/code/source",
    ]
    assert found["definition"][1]["task"] == "fail"


async def test_equal_tasks_do_not_differ(stage: Stage, name: str) -> None:
    await submit(stage, name, "file page.html same")
    found = await compare(stage, await submit(stage, name, "file page.html same"))
    assert (found["inputs"], found["definition"], found["is_cut"]) == ([], [], False)
    assert [file["same"] for file in found["files"]] == [True]


async def test_inputs_are_compared_by_name(stage: Stage, name: str) -> None:
    refs = []
    for content in (b"a", b"b"):
        answer = await stage.http.post("/files", files={"file": ("a.txt", content)})
        refs.append(f"file:{answer.json()['id']}")
    code = {"language": "shell", "source": "print 1"}
    step = {"id": "a", "code": code, "args": ["${inputs.sales}", "${inputs.rates}"]}
    more = {"pipeline": {"inputs": ["sales", "rates"], "steps": [step]}}
    both = {"sales": refs[0], "rates": refs[0]}
    await submit(stage, name, inputs=both, **more)
    second = await submit(stage, name, inputs={**both, "sales": refs[1]}, **more)
    assert (await compare(stage, second))["inputs"] == [
        {"name": "sales", "task": refs[1], "other": refs[0]}
    ]


async def test_a_step_that_was_put_before_others_does_not_make_these_different(
    stage: Stage, name: str
) -> None:
    await submit(stage, name, "print 1", "print 2")
    steps = pipeline("print 1", "print 2")["steps"]
    more = {"id": "first", "code": {"language": "shell", "source": "print 0"}}
    second = await submit(stage, name, "print 1", pipeline={"steps": [more, *steps]})
    [added] = (await compare(stage, second))["definition"]
    assert (added["pointer"], added["other"]) == ("/pipeline/steps/0", None)
    assert '"id": "first"' in added["task"]


async def test_long_values_and_many_differences_are_cut(stage: Stage, name: str) -> None:
    code = {"language": "shell", "source": "print 1"}
    steps = [{"id": f"s{n}", "code": {**code, "source": f"print {n}"}} for n in range(60)]
    await submit(stage, name, pipeline={"steps": steps})
    changed = [
        {"id": f"s{n}", "retries": 1, "code": {**code, "source": "print " + "x" * 9_000}}
        for n in range(60)
    ]
    found = await compare(stage, await submit(stage, name, pipeline={"steps": changed}))
    assert (len(found["definition"]), found["is_cut"]) == (100, True)
    assert max(len(each["task"] or "") for each in found["definition"]) == 2_001


async def test_the_first_of_its_name_has_nothing_to_be_compared_with(
    stage: Stage, name: str
) -> None:
    found = await compare(stage, await submit(stage, name, "print 1"))
    assert found["other"] is None
    assert found["steps"] == found["files"] == []


async def test_a_task_is_compared_with_any_other_that_is_named(stage: Stage, name: str) -> None:
    one = await submit(stage, name, "print 1")
    other = await submit(stage, f"{name} other", "print 1")
    found = await compare(stage, one, **{"with": other})
    assert found["other"]["task_id"] == other
    assert [each["pointer"] for each in found["definition"]] == ["/pipeline/name"]


async def test_a_task_that_is_not_there_cannot_be_compared_with(stage: Stage, name: str) -> None:
    one = await submit(stage, name, "print 1")
    answer = await stage.http.get(f"/tasks/{one}/comparison", params={"with": str(uuid4())})
    assert answer.status_code == 404
    assert (await stage.http.get(f"/tasks/{uuid4()}/comparison")).status_code == 404


async def test_a_task_of_another_team_is_not_compared_with(stage: Stage, name: str) -> None:
    team = await stage.team()
    body = {"pipeline": {**pipeline("print 1"), "name": name}}
    theirs = (await team.post("/tasks", json=body)).json()["task_id"]
    await stage.ended(team, theirs)
    ours = await submit(stage, name, "print 1")
    assert (await compare(stage, ours))["other"] is None
    answer = await stage.http.get(f"/tasks/{ours}/comparison", params={"with": theirs})
    assert answer.status_code == 404
