"""Plans compiled over HTTP: from the rows of nodes and of their tasks to one pipeline."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.plan_runs import find_plan
from tests.integration.api_stage import Stage
from tests.integration.plan_stage import (
    ObedientPlanners,
    a_pipeline,
    an_agent,
    makes,
    revises,
    submit_plan,
    working_planners,
)


@pytest.fixture
def stage(agents_stage: Stage) -> Stage:
    return agents_stage


@pytest.fixture
async def planners(stage: Stage, tmp_path: Path) -> AsyncIterator[ObedientPlanners]:
    async with working_planners(stage, tmp_path) as planners:
        yield planners


async def upload(stage: Stage) -> str:
    answer = await stage.http.post("/files", files={"file": ("a.csv", str(uuid4()))})
    return f"file:{answer.json()['id']}"


async def compiled(stage: Stage, task_id: str, **body: Any) -> dict[str, Any]:
    answer = await stage.http.post(f"/tasks/{task_id}/compile", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def takes(name: str, text: str, *sources: str, **more: Any) -> dict[str, Any]:
    """A pipeline whose first step is given the file ``text`` as its input ``table``."""
    node = a_pipeline(name, *sources, inputs={"table": text}, **more)
    node["steps"][0]["files"] = {"table": "${inputs.table}"}
    return node


async def test_nodes_of_plans_within_plans_become_steps_that_take_each_others_files(
    stage: Stage, planners: ObedientPlanners
) -> None:
    inner = takes("inside", "${inputs.raw}", "file a.csv 1", "file b.csv 2", files=["b.csv"])
    within = {
        "id": "within",
        "title": "Do more",
        "kind": "plan",
        "description": f"{makes(inner)}\nfinish Inside.",
        "inputs": {"raw": "${inputs.data}"},
        "files": ["b.csv"],
    }
    last = takes("last", "${nodes.within.files['b.csv']}", "file a.csv 3")
    data = await upload(stage)
    plan = await submit_plan(
        stage,
        makes(within, last, an_agent("say", "finish It is.", depends_on=["last"])),
        "finish Done.",
        inputs={"data": data},
        plan={"replans": 0, "depth": 2},
    )
    task = await plan.ends()
    assert task["status"] == "completed", json.dumps(task)
    answer = await compiled(stage, plan.id)
    assert answer["problems"] == []
    assert answer["inputs"] == {"data": data}
    steps = answer["pipeline"]["steps"]
    assert [(step["id"], step.get("files")) for step in steps] == [
        ("within-inside-a", {"table": "${inputs.data}"}),
        ("b", None),
        ("last-a", {"table": "${steps.b.files['b.csv']}"}),
    ]
    made = {step["call"]: [file["name"] for file in step["files"]] for step in answer["steps"]}
    assert made == {
        "within-inside/a": ["a.csv"],
        "within-inside/b": ["b.csv"],
        "last/a": ["a.csv"],
    }


async def test_a_node_that_was_replaced_is_left_out_and_what_a_revision_changed_is_known(
    stage: Stage, planners: ObedientPlanners
) -> None:
    nodes = [
        a_pipeline("good", "file a.csv 1"),
        a_pipeline("bad", "file b.csv 1\nfail"),
        a_pipeline("last", "file c.csv 1", depends_on=["bad"]),
    ]
    other = a_pipeline("other", "file b.csv 2")
    rewired = a_pipeline("last", "file c.csv 2", depends_on=["other"])
    plan = await submit_plan(
        stage,
        makes(*nodes),
        revises(add=[other], rewire=[rewired], reason="Another way."),
        "finish Done.",
        plan={"replans": 1},
    )
    assert (await plan.ends())["status"] == "completed"
    answer = await compiled(stage, plan.id)
    assert answer["problems"] == []
    assert [step["call"] for step in answer["steps"]] == ["good/a", "other/a", "last/a"]

    recorded = await find_plan(stage.database, DEFAULT_TEAM, UUID(plan.id))
    assert recorded is not None
    assert {node.id: node.is_revised for node in recorded.nodes} == {
        "good": False,
        "bad": False,
        "last": True,
        "other": True,
    }


async def test_an_input_that_was_edited_for_a_retry_is_that_of_the_nodes_that_ran_again(
    stage: Stage, planners: ObedientPlanners
) -> None:
    bad, good, other = await upload(stage), await upload(stage), await upload(stage)
    right = takes("right", "${inputs.right}", f"file b.csv 2\nrefuse table {bad[-12:]}")
    plan = await submit_plan(
        stage,
        makes(takes("left", "${inputs.left}", "file a.csv 1"), right),
        "finish Done.",
        inputs={"left": other, "right": bad},
    )
    await plan.until("blocked")
    await plan.retry(inputs={"right": good})
    await plan.until("completed")
    answer = await compiled(stage, plan.id)
    assert answer["problems"] == []
    assert answer["inputs"] == {"left": other, "right": good}


async def test_a_plan_that_has_not_ended_is_told(stage: Stage) -> None:
    plan = await submit_plan(stage, "finish Done.")
    answer = await compiled(stage, plan.id)
    assert [problem["pointer"] for problem in answer["problems"]] == ["/status"]


async def test_a_pipeline_whose_steps_are_tools_is_told(stage: Stage) -> None:
    step = {"id": "a", "tool": "write_file", "args": {"name": "a.md", "text": "A."}}
    body = {"pipeline": {"name": "p", "steps": [step]}}
    made = await stage.http.post("/tasks", json=body)
    assert made.status_code == 202, made.text
    answer = await compiled(stage, made.json()["task_id"])
    assert [problem["pointer"] for problem in answer["problems"]] == ["/type"]
