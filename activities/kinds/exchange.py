"""Tasks of type ``exchange``: an agent that stays answers messages. Nobody submits one."""

from collections.abc import Mapping
from typing import Never
from uuid import UUID

from activities.kinds.base import Installed, Kind, RunnableTask
from activities.kinds.errors import TaskRefused
from workflows.definitions.resident import Exchange
from workflows.definitions.task_request import TaskRequest
from workflows.pointers import Problem
from workflows.states import TaskType

_NOT_SUBMITTED = (
    "no task is submitted as an exchange: send a message to an agent, with "
    "POST /agents/ID/messages, and it becomes one"
)


class ExchangeKind(Kind[Exchange]):
    """The workflow of the agent runs it: see ``workflows.conversation``."""

    task_type = TaskType.EXCHANGE
    model = Exchange

    def define(self, request: TaskRequest) -> Never:
        raise TaskRefused([Problem("/type", _NOT_SUBMITTED)])

    def name(self, prompt: str | None, definition: Exchange) -> str:
        return prompt or ""

    async def own_problems(
        self, installed: Installed, team_id: UUID, definition: Exchange, inputs: Mapping[str, str]
    ) -> list[Problem]:
        return [Problem("/type", _NOT_SUBMITTED)]

    async def message(self, installed: Installed, task: RunnableTask) -> Never:
        raise NotImplementedError(_NOT_SUBMITTED)


# Not one of ``KINDS``, which are those that may be asked for.
EXCHANGE = ExchangeKind()
