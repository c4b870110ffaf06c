"""Where tests call the tools of an agent: the true database, store and sandbox, and one task."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from pydantic import JsonValue
from sqlalchemy import text

from activities.attempts.artifacts import publish
from activities.attempts.collector import collect
from activities.attempts.reporter import Reporter
from activities.equipment import Equipment
from activities.sandbox.folders import make_open_folder
from activities.store import files, tasks
from activities.store.attempts import Attempt, artifact_id
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.files import Upload
from activities.store.keys import DEFAULT_TEAM
from activities.store.options import S3Options
from activities.tools.context import AgentContext, ToolContext, ToolResult
from activities.tools.registry import Registry
from activities.tools.server_tools import AllowedServerTools
from activities.tools.skills import AllowedSkills
from activities.tools.toolbox import Toolbox
from deploy.local.services import Services
from tests.equipment import equipment
from tests.integration.new_tasks import new_task
from tests.integration.sandboxes import open_folder
from workflows.definitions.agent import Agent
from workflows.states import TaskType


@dataclass
class Desk:
    """``call`` makes a call and keeps its files, as an agent's turn does."""

    equipment: Equipment
    folder: Path
    toolbox: Toolbox
    agent: Agent = field(default_factory=Agent)
    task_id: UUID = field(default_factory=uuid4)
    team_id: UUID = DEFAULT_TEAM
    made: dict[str, UUID] = field(default_factory=dict)
    reporter: Reporter = field(init=False)
    _calls: int = 0

    @property
    def database(self) -> Database:
        return self.equipment.database

    @property
    def blobs(self) -> Blobs:
        return self.equipment.blobs

    async def begin(self, **inputs: bytes) -> None:
        """Make the task, with these inputs."""
        given = {name: await self.upload(data) for name, data in inputs.items()}
        task = new_task(
            TaskType.AGENT, self.agent, task_id=self.task_id, team_id=self.team_id, inputs=given
        )
        await tasks.create_task(self.database, task)

    async def upload(self, data: bytes, name: str = "data.csv") -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        upload = Upload(uuid4(), name, len(data), "text/csv", sha256)
        await self.blobs.put(self.team_id, sha256, len(data), "text/csv", io.BytesIO(data))
        kept = await files.create_file(self.database, self.team_id, upload)
        return f"file:{kept.file.id}"

    async def call(self, name: str, /, **arguments: JsonValue) -> ToolResult:
        context = self.context()
        result = await self.toolbox.call(context, name, arguments)
        await self._keep(context.output)
        return result

    def context(self) -> AgentContext:
        self._calls += 1
        code, output = (self.folder / f"{what}-{self._calls}" for what in ("code", "output"))
        make_open_folder(output)
        attempt = Attempt(self.task_id, uuid4(), 1, 1, 0, "worker-1")
        self.reporter = Reporter(self.database, attempt, f"1.{self._calls} tool")
        return AgentContext(
            self.task_id,
            self.team_id,
            output,
            self.equipment,
            code=code,
            reporter=self.reporter,
            skills=AllowedSkills(self.equipment.catalogue, self.agent.skills),
            server_tools=AllowedServerTools(self.toolbox, self.team_id, self.agent),
            call_id=attempt.sub_task_id,
        )

    def pipeline_context(self) -> ToolContext:
        context = self.context()
        return ToolContext(context.task_id, context.team_id, context.output, self.equipment)

    async def say(self, content: str) -> None:
        """Write a tool's message that is protected, as the result of load_skill is."""
        await self._write(
            """
            INSERT INTO messages
                (task_id, seq, team_id, turn, role, content, is_protected, execution,
                 prompt_tokens, completion_tokens, cost_usd)
            VALUES (:task_id, 3, :team_id, 1, 'tool', :content, true, '', 0, 0, 0)""",
            content=content,
        )

    async def _keep(self, output: Path) -> None:
        collection = await asyncio.to_thread(collect, output)
        sub_task_id = uuid4()
        await self._write(
            """
            INSERT INTO sub_tasks
                (id, team_id, task_id, name, task_type, status, dependencies, input_context,
                 retry_count, execution_order)
            VALUES (:id, :team_id, :task_id, 'call', 'tool', 'completed', '[]', '{}', 0, 0)""",
            id=sub_task_id,
        )
        for file in await publish(self.blobs, self.team_id, output, collection):
            key = artifact_id(sub_task_id, file.name, file.sha256)
            await self._write(
                """
                INSERT INTO task_artifacts
                    (id, team_id, task_id, sub_task_id, type, name, size, mime_type, sha256)
                VALUES (:id, :team_id, :task_id, :sub_task_id, 'file', :name, :size, :mime_type,
                        :sha256)""",
                id=key,
                sub_task_id=sub_task_id,
                name=file.name,
                size=file.size,
                mime_type=file.mime_type,
                sha256=file.sha256,
            )
            self.made[file.name] = key

    async def _write(self, statement: str, **values: object) -> None:
        async with self.database.writing() as connection:
            given: Mapping[str, object] = {
                "task_id": self.task_id,
                "team_id": self.team_id,
                **values,
            }
            await connection.execute(text(statement), given)


@asynccontextmanager
async def agent_desk(
    infrastructure: Services,
    database_url: str,
    bucket: str,
    skills: Path,
    networked: Collection[str] = (),
) -> AsyncIterator[Desk]:
    s3 = infrastructure.s3
    database = Database(database_url)
    blobs = Blobs(S3Options(s3.endpoint, bucket, s3.access_key, s3.secret_key))
    with open_folder() as folder:
        given = equipment(database, blobs, folder, skills=skills, networked=networked)
        yield Desk(given, folder, Toolbox(Registry(), database))
        await given.sandbox.close()
    await database.close()
