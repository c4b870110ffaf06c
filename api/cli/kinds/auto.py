"""Tasks on the terminal of which nobody has chosen yet what they are."""

from rich.console import Console

from api.cli.commands import agent_options as options
from api.cli.commands.inputs import GivenInputs
from api.cli.commands.request_body import built
from api.cli.display.agent_displays import MovingTurns, PlainTurns
from api.cli.display.agent_progress import AgentProgress
from api.cli.kinds.agent import KIND as AGENT
from api.cli.kinds.agent import Prompt
from api.cli.kinds.base import Kind
from api.wire.responses.tasks import Task
from workflows.definitions.agent import Agent
from workflows.definitions.task_request import TaskRequest
from workflows.states import TaskType


class AutoKind(Kind[AgentProgress]):
    """The model that chooses is shown as an agent is, for as long as it takes."""

    task_type = TaskType.AUTO

    def progress(self, task: Task) -> AgentProgress:
        return AGENT.progress(task)

    def picture(self, progress: AgentProgress, console: Console) -> MovingTurns:
        return AGENT.picture(progress, console)

    def lines(self, progress: AgentProgress, console: Console) -> PlainTurns:
        return AGENT.lines(progress, console)

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
    ) -> TaskRequest:
        """Let a model choose whether a task is a pipeline, an agent or a plan."""
        agent = options.make_agent(
            profile={},
            limits={"turns": turns, "tokens": tokens, "cost_usd": cost, "seconds": seconds},
            skills=skills,
            tools=tools,
            model=model,
            output_schema=schema and options.read_schema(schema),
        )
        given = None if agent == Agent() else agent
        return built(TaskRequest, {"type": TaskType.AUTO, "prompt": text, "agent": given})


KIND = AutoKind()
