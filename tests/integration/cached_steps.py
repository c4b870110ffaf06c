"""Pipelines of one step, each run as if by a worker of its own, and what became of them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID, uuid4

from pydantic import JsonValue
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from activities.results.cache import ResultCache
from activities.steps.adapter import Steps
from activities.store import tasks
from activities.store.keys import DEFAULT_TEAM
from activities.store.result_cache import Wanted
from activities.tools.mcp.questions import Replies
from activities.tools.mcp.results import McpFile, McpResult
from activities.tools.offered import OfferedTool
from activities.tools.registry import Registry
from activities.tools.toolbox import Toolbox
from tests.integration.agent_desk import Desk
from tests.integration.new_tasks import first_call, new_task
from workflows.definitions.pipeline import Pipeline
from workflows.states import TaskType

# Prints and writes what no second run would: whoever has the same has not run.
DICE = """\
import sys, uuid
word = uuid.uuid4().hex
print(word)
print("rolled", file=sys.stderr)
open("dice.txt", "w").write(word)
"""

WRITTEN = {"name": "a.txt", "text": "b"}


class NoCache(ResultCache):
    def place(self, wanted: Wanted) -> NoReturn:
        raise AssertionError("it was asked")


@dataclass
class Rolling:
    """A server whose tool gives something else each time."""

    calls: int = 0

    async def offered(self, team_id: UUID) -> Sequence[OfferedTool]:
        return [OfferedTool("mcp.dice.roll", "Rolls.", {"type": "object"}, is_retry_safe=True)]

    async def call(
        self,
        team_id: UUID,
        name: str,
        arguments: Mapping[str, JsonValue],
        timeout_seconds: float,
        replies: Replies,
    ) -> McpResult:
        self.calls += 1
        return McpResult(uuid4().hex, (McpFile("face", "image/png", b"dots"),))


def write_skill(folder: Path, name: str, lifetime: str | None, script: str = DICE) -> None:
    (folder / name / "scripts").mkdir(parents=True, exist_ok=True)
    metadata = f"metadata: {{agentos-cache: {lifetime}}}\n" if lifetime else ""
    head = f"---\nname: {name}\ndescription: Rolls.\n{metadata}---\n"
    (folder / name / "SKILL.md").write_text(head)
    (folder / name / "scripts" / "roll.py").write_text(script)


@dataclass(frozen=True)
class Outcome:
    status: str
    cached: bool
    stdout: str
    stderr: str
    exit_code: int | None
    files: dict[str, str]
    events: list[dict[str, Any]] = field(repr=False)
    task_id: UUID
    sub_task_id: UUID

    @property
    def completed(self) -> dict[str, Any]:
        return self.events[-1]


async def run(
    desk: Desk,
    step: Mapping[str, object],
    *,
    cache: bool = True,
    team_id: UUID = DEFAULT_TEAM,
    seconds: float = 30,
    mcp: Rolling | None = None,
    environment: ActivityEnvironment | None = None,
    results: ResultCache | None = None,
    registry: Registry | None = None,
    meanwhile: Callable[[], Awaitable[None]] | None = None,
    **inputs: str,
) -> Outcome:
    """Run a pipeline of one step, on a worker of its own. ``meanwhile`` comes before it begins."""
    definition = Pipeline.model_validate(
        {"name": "test", "inputs": list(inputs), "steps": [{"id": "a", "retries": 0, **step}]}
    )
    task = new_task(TaskType.PIPELINE, definition, team_id=team_id, inputs=inputs, cache=cache)
    await tasks.create_task(desk.database, task)
    if meanwhile is not None:
        await meanwhile()
    call = first_call(task, timeout_seconds=seconds)
    equipment = replace(
        desk.equipment,
        results=results or ResultCache(desk.database, desk.blobs, claim_seconds=1.0),
    )
    steps = Steps(equipment, Toolbox(registry or Registry(), desk.database, mcp=mcp))
    activity = {"skill": steps.run_skill, "code": steps.run_code, "tool": steps.call_tool}
    run_it = activity[definition.steps[0].kind]
    await (environment or ActivityEnvironment()).run(run_it, call)
    return await outcome_of(desk, task.id, task.sub_tasks[0].id)


async def outcome_of(desk: Desk, task_id: UUID, sub_task_id: UUID) -> Outcome:
    async with desk.database.reading(fresh=True) as connection:
        given = {"id": sub_task_id}
        row = (
            await connection.execute(
                text(
                    """SELECT sub_tasks.status, cached, stdout, stderr, exit_code
                    FROM sub_tasks JOIN execution_logs ON sub_task_id = sub_tasks.id
                    WHERE sub_tasks.id = :id"""
                ),
                given,
            )
        ).one()
        files = await connection.execute(
            text("SELECT name, sha256 FROM task_artifacts WHERE sub_task_id = :id"), given
        )
        events = await connection.execute(
            text(
                """SELECT data FROM events JOIN sub_tasks ON sub_tasks.task_id = events.task_id
                WHERE sub_tasks.id = :id ORDER BY seq"""
            ),
            given,
        )
        found = {file.name: file.sha256 for file in files}
        return Outcome(*row, found, [data for (data,) in events], task_id, sub_task_id)


def code(source: str = DICE, **more: object) -> dict[str, object]:
    return {"code": {"language": "python", "source": source}, "cache": "1h", **more}
