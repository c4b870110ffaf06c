"""A client of the AgentOS API, typed with the API's own schemas."""

import os
from types import TracebackType
from typing import Self

from api.addresses import DEFAULT_URL
from api.client.agent_memory import AgentMemory
from api.client.agent_streams import AgentStreams
from api.client.agents import Agents
from api.client.bulk import BulkCalls
from api.client.dead_letters import DeadLetterCalls
from api.client.files import FileCalls
from api.client.groups import Groups
from api.client.history import HistoryCalls
from api.client.many_tasks import ManyTasks
from api.client.overview import Overview
from api.client.reminders import Reminders
from api.client.results import ResultCalls
from api.client.schedules import ScheduleCalls
from api.client.submissions import SubmissionCalls
from api.client.team import TeamCalls
from api.client.tools import ToolCalls
from api.client.transport import ANSWER_TIMEOUT_SECONDS, PATIENCE_SECONDS, Transport
from api.client.uploads import Uploads
from api.client.webhooks import WebhookCalls


class AsyncClient(
    SubmissionCalls,
    ResultCalls,
    HistoryCalls,
    FileCalls,
    DeadLetterCalls,
    BulkCalls,
    ScheduleCalls,
    WebhookCalls,
    ToolCalls,
    TeamCalls,
):
    """``async with AsyncClient(url, api_key) as client: ...``

    Without them the address is ``AGENTOS_API_URL``, or that of ``agentos up`` on this machine, and
    the key ``AGENTOS_API_KEY``. An answer may take ``timeout_seconds``; what waits for longer says
    so itself. What is lost on the way and may be sent twice, and what finds no API, is tried again
    for ``patience_seconds``.

    Every call raises ``ApiProblem`` when the API says no, ``ApiUnreachable`` when no answer comes
    and ``NotTheApi`` when something else answers.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_seconds: float = ANSWER_TIMEOUT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        super().__init__(
            Transport(
                url or os.environ.get("AGENTOS_API_URL") or DEFAULT_URL,
                api_key or os.environ.get("AGENTOS_API_KEY"),
                timeout_seconds=timeout_seconds,
                patience_seconds=patience_seconds,
            )
        )
        self.agents = Agents(self._transport)
        self.reminders = Reminders(self._transport)
        self.memory = AgentMemory(self._transport)
        self.groups = Groups(self._transport)
        self.agent_events = AgentStreams(self._transport)
        self.uploads = Uploads(self._transport)
        self.many_tasks = ManyTasks(self._transport)
        self.overview = Overview(self._transport)

    @property
    def has_changed_something(self) -> bool:
        """Whether the API has done something on its behalf, beside answering."""
        return self._transport.has_changed_something

    async def close(self) -> None:
        """Close the connections. Nothing can be asked for afterwards."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
