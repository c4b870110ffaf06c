"""Exchanges of agents that stay: shown as the tasks of agents are, and run again by nobody."""

from collections.abc import Sequence

from activities.kinds.exchange import EXCHANGE
from activities.store.reading.tasks import StoredTask, TaskDetails, TaskSummary
from api.services import Services
from api.tasks.kinds.agent import KIND as AGENT
from api.tasks.kinds.base import Beginning, ServedKind, wrong
from api.wire.requests import RetryRequest
from api.wire.responses.files import Artifact
from api.wire.responses.tasks import AgentResult, Progress
from workflows.definitions.resident import Exchange

_NOT_ALONE = (
    "it is an exchange of an agent that stays, which takes its unread messages again: restart that "
    "agent"
)


class ServedExchangeKind(ServedKind[Exchange]):
    kind = EXCHANGE
    has_many_sub_tasks = True
    counts_turns = True

    async def beginning(
        self, services: Services, task: StoredTask, request: RetryRequest
    ) -> Beginning:
        raise wrong("", _NOT_ALONE)

    def progress(self, task: TaskSummary, current: str | None) -> Progress:
        return AGENT.progress(task, current)

    def result(self, task: TaskDetails, files: Sequence[Artifact]) -> AgentResult:
        """Its answer, and the files that it has made."""
        given = task.result or {}
        return AgentResult(summary=str(given.get("reply") or ""), files=[*files])


KIND = ServedExchangeKind()
