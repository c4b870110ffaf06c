"""A stack that is backed up in the midst of its work, and goes on in another folder."""

import asyncio
import json
import os
import signal
import stat
import sys
import time
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from activities.tools.toolbox import REMEMBERED_SECONDS
from deploy.backup.manifest import TEMPORAL
from tests.backup_files import changed
from tests.doubles.scripted_models import Conversation, ScriptedModels, Wanted, asks, finishes
from tests.live import Live, held, python, release, typed, until
from tests.live_agents import LiveAgent, live_agent
from tests.live_models import modelled_stack
from tests.pressure import allowed
from workflows.contracts import workflow_id
from workflows.states import AgentState

# Two stacks are started, and a step is missed, on a machine that others use as well.
pytestmark = pytest.mark.timeout(400)

WRITE: Wanted = ("write_file", {"name": "a.txt", "text": "a"})


async def permit(live: Live, level: str) -> None:
    change = {"permission_level": level}
    assert (await live.http.patch("/api/v1/tools/write_file", json=change)).is_success
    await asyncio.sleep(REMEMBERED_SECONDS)


def is_waiting(task: dict[str, Any]) -> bool:
    return bool(task["status"] == "waiting")


def is_at(step: str) -> Any:
    """Whether the step of a task runs."""

    def holds(task: dict[str, Any]) -> bool:
        return any(
            part["name"] == step and part["status"] == "running" for part in task["sub_tasks"]
        )

    return holds


@dataclass
class Work:
    """What is under way when the backups are taken."""

    ended: dict[str, Any]
    failed: dict[str, Any]
    running: str
    seconds: str
    asking: str
    talk: Conversation
    schedule: str
    agent: LiveAgent
    key: str
    early: Path
    late: Path
    later: dict[str, dict[str, Any]]


async def approve(live: Live, task_id: str) -> None:
    [call] = (await live.task(task_id))["sub_tasks"]
    assert await live.post(task_id, f"approvals/{call['id']}", decision="approve") == 202


async def back_up(live: Live, file: Path, *more: str) -> None:
    folder = str(live.services.data_dir)
    printed = await live.agentos("backup", str(file), "--data-dir", folder, *more)
    assert printed.code == 0, printed.stderr


@pytest.fixture(scope="module")
async def work(
    agents_live: Live, models: ScriptedModels, tmp_path_factory: pytest.TempPathFactory
) -> Work:
    """Work of each kind, backed up twice: in its midst, and when most of it has ended."""
    live, folder = agents_live, tmp_path_factory.mktemp("backups")
    await permit(live, "ask")
    write = python("write", "open('a.txt', 'w').write('kept')")
    ended = await live.run(write, inputs=None)
    failed = await live.run(python("only", "raise SystemExit(3)"))
    sleep, seconds = held("sleep")
    last = python("last", "print('went on')")
    running = await live.submit(write | {"id": "first"}, sleep, last)
    talk = models.conversation(asks(WRITE), finishes("Written."))
    asking = await live.submit_agent(talk.prompt())
    agent = await live_agent(live, models.conversation(asks(text="One."), asks(text="Two.")))
    await agent.send("Count.")
    await agent.replied("One.")
    body = {
        "name": f"tick-{uuid4()}",
        "every": "10s",
        "task": {"pipeline": {"name": "tick", "steps": [python("only", "print(1)")]}},
    }
    made = (await live.http.post("/api/v1/schedules", json=body)).raise_for_status().json()
    data_dir = str(live.services.data_dir)
    key = (await live.agentos("keys", "create", "kept", "--data-dir", data_dir)).stdout.strip()
    await live.when(asking, is_waiting)
    await live.when(running, is_at("sleep"))
    await back_up(live, folder / "early")
    # What follows, the first backup's Temporal knows nothing of.
    await release(seconds)
    await approve(live, asking)
    later = {
        "pipeline": await live.ended(running),
        "agent": await live.ended(asking),
        "new": await live.run(write),
    }
    await back_up(live, folder / "late")
    await permit(live, "auto")
    await live.http.delete(f"/api/v1/schedules/{made['id']}")
    return Work(
        ended=ended,
        failed=failed,
        running=running,
        seconds=seconds,
        asking=asking,
        talk=talk,
        schedule=made["id"],
        agent=agent,
        key=key,
        early=folder / "early",
        late=folder / "late",
        later=later,
    )


async def restored(file: Path, data_dir: Path) -> None:
    printed = await typed(
        sys.executable,
        *("-P", "-m", "deploy.cli", "restore", str(file), "--data-dir", str(data_dir)),
        *("-o", "json"),
    )
    assert printed.code == 0, printed.stderr
    assert json.loads(printed.stdout)["unusable_files"] == []


@pytest.fixture(scope="module")
async def again(
    work: Work, models: ScriptedModels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Live]:
    """A stack on what the first backup holds."""
    folder = tmp_path_factory.mktemp("again") / "data"
    await restored(work.early, folder)
    work.talk.answers = [finishes("Written.")]
    async with modelled_stack(folder, models) as live:
        yield live


def test_a_backup_is_for_nobody_else(work: Work) -> None:
    assert stat.S_IMODE(work.early.stat().st_mode) == 0o600
    assert sorted(path.name for path in work.early.parent.iterdir()) == ["early", "late"]


async def test_what_had_ended_is_there_with_its_files(again: Live, work: Work) -> None:
    for task in (work.ended, work.failed):
        assert (await again.task(task["task_id"]))["status"] == task["status"]
    [artifact] = (await again.task(work.ended["task_id"]))["artifacts"]
    assert await again.text_of(artifact) == "kept"
    letters = (await again.http.get("/api/v1/dead-letters", params={"limit": 200})).json()
    assert work.failed["task_id"] in json.dumps(letters)


async def test_a_pipeline_goes_on_in_its_midst(again: Live, work: Work) -> None:
    await again.when(work.running, is_at("sleep"), seconds=120)
    await release(work.seconds)
    task = await again.ended(work.running, seconds=120)
    assert task["status"] == "completed", task
    steps = {step["name"]: step for step in task["sub_tasks"]}
    log = await again.log_of(work.running)
    assert [entry["sub_task_id"] for entry in log].count(steps["first"]["id"]) == 1
    assert any("went on" in entry["stdout"] for entry in log)


async def test_an_agent_that_waits_for_a_person_still_does(again: Live, work: Work) -> None:
    task = await again.when(work.asking, is_waiting)
    before = len(work.talk.requests)
    assert task["artifacts"] == []
    await approve(again, work.asking)
    task = await again.ended(work.asking)
    assert (task["status"], len(task["artifacts"])) == ("completed", 1)
    assert len(work.talk.requests) == before + 1


async def test_an_agent_that_stays_remembers_and_answers(again: Live, work: Work) -> None:
    agent = replace(work.agent, live=again)
    await agent.gets(AgentState.IDLE)
    await agent.send("Go on.")
    await agent.replied("One.", "Two.")
    assert "Count." in json.dumps(agent.talk.messages())


async def test_a_schedule_goes_on(again: Live, work: Work) -> None:
    params = {"schedule_id": work.schedule, "limit": 200}

    async def runs() -> list[str]:
        answer = await again.http.get("/api/v1/tasks", params=params)
        return [task["scheduled_at"] for task in answer.raise_for_status().json()["items"]]

    before = len(await runs())

    async def has_run() -> bool:
        return len(await runs()) > before

    await until(has_run)
    times = await runs()
    assert len(set(times)) == len(times)


async def test_keys_are_the_same(again: Live, work: Work) -> None:
    headers = {"Authorization": f"Bearer {work.key}"}
    assert (await again.http.get("/api/v1/tasks", headers=headers)).status_code == 200
    secrets = Path("secrets", "secrets-key")
    with zipfile.ZipFile(work.early) as archive:
        assert archive.read(str(secrets)) == (again.services.data_dir / secrets).read_bytes()


async def test_a_task_that_failed_can_be_retried_after_a_restore(again: Live, work: Work) -> None:
    assert await again.post(work.failed["task_id"], "retry") == 202
    task = await again.ended(work.failed["task_id"])
    assert (task["status"], task["run"]) == ("failed", 2)


async def test_a_temporal_that_is_older_than_its_database_changes_nothing(
    work: Work, models: ScriptedModels, tmp_path: Path
) -> None:
    """As if all that was done between the two backups had come between the two parts of one."""
    with zipfile.ZipFile(work.early) as early:
        temporal = early.read(TEMPORAL)
    skewed = changed(work.late, tmp_path / "skewed", {TEMPORAL: temporal}, is_told=True)
    await restored(skewed, tmp_path / "data")
    asked = len(work.talk.requests)
    async with modelled_stack(tmp_path / "data", models) as live:
        fresh = await live.run(python("only", "print(1)"))
        assert fresh["status"] == "completed"
        for was in work.later.values():
            now = await live.task(was["task_id"])
            assert [now[name] for name in ("status", "run", "result", "finished_at")] == [
                was[name] for name in ("status", "run", "result", "finished_at")
            ]
        await _ends(live, work.running)
        for was in work.later.values():
            assert (await live.task(was["task_id"]))["status"] == "completed"
        assert len(work.talk.requests) == asked


async def _ends(live: Live, task_id: str) -> None:
    """The workflow of a task has missed the end of a step, misses the step, and finds its end."""
    client = await Client.connect(live.services.temporal_address)

    async def has_ended() -> bool:
        found = await client.get_workflow_handle(workflow_id(UUID(task_id))).describe()
        return found.status is not WorkflowExecutionStatus.RUNNING

    await until(has_ended, seconds=180)


async def test_a_backup_that_is_stopped_leaves_nothing(agents_live: Live, tmp_path: Path) -> None:
    await agents_live.upload("large", os.urandom(2**26))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "deploy.cli", "backup", str(tmp_path / "file")),
        *("--data-dir", str(agents_live.services.data_dir)),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    assert (await process.stderr.readline()).startswith(b"Temporal:")
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert b"Stopped. Nothing was written." in await process.stderr.read()
    assert await process.wait() == 130
    assert time.monotonic() - began < allowed(1)
    assert list(tmp_path.iterdir()) == []


async def test_a_backup_replaces_a_file_only_when_told_to(
    agents_live: Live, tmp_path: Path
) -> None:
    file, folder = tmp_path / "file", str(agents_live.services.data_dir)
    file.write_text("precious")
    printed = await agents_live.agentos("backup", str(file), "--data-dir", folder)
    assert (printed.code, file.read_text()) == (1, "precious")
    assert "replace it with --force" in printed.stderr
    await back_up(agents_live, file, "--force")
    assert zipfile.is_zipfile(file)


async def test_a_restore_that_is_killed_leaves_no_data_folder(work: Work, tmp_path: Path) -> None:
    """The next one takes its place."""
    words = ("restore", str(work.early), "--data-dir", str(tmp_path / "data"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "deploy.cli", *words), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    while not (await process.stderr.readline()).startswith(b"Restored: secrets"):
        pass
    process.kill()
    await process.wait()
    assert not (tmp_path / "data").exists()
    parts = {"tables/teams": b"no row of it\n"}
    bad = changed(work.early, tmp_path / "bad", parts, is_told=True)
    printed = await typed(
        sys.executable, "-P", "-m", "deploy.cli", "restore", str(bad), "--data-dir", words[-1]
    )
    assert (printed.code, printed.stdout) == (1, "")
    assert "is no whole backup of AgentOS: The database refused the rows" in printed.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bad"]
