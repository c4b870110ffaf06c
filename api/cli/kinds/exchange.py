"""Exchanges of agents that stay on the terminal, drawn as the tasks of agents are."""

from rich.console import Console

from api.cli.display.agent_displays import MovingTurns, PlainTurns
from api.cli.display.agent_progress import AgentProgress
from api.cli.kinds.agent import KIND as AGENT
from api.cli.kinds.base import Kind
from api.client import AsyncClient as Client
from api.wire.responses.tasks import Task
from workflows.states import TaskType


class ExchangeKind(Kind[AgentProgress]):
    """Nobody submits one: a message to the agent is enough."""

    task_type = TaskType.EXCHANGE

    def progress(self, task: Task) -> AgentProgress:
        return AGENT.progress(task)

    def picture(self, progress: AgentProgress, console: Console) -> MovingTurns:
        return AGENT.picture(progress, console)

    def lines(self, progress: AgentProgress, console: Console) -> PlainTurns:
        return AGENT.lines(progress, console)

    async def complete(self, progress: AgentProgress, client: Client) -> None:
        await AGENT.complete(progress, client)


KIND = ExchangeKind()
