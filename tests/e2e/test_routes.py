"""Tasks of type auto on the whole stack: a model chooses, and the task goes on as that."""

from pathlib import Path
from typing import Any

from temporalio.client import Client

from tests.doubles.model_server import text
from tests.doubles.scripted_models import Endless, Held, ScriptedModels, Wanted, asks, finishes
from tests.live import Live
from tests.temporal_runs import runs_of

WHY = "a fixed sequence"
CLEANS = {
    "name": "clean",
    "inputs": ["data"],
    "steps": [{"id": "clean", "skill": "csv-clean", "args": ["${inputs.data}", "-o", "c.csv"]}],
}
COMPILES: Wanted = ("compile_pipeline", {"pipeline": CLEANS, "reason": WHY})
AGENT: Wanted = ("create_task", {"type": "agent", "reason": "it is open"})


async def submit(live: Live, prompt: str, **more: object) -> str:
    answer = await live.http.post("/api/v1/tasks", json={"prompt": prompt, **more})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


async def test_a_task_becomes_a_pipeline_under_the_same_id_and_says_why(
    agents_live: Live, models: ScriptedModels, tmp_path: Path
) -> None:
    data = tmp_path / "people.csv"
    data.write_text("name,age\nada,36\n")
    talk = models.conversation(text("Hm."), asks(COMPILES))
    printed = await agents_live.agentos(
        *("submit", "auto", talk.prompt("Clean it.")),
        *("--input", f"data={data}", "--wait"),
    )
    assert printed.code == 0, printed.stderr
    task = await agents_live.task(printed.stdout.strip())
    assert (task["type"], task["status"], task["run"]) == ("pipeline", "completed", 1)
    assert task["route"] == {"requested": "auto", "type": "pipeline", "reason": WHY}
    assert [step["name"] for step in task["sub_tasks"]] == ["clean"]
    assert [file["name"] for file in task["artifacts"]] == ["c.csv"]
    assert (task["usage"]["tokens_used"], task["usage"]["turns"]) == (30, 2)
    lines = printed.stderr.splitlines()
    routed = lines.index(f"routed: pipeline ({WHY})")
    assert any("create" in line or "Hm." in line for line in lines[:routed])
    assert any("clean: completed" in line for line in lines[routed:])
    shown = await agents_live.agentos("show", task["task_id"])
    assert f"pipeline ({WHY})" in " ".join(shown.stdout.split())
    events = await agents_live.events_of(task["task_id"])
    [told] = [data for name, data in events if name == "task.routed"]
    assert (told["type"], told["reason"]) == ("pipeline", WHY)
    client = await Client.connect(agents_live.services.temporal_address)
    runs = await runs_of(client, f"task-{task['task_id']}")
    assert [_type_of(run) for run in runs] == ["RouterWorkflow", "PipelineWorkflow"]


async def test_a_task_becomes_an_agent_and_stays_one_when_it_is_run_again(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(asks(AGENT), finishes("One."), finishes("Two."))
    task_id = await submit(agents_live, talk.prompt())
    task = await agents_live.ended(task_id)
    assert (task["type"], task["status"], task["result"]["summary"]) == (
        "agent",
        "completed",
        "One.",
    )
    assert task["usage"]["tokens_used"] == 30
    listed = (await agents_live.http.get("/api/v1/tasks", params={"type": "agent"})).json()
    [found] = [item for item in listed["items"] if item["task_id"] == task_id]
    assert found["route"]["reason"] == "it is open"
    assert await agents_live.post(task_id, "retry", **{"from": "start"}) == 202
    again = await agents_live.when(task_id, _is_again)
    assert (again["type"], again["result"]["summary"]) == ("agent", "Two.")
    roles = [message["role"] for message in await agents_live.messages_of(task_id)]
    assert roles == ["system", "user", "assistant", "tool"]


async def test_a_task_that_is_cancelled_while_a_model_chooses_is_asked_about_again(
    agents_live: Live, models: ScriptedModels
) -> None:
    slow = Endless("Let me see ")
    talk = models.conversation(slow, asks(AGENT), finishes())
    task_id = await submit(agents_live, talk.prompt())
    await slow.begun.wait()
    listed = (await agents_live.http.get("/api/v1/tasks", params={"type": "auto"})).json()
    assert task_id in [item["task_id"] for item in listed["items"]]
    assert await agents_live.post(task_id, "cancel") == 202
    task = await agents_live.ended(task_id)
    assert (task["type"], task["status"], task["route"]) == ("auto", "cancelled", None)
    assert await agents_live.post(task_id, "retry", **{"from": "1.1"}) == 422
    assert await agents_live.post(task_id, "retry") == 202
    again = await agents_live.when(task_id, _is_again)
    assert (again["type"], again["status"]) == ("agent", "completed")


async def test_a_pause_that_is_asked_for_while_a_model_chooses_holds_for_what_follows(
    agents_live: Live, models: ScriptedModels
) -> None:
    held = Held(asks(AGENT))
    talk = models.conversation(held, finishes())
    task_id = await submit(agents_live, talk.prompt())
    await held.begun.wait()
    assert await agents_live.post(task_id, "pause") == 202
    held.go_on.set()
    task = await agents_live.when(task_id, lambda task: bool(task["status"] == "paused"))
    assert task["type"] == "agent"
    assert len(talk.requests) == 1
    assert await agents_live.post(task_id, "resume") == 202
    assert (await agents_live.ended(task_id))["status"] == "completed"


async def test_a_pipeline_without_a_type_runs_at_once(
    agents_live: Live, models: ScriptedModels
) -> None:
    step = {"id": "a", "code": {"language": "python", "source": "print(1)"}}
    body = {"pipeline": {"name": "p", "steps": [step]}}
    answer = await agents_live.http.post("/api/v1/tasks", json=body)
    task = await agents_live.ended(answer.json()["task_id"])
    assert (task["type"], task["status"], task["route"]) == ("pipeline", "completed", None)


def _is_again(task: dict[str, Any]) -> bool:
    return task["run"] == 2 and task["status"] in ("completed", "failed", "blocked", "cancelled")


def _type_of(run: Any) -> str:
    started = run.events[0].workflow_execution_started_event_attributes
    return str(started.workflow_type.name)
