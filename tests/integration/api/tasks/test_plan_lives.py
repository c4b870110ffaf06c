"""The lives of plans beyond the happy path: blocked, retried, cancelled, paused, terminated."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.services import Services
from tests.integration.agent_stage import agent_stage, workflow_ended
from tests.integration.api_stage import WAIT_SECONDS, Stage
from tests.integration.cli_runs import agentos
from tests.integration.plan_stage import (
    Family,
    ObedientPlanners,
    a_pipeline,
    an_agent,
    makes,
    revises,
    states_of,
    submit_plan,
    told,
    working_planners,
)
from tests.temporal_runs import reset_to_turn

_GIVEN = {"data": "${inputs.data}"}


@pytest.fixture(scope="module")
async def plans(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API of this module's own, whose sweeper is awake."""
    async with agent_stage(infrastructure, skills_folder, sweep_interval_seconds=0.3) as stage:
        yield stage


@pytest.fixture
async def planners(plans: Stage, tmp_path: Path) -> AsyncIterator[ObedientPlanners]:
    plans.steps.released.clear()
    async with working_planners(plans, tmp_path) as planners:
        yield planners


async def _upload(stage: Stage) -> str:
    answer = await stage.http.post("/files", files={"file": ("a.csv", str(uuid4()))})
    return f"file:{answer.json()['id']}"


async def _blocked(stage: Stage, bad: str) -> Family:
    """Two branches and a join, where one branch refuses the input ``bad``."""
    plan = await submit_plan(
        stage,
        makes(
            a_pipeline("left", "file left.csv x", files=["left.csv"]),
            a_pipeline("right", f"refuse data {bad}", inputs={"data": "${inputs.right}"}),
            a_pipeline("join", "print joined", depends_on=["left", "right"]),
        ),
        inputs={"right": bad},
    )
    task = await plan.until("blocked")
    assert states_of(task) == {"left": "completed", "right": "failed", "join": "pending"}
    assert await plan.runs() == {"left": 1, "right": 1, "join": 0}
    return plan


async def _chain(stage: Stage, **more: Any) -> Family:
    """A completed plan: an agent ``first``, then ``second``; and ``aside``."""
    plan = await submit_plan(
        stage,
        makes(
            an_agent("first", "finish One.", inputs=_GIVEN),
            an_agent("second", "finish Two.", depends_on=["first"]),
            a_pipeline("aside", "print x"),
        ),
        "finish All is there.",
        inputs={"data": await _upload(stage)},
        **more,
    )
    await plan.until("completed")
    assert await plan.runs() == {"first": 1, "second": 1, "aside": 1}
    return plan


# Retry.


async def test_a_blocked_plan_is_mended_by_another_input_and_runs_only_what_is_needed(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await _blocked(plans, await _upload(plans))
    good = await _upload(plans)
    await plan.retry(inputs={"right": good})
    task = await plan.until("completed")
    assert await plan.runs() == {"left": 1, "right": 2, "join": 1}
    assert (task["run"], task["inputs"]) == (2, {"right": good})
    assert set(states_of(task).values()) == {"completed"}


async def test_a_plan_whose_nodes_fail_again_is_blocked_again(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await _blocked(plans, await _upload(plans))
    await plan.retry()
    await plan.until("blocked")
    assert await plan.runs() == {"left": 1, "right": 2, "join": 0}
    await plan.retry(inputs={"right": await _upload(plans)})
    await plan.until("completed")
    assert await plan.runs() == {"left": 1, "right": 3, "join": 1}


@pytest.mark.parametrize("named_by", ["name", "number", "row", "task", "beginning"])
async def test_a_retry_from_a_node_runs_it_and_what_depends_on_it(
    plans: Stage, planners: ObedientPlanners, named_by: str
) -> None:
    plan = await _chain(plans)
    node = (await plan.until("completed"))["sub_tasks"][0]
    ids = {"row": node["id"], "task": node["task_id"], "beginning": node["task_id"][:6]}
    begin = {"name": "first", "number": "1", **ids}[named_by]
    await plan.retry(begin=begin)
    task = await plan.until("completed")
    assert await plan.runs() == {"first": 2, "second": 2, "aside": 1}
    assert task["result"]["summary"] == "All is there."


async def test_a_completed_plan_runs_what_was_made_of_an_input_that_a_retry_changes(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await _chain(plans)
    await plan.retry(inputs={"data": await _upload(plans)})
    await plan.until("completed")
    assert await plan.runs() == {"first": 2, "second": 2, "aside": 1}


async def test_a_plan_that_could_not_be_summed_up_runs_no_node_again(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await submit_plan(
        plans, makes(a_pipeline("a", "print x"), a_pipeline("b", "print x")), "fail", "finish Done."
    )
    await plan.until("failed")
    planners.answers = True
    await plan.retry()
    task = await plan.until("completed")
    assert await plan.runs() == {"a": 1, "b": 1}
    assert task["result"]["summary"] == "Done."


async def test_a_plan_that_was_never_made_is_made_by_a_retry(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await submit_plan(plans, "fail", makes(a_pipeline("a", "print x")))
    await plan.until("failed")
    refused = await plans.http.post(f"/tasks/{plan.id}/retry", json={"from": "a"})
    assert refused.json()["errors"] == [
        {"pointer": "/from", "message": "there is no node 'a' (nodes: none)"}
    ]
    planners.answers = True
    await plan.retry()
    await plan.until("completed")
    assert await plan.runs() == {"a": 1}


async def test_a_plan_is_made_anew_from_its_start_and_its_former_nodes_stay_ended(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await _revised(plans, await _upload(plans))
    former = await plan.child("instead")
    await plan.retry(begin="start")
    task = await plan.until("blocked")
    # Its revisions begin anew, too: none was left before.
    assert await plan.runs() == {"good": 1, "bad": 1, "instead": 1}
    assert task["run"] == 2
    child = await plans.task(former)
    assert (child["parent_id"], child["status"]) == (plan.id, "failed")
    assert await plan.child("instead") != former


async def _revised(stage: Stage, bad: str) -> Family:
    """A plan that is blocked after a revision, whose node has failed, too."""
    instead = a_pipeline("instead", f"refuse data {bad}", inputs=_GIVEN)
    plan = await submit_plan(
        stage,
        makes(a_pipeline("good", "print x"), a_pipeline("bad", "fail")),
        revises(reason="Another way.", add=[instead]),
        "finish All is there.",
        plan={"replans": 1},
        inputs={"data": bad},
    )
    await plan.until("blocked")
    assert await plan.runs() == {"good": 1, "bad": 1, "instead": 1}
    return plan


async def test_a_retry_after_a_revision_leaves_what_was_replaced(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await _revised(plans, await _upload(plans))
    refused = await plans.http.post(f"/tasks/{plan.id}/retry", json={"from": "bad"})
    [error] = refused.json()["errors"]
    assert error["pointer"] == "/from"
    assert (
        "'bad' is no part of the plan since it was revised (nodes: good, instead)"
        in (error["message"])
    )
    await plan.retry(inputs={"data": await _upload(plans)})
    await plan.until("completed")
    assert await plan.runs() == {"good": 1, "bad": 1, "instead": 2}


async def test_the_turn_in_which_a_plan_was_revised_can_be_made_again(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await _revised(plans, await _upload(plans))
    await plan.retry(begin="2.1")
    await plan.until("blocked")
    assert await plan.runs() == {"good": 1, "bad": 1, "instead": 1}
    assert (await plan.until("blocked"))["run"] == 2


async def test_a_call_after_a_repair_is_made_again_by_what_is_there_now(
    plans: Stage, planners: ObedientPlanners
) -> None:
    bad = await _upload(plans)
    plan = await submit_plan(
        plans,
        makes(
            a_pipeline("left", "print x"),
            a_pipeline("right", f"refuse data {bad}", inputs=_GIVEN),
            a_pipeline("join", "print joined", depends_on=["left", "right"]),
        ),
        revises(reason="Nothing helps."),
        "finish All is there.",
        plan={"replans": 1},
        inputs={"data": bad},
    )
    await plan.until("blocked")
    assert "right (Do right): failed" in await _told_by(plan, "1.1")
    await plan.retry(inputs={"data": await _upload(plans)})
    await plan.until("completed")
    await plan.retry(begin="2.1")
    await plan.ends()
    assert "All nodes have completed." in await _told_by(plan, "1.1")
    assert await plan.runs() == {"left": 1, "right": 2, "join": 1}


async def test_a_call_is_made_again_once_nodes_have_run_with_another_input(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await submit_plan(
        plans,
        makes(a_pipeline("good", "print x", inputs=_GIVEN), a_pipeline("bad", "fail")),
        revises(reason="Another way.", add=[a_pipeline("instead", "print x")]),
        "finish All is there.",
        plan={"replans": 1},
        inputs={"data": await _upload(plans)},
    )
    await plan.until("completed")
    await plan.retry(begin="2.1", inputs={"data": await _upload(plans)})
    await plan.until("completed")
    assert await plan.runs() == {"good": 2, "bad": 2, "instead": 1}


async def _told_by(plan: Family, call: str) -> str:
    """The result of a call, as the planner was told it."""
    turn = int(call.partition(".")[0])
    messages = (await plan.stage.http.get(f"/tasks/{plan.id}/messages")).json()["items"]
    [said] = [
        item["content"] for item in messages if item["role"] == "tool" and item["turn"] == turn
    ]
    return str(said)


async def test_a_plan_within_a_plan_is_made_anew_with_all_its_revisions(
    plans: Stage, planners: ObedientPlanners
) -> None:
    bad, good = await _upload(plans), await _upload(plans)
    inner = "\n".join(
        [
            makes(a_pipeline("never", "fail")),
            revises(add=[a_pipeline("other", f"refuse data {bad}", inputs=_GIVEN)]),
        ]
    )
    nested = {"id": "nested", "title": "Do more", "kind": "plan", "inputs": _GIVEN}
    plan = await submit_plan(
        plans,
        makes({**nested, "description": inner}),
        revises(reason="Nothing helps."),
        plan={"replans": 1, "depth": 2},
        inputs={"data": bad},
    )
    await plan.until("blocked")
    await plan.retry(inputs={"data": good})
    await plan.until("completed")
    assert await plan.runs() == {"nested": 2}
    assert await Family(plans, await plan.child("nested")).runs() == {"never": 1, "other": 1}


async def test_turns_are_counted_on_after_a_retry(plans: Stage, planners: ObedientPlanners) -> None:
    plan = await _chain(plans)
    await plan.retry(begin="second")
    await plan.until("completed")
    messages = (await plans.http.get(f"/tasks/{plan.id}/messages")).json()["items"]
    assert [(item["role"], item["turn"]) for item in messages][-4:] == [
        ("assistant", 1),
        ("tool", 1),
        ("assistant", 2),
        ("tool", 2),
    ]


@pytest.mark.parametrize(
    ("request_", "pointer", "message"),
    [
        ({}, "/from", "the plan is completed; name the node to begin with, or 'start'"),
        ({"from": "third"}, "/from", "there is no node 'third' (nodes: first, second, aside)"),
        ({"description": "x"}, "/from", "the plan is completed"),
        ({"from": "start", "description": "x"}, "/description", "say which with `from`"),
        ({"from": "1.1", "description": "x"}, "/description", "say which with `from`"),
        ({"from": "aside", "description": "x"}, "/description", "'aside' is a pipeline"),
        ({"from": "first", "description": " \n"}, "/description", "say what the node has to do"),
        ({"from": "first", "description": ""}, "/description", "at least 1 character"),
        ({"from": "first", "inputs": {"data": "file:no"}}, "/inputs/data", "file:no"),
        ({"inputs": {"dta": "file:no"}}, "/inputs/dta", "no such input (inputs: data)"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
async def test_a_retry_that_a_plan_cannot_make_is_refused(
    completed: Family, request_: dict[str, Any], pointer: str, message: str
) -> None:
    answer = await completed.stage.http.post(f"/tasks/{completed.id}/retry", json=request_)
    assert answer.status_code == 422, answer.text
    [error] = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert message in error["message"]
    assert (await completed.until("completed"))["run"] == 1


@pytest.fixture(scope="module")
async def completed(plans: Stage, tmp_path_factory: pytest.TempPathFactory) -> Family:
    """A plan that is left as it is."""
    async with working_planners(plans, tmp_path_factory.mktemp("work")):
        return await _chain(plans)


async def test_tasks_of_other_types_have_no_node_to_describe(
    plans: Stage, planners: ObedientPlanners
) -> None:
    task_id = await plans.submit("print x")
    await plans.until(task_id, "completed")
    body = {"from": "a", "description": "x"}
    answer = await plans.http.post(f"/tasks/{task_id}/retry", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/description"


async def test_a_node_is_not_retried_without_its_plan(completed: Family) -> None:
    child = await completed.child("second")
    answer = await completed.stage.http.post(f"/tasks/{child}/retry")
    assert answer.status_code == 409
    assert answer.json()["code"] == "state-conflict"
    assert f"`agentos retry {completed.id} --from second`" in answer.json()["detail"]


async def test_a_node_can_be_described_anew_on_the_command_line(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await _chain(plans)
    wanted = ("--from", "second", "--description", told("finish Better."))
    printed = await agentos(plans.url, "retry", plan.id, *wanted)
    assert printed.code == 0, printed.stderr
    await plan.until("completed")
    assert await plan.runs() == {"first": 1, "second": 2, "aside": 1}
    child = await plans.task(await plan.child("second"))
    assert child["result"]["summary"] == "Better."
    assert child["prompt"].startswith("do finish Better.")


# Cancel.


def _nested() -> str:
    """A plan of two steps that wait, one of them in a plan of its own."""
    inner = makes(a_pipeline("deep", "wait"))
    return makes(
        a_pipeline("flat", "wait"),
        {"id": "nested", "title": "Do more", "kind": "plan", "description": inner},
        a_pipeline("later", "print x", depends_on=["flat"]),
    )


async def _running(stage: Stage) -> tuple[Family, Family]:
    """A plan whose nodes run, and the plan that is one of them."""
    plan = await submit_plan(stage, _nested(), plan={"replans": 0, "depth": 2})
    await plan.until_nodes(flat="running", nested="running")
    nested = Family(stage, await plan.child("nested"))
    await nested.until_nodes(deep="running")
    return plan, nested


async def _none_lives(plan: Family) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while await plan.living():
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("through", ["api", "temporal"])
async def test_a_cancelled_plan_leaves_no_node_living(
    plans: Stage, planners: ObedientPlanners, through: str
) -> None:
    plan, nested = await _running(plans)
    if through == "api":
        assert (await plans.http.post(f"/tasks/{plan.id}/cancel")).status_code == 202
    else:
        await plans.temporal.get_workflow_handle(f"task-{plan.id}").cancel()
    task = await plan.until("cancelled")
    assert await plan.living() == []
    assert await plan.statuses() == {"flat": "cancelled", "nested": "cancelled"}
    assert await nested.statuses() == {"deep": "cancelled"}
    assert set(states_of(task).values()) == {"cancelled"}
    refused = await plans.http.post(f"/tasks/{await nested.child('deep')}/retry")
    assert f"`agentos retry {plan.id} --from nested`" in refused.json()["detail"]


async def test_a_cancelled_plan_goes_on_where_it_was(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await submit_plan(
        plans, makes(a_pipeline("quick", "print x"), a_pipeline("slow", "wait")), "finish Done."
    )
    await plan.until_states(quick="completed", slow="running")
    await plans.http.post(f"/tasks/{plan.id}/cancel")
    await plan.until("cancelled")
    plans.steps.released.set()
    await plan.retry()
    await plan.until("completed")
    assert await plan.runs() == {"quick": 1, "slow": 2}


@pytest.mark.parametrize("made", [False, True], ids=["splitting", "summing-up"])
async def test_a_plan_can_be_cancelled_while_its_model_is_asked(
    plans: Stage, planners: ObedientPlanners, made: bool
) -> None:
    two = makes(a_pipeline("a", "print x"), a_pipeline("b", "print x"))
    lines = (two, "hang", "finish Done.") if made else ("hang", two, "finish Done.")
    plan = await submit_plan(plans, *lines)
    if made:
        await plan.until_states(a="completed", b="completed")
    await plan.until("running")
    assert (await plans.http.post(f"/tasks/{plan.id}/cancel")).status_code == 202
    await plan.until("cancelled")
    planners.answers = True
    await plan.retry()
    await plan.until("completed")
    assert await plan.runs() == {"a": 1, "b": 1}


async def test_a_plan_of_which_ten_nodes_run_can_be_cancelled(
    plans: Stage, planners: ObedientPlanners
) -> None:
    names = [f"n{number}" for number in range(12)]
    nodes = makes(*(a_pipeline(name, "wait") for name in names))
    limits = {"replans": 0, "parallel": 10, "max_nodes": 12}
    plan = await submit_plan(plans, nodes, plan=limits)
    await plan.until_nodes(**dict.fromkeys(names[:10], "running"))
    await plans.http.post(f"/tasks/{plan.id}/cancel")
    await plan.until("cancelled")
    assert await plan.statuses() == dict.fromkeys(names[:10], "cancelled")


async def test_a_plan_that_temporal_resets_leaves_no_node_of_before_living(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await submit_plan(plans, makes(a_pipeline("slow", "wait")), "finish Done.")
    await plan.until_nodes(slow="running")
    former = await plan.child("slow")
    await reset_to_turn(plans.temporal, f"task-{plan.id}", 1)
    async with asyncio.timeout(WAIT_SECONDS):
        while await plan.child("slow") in ("None", former):
            await asyncio.sleep(0.05)
    await plans.until(former, "cancelled")
    plans.steps.released.set()
    await plan.until("completed")
    assert await plan.living() == []


async def test_a_terminated_plan_leaves_no_row_living(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan, nested = await _running(plans)
    await plans.temporal.get_workflow_handle(f"task-{plan.id}").terminate()
    await plan.until("cancelled")
    await _none_lives(plan)
    assert await nested.statuses() == {"deep": "cancelled"}
    await workflow_ended(plans, await nested.child("deep"))


async def test_all_workflows_of_a_plan_can_be_terminated_and_leave_no_row_living(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan, nested = await _running(plans)
    ids = [plan.id, nested.id, await plan.child("flat"), await nested.child("deep")]
    for task_id in ids:
        await plans.temporal.get_workflow_handle(f"task-{task_id}").terminate()
    await plan.until("cancelled")
    await _none_lives(plan)


async def test_a_node_that_is_cancelled_by_itself_has_failed_for_its_plan(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await submit_plan(
        plans,
        makes(
            a_pipeline("stopped", "wait"),
            a_pipeline("after", "print x", depends_on=["stopped"]),
            a_pipeline("other", "print x"),
        ),
    )
    await plan.until_nodes(stopped="running")
    child = await plan.child("stopped")
    assert (await plans.http.post(f"/tasks/{child}/cancel")).status_code == 202
    task = await plan.until("blocked")
    assert states_of(task) == {"stopped": "cancelled", "after": "pending", "other": "completed"}


async def test_a_node_whose_workflow_is_terminated_has_failed_for_its_plan(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await submit_plan(
        plans, makes(a_pipeline("stopped", "wait"), a_pipeline("other", "print x"))
    )
    await plan.until_nodes(stopped="running", other="completed")
    child = await plan.child("stopped")
    await plans.temporal.get_workflow_handle(f"task-{child}").terminate(reason="too dear")
    task = await plan.until("blocked")
    assert await plan.living() == []
    [stopped, other] = task["sub_tasks"]
    assert (other["status"], stopped["status"] in {"failed", "cancelled"}) == ("completed", True)
    assert stopped["error"]["code"] in {"node-ended-outside", "terminated"}


# Pause.


async def test_nodes_pause_and_resume_with_their_plan(
    plans: Stage, planners: ObedientPlanners
) -> None:
    inner = makes(a_pipeline("deep", "wait", "print x"))
    plan = await submit_plan(
        plans,
        makes(
            a_pipeline("flat", "wait", "print x"),
            {"id": "nested", "title": "Do more", "kind": "plan", "description": inner},
        ),
        "finish Done.",
        plan={"replans": 0, "depth": 2},
    )
    await plan.until_nodes(flat="running", nested="running")
    nested = Family(plans, await plan.child("nested"))
    await nested.until_nodes(deep="running")
    assert (await plans.http.post(f"/tasks/{plan.id}/pause")).status_code == 202
    await plan.until("paused")
    plans.steps.released.set()
    await plan.until_nodes(flat="paused", nested="paused")
    await nested.until_nodes(deep="paused")
    assert (await plans.http.post(f"/tasks/{plan.id}/resume")).status_code == 202
    await plan.until("completed")
    assert await plan.runs() == {"flat": 1, "nested": 1}


async def test_a_node_can_pause_by_itself(plans: Stage, planners: ObedientPlanners) -> None:
    plan = await submit_plan(
        plans,
        makes(
            a_pipeline("held", "wait", "print x"),
            a_pipeline("other", "print x"),
            a_pipeline("next", "print x", depends_on=["other"]),
        ),
        "finish Done.",
    )
    await plan.until_nodes(held="running")
    child = await plan.child("held")
    await plans.http.post(f"/tasks/{child}/pause")
    plans.steps.released.set()
    await plan.until_nodes(held="paused", next="completed")
    await plan.until("waiting")  # As all of its nodes do that run.
    await plans.http.post(f"/tasks/{child}/resume")
    await plan.until("completed")


async def test_a_paused_plan_can_be_cancelled(plans: Stage, planners: ObedientPlanners) -> None:
    plan, _ = await _running(plans)
    await plans.http.post(f"/tasks/{plan.id}/pause")
    await plan.until("paused")
    await plans.http.post(f"/tasks/{plan.id}/cancel")
    await plan.until("cancelled")
    assert await plan.living() == []
