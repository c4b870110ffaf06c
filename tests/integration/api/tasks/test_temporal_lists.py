"""How tasks look in Temporal: search attributes, titles and details, and what they are at."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import structlog
from temporalio.client import WorkflowExecutionDescription
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.payloads import Codec
from activities.task_records import Tasks
from api.tasks import runs
from api.tasks.temporal import TemporalPort
from deploy.local.services import Services
from tests.integration.agent_stage import agent_stage, submit, working_agents
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage, pipeline
from tests.integration.bare_namespaces import bare_namespace
from workflows.generation import build_id
from workflows.labels import NAME, STATE, TEAM, TYPE
from workflows.pipeline import PipelineWorkflow


async def described(stage: Stage, task_id: str) -> WorkflowExecutionDescription:
    return await (await stage.workflow(task_id)).describe()


async def listed(stage: Stage, query: str, task_id: str) -> bool:
    """Whether Temporal lists a task for a query. It writes its lists a moment later."""
    wanted = f"({query}) AND WorkflowId = 'task-{task_id}'"
    async with asyncio.timeout(WAIT_SECONDS):
        while not [each async for each in stage.temporal.list_workflows(wanted)]:
            await asyncio.sleep(0.05)
    return True


async def is_shown_as(stage: Stage, task_id: str, state: str) -> bool:
    return await listed(stage, f"AgentOSState = '{state}'", task_id)


async def now(stage: Stage, task_id: str) -> str:
    """What the page of the workflow says that it is at."""
    handle = stage.temporal.get_workflow_handle(f"task-{task_id}")
    metadata = await handle.query("__temporal_workflow_metadata")
    return str(metadata.current_details)


async def test_a_task_is_listed_by_name_team_type_and_state(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    found = (await described(stage, task_id)).typed_search_attributes
    assert found.get(NAME) == "test"
    assert found.get(TEAM) == "default"
    assert found.get(TYPE) == "pipeline"
    assert found.get(STATE) == "running"
    query = "AgentOSName = 'test' AND AgentOSTeam = 'default' AND AgentOSType = 'pipeline'"
    assert await listed(stage, query, task_id)
    await stage.http.post(f"/tasks/{task_id}/cancel")
    assert await is_shown_as(stage, task_id, "cancelled")


async def test_a_paused_task_is_listed_as_paused_until_it_is_resumed(stage: Stage) -> None:
    task_id = await stage.submit("wait", "print x")
    await stage.until(task_id, "running")
    await stage.http.post(f"/tasks/{task_id}/pause")
    stage.steps.released.set()
    assert await is_shown_as(stage, task_id, "paused")
    stage.steps.released.clear()
    assert "paused" in await now(stage, task_id)
    await stage.http.post(f"/tasks/{task_id}/resume")
    assert await is_shown_as(stage, task_id, "completed")


@pytest.mark.parametrize(("source", "state"), [("print x", "completed"), ("fail", "failed")])
async def test_the_list_says_how_a_task_ended(stage: Stage, source: str, state: str) -> None:
    task_id = await stage.submit(source)
    assert await is_shown_as(stage, task_id, state)


async def test_its_page_says_which_step_runs(stage: Stage) -> None:
    task_id = await stage.submit("print x", "wait")
    await stage.until(task_id, "running")
    async with asyncio.timeout(WAIT_SECONDS):
        while "step 2/2 `b (shell code)`" not in await now(stage, task_id):
            await asyncio.sleep(0.05)
    await stage.http.post(f"/tasks/{task_id}/cancel")


async def test_the_states_of_a_run_cost_one_event(stage: Stage) -> None:
    task_id = await stage.submit("print x")
    await is_shown_as(stage, task_id, "completed")
    history = await stage.temporal.get_workflow_handle(f"task-{task_id}").fetch_history()
    kinds = [event.WhichOneof("attributes") for event in history.events]
    assert [kind for kind in kinds if kind and "upsert" in kind] == [
        "upsert_workflow_search_attributes_event_attributes"
    ]
    # With the command that ends the run: no task of the workflow is made for it.
    assert kinds.count("workflow_task_completed_event_attributes") == 2


async def test_its_page_leads_back_and_names_steps_inputs_and_who_asked(stage: Stage) -> None:
    file = (await stage.http.post("/files", files={"file": ("secret-name.csv", b"x")})).json()
    [step] = pipeline("wait")["steps"]
    steps = [{**step, "args": ["${inputs.data}"]}]
    body = {
        "pipeline": {"name": "test", "inputs": ["data"], "steps": steps},
        "inputs": {"data": f"file:{file['id']}"},
    }
    answer = await stage.http.post("/tasks", json=body)
    assert answer.status_code == 202, answer.text
    task_id = answer.json()["task_id"]
    details = await (await described(stage, task_id)).static_details()
    assert details is not None
    assert f"agentos show {task_id}" in details
    assert "- steps: `a`" in details
    assert "- inputs: `data`" in details
    assert "secret-name" not in details
    await stage.http.post(f"/tasks/{task_id}/cancel")


async def test_its_page_links_to_ours_where_that_is_known(
    infrastructure: Services, tmp_path: Path
) -> None:
    url = "https://agentos.example"
    async with api_stage(infrastructure, tmp_path, works=False, page_url=url) as stage:
        task_id = await stage.submit("print x")
        details = await (await described(stage, task_id)).static_details()
    assert f"({url}/tasks/{task_id})" in (details or "")


async def test_a_prompt_is_quoted_as_it_is_and_cut(
    infrastructure: Services, tmp_path: Path
) -> None:
    async with agent_stage(infrastructure, tmp_path) as stage:
        prompt = "call x ![](http://tracker.example/x.png) ```" + "long " * 1_000
        task_id = await submit(stage, prompt)
        details = await (await described(stage, task_id)).static_details()
    assert details is not None
    assert "````text\ncall x ![](http://tracker.example/x.png) ```long" in details
    assert details.endswith("…\n````")
    assert len(details) < 1_000


async def test_what_waits_for_a_person_is_found_and_says_for_what(
    infrastructure: Services, tmp_path: Path
) -> None:
    async with agent_stage(infrastructure, tmp_path) as stage, working_agents(stage):
        task_id = await submit(stage, "ask delete_all", "finish done")
        assert await is_shown_as(stage, task_id, "waiting")
        assert "turn 1, for a person to decide on `delete_all`" in await now(stage, task_id)
        [call] = (await stage.until(task_id, "waiting"))["sub_tasks"]
        await stage.http.post(
            f"/tasks/{task_id}/approvals/{call['id']}", json={"decision": "approve"}
        )
        assert await is_shown_as(stage, task_id, "completed")


async def test_plain_titles_tell_no_word_of_a_user(
    infrastructure: Services, tmp_path: Path
) -> None:
    async with agent_stage(infrastructure, tmp_path, titles="plain") as stage:
        file = (await stage.http.post("/files", files={"file": ("x.csv", b"x")})).json()
        body = {
            "type": "agent",
            "prompt": "call private-words",
            "inputs": {"private_input": f"file:{file['id']}"},
        }
        task_id = (await stage.http.post("/tasks", json=body)).json()["task_id"]
        found = await described(stage, task_id)
    assert b"private" not in found.raw_description.SerializeToString()
    assert found.typed_search_attributes.get(NAME) is None
    assert UUID(found.typed_search_attributes.get(TEAM))
    assert "- inputs: 1" in (await found.static_details() or "")


async def test_a_name_is_in_no_search_attribute_where_payloads_are_encrypted(
    infrastructure: Services, tmp_path: Path
) -> None:
    codec = Codec([bytes(32)])
    async with agent_stage(infrastructure, tmp_path, codec=codec) as stage:
        task_id = await submit(stage, "call private-words")
        found = await described(stage, task_id)
    assert b"private" not in found.raw_description.SerializeToString()
    assert found.typed_search_attributes.get(NAME) is None
    assert found.typed_search_attributes.get(STATE) == "running"
    assert "private-words" in (await found.static_details() or "")


@asynccontextmanager
async def elsewhere(stage: Stage) -> AsyncIterator[Stage]:
    """The same API, on a namespace that knows no search attribute of ours, with a worker."""
    client = await bare_namespace(stage.temporal)
    port = TemporalPort(client, stage.task_queue)
    worker = Worker(
        client,
        task_queue=stage.task_queue,
        workflows=[PipelineWorkflow],
        activities=[*stage.steps.activities(), *Tasks(stage.database).activities()],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id=build_id("test"),
    )
    async with worker:
        yield replace(stage, services=replace(stage.services, temporal=port), temporal=client)


async def test_a_namespace_that_knows_no_search_attributes_hinders_nothing(
    infrastructure: Services, tmp_path: Path
) -> None:
    async with api_stage(infrastructure, tmp_path, works=False) as away:
        ids = [await away.submit(source) for source in ("print x", "fail", "print y")]
        async with elsewhere(away) as stage:
            with structlog.testing.capture_logs() as lines:
                for task_id in ids:
                    task = await runs.find_task_of_any_team(stage.database, UUID(task_id))
                    assert task is not None
                    await runs.start(stage.services, task)
            states = [await _ended(stage, task_id) for task_id in ids]
            found = await described(stage, ids[0])
    assert states == ["completed", "failed", "completed"]
    assert found.typed_search_attributes.get(STATE) is None
    # It is said once, and nothing is asked for in vain again and again.
    assert _events(lines) == ["temporal.search_attributes_unknown"]


async def _ended(stage: Stage, task_id: str) -> str:
    return str((await stage.until(task_id, "completed", "failed"))["status"])


def _events(lines: Sequence[object]) -> list[str]:
    kept = [line["event"] for line in lines if isinstance(line, dict)]
    return [event for event in kept if event.startswith("temporal.")]
