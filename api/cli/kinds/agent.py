"""Agents on the terminal."""

from typing import Annotated

import typer
from rich.console import Console

from api.cli.commands import agent_options as options
from api.cli.commands.inputs import GivenInputs
from api.cli.commands.request_body import built
from api.cli.display.agent_displays import MovingTurns, PlainTurns
from api.cli.display.agent_progress import AgentProgress
from api.cli.kinds.base import Kind
from api.client import AsyncClient as Client
from api.wire.responses.tasks import AgentResult, Task
from workflows.definitions.task_request import TaskRequest
from workflows.states import TaskType

Prompt = Annotated[
    str, typer.Argument(metavar="TEXT", show_default=False, help="The task in words.")
]


class AgentKind(Kind[AgentProgress]):
    task_type = TaskType.AGENT

    def progress(self, task: Task) -> AgentProgress:
        return AgentProgress(
            str(task.task_id), task.name, temporal_url=task.temporal_url, latest_run=task.run
        )

    def picture(self, progress: AgentProgress, console: Console) -> MovingTurns:
        return MovingTurns(progress, console)

    def lines(self, progress: AgentProgress, console: Console) -> PlainTurns:
        return PlainTurns(progress, console)

    async def complete(self, progress: AgentProgress, client: Client) -> None:
        result = (await client.task(progress.task_id)).result
        if isinstance(result, AgentResult):
            progress.summary, progress.result = result.summary, result.result

    @staticmethod
    def request(
        inputs: GivenInputs,
        *,
        text: Prompt,
        skills: options.Skills = None,
        tools: options.Tools = None,
        model: options.Model = None,
        schema: options.Schema = None,
        turns: options.Turns = None,
        tokens: options.Tokens = None,
        cost: options.Cost = None,
        seconds: options.Seconds = None,
        name: options.Name = None,
        role: options.Role = None,
        goal: options.Goal = None,
        tone: options.Tone = None,
    ) -> TaskRequest:
        """Let an agent work on a task with tools until it is done."""
        agent = options.make_agent(
            profile={"name": name, "role": role, "goal": goal, "tone": tone},
            limits={"turns": turns, "tokens": tokens, "cost_usd": cost, "seconds": seconds},
            skills=skills,
            tools=tools,
            model=model,
            output_schema=schema and options.read_schema(schema),
        )
        return built(TaskRequest, {"type": TaskType.AGENT, "prompt": text, "agent": agent})


KIND = AgentKind()
