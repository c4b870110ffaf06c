"""A client of the AgentOS API, typed with the API's own schemas."""

from api.client.agent_memory import AgentMemory
from api.client.agent_streams import AgentStreams
from api.client.agents import Agents
from api.client.bulk import BulkCalls
from api.client.calls import Calls
from api.client.connected import Connected
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
from api.client.transport import Transport
from api.client.uploads import Uploads
from api.client.webhooks import WebhookCalls


class _Parts(Calls):
    """Calls that are grouped under a name."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.agents = Agents(transport)
        self.reminders = Reminders(transport)
        self.memory = AgentMemory(transport)
        self.groups = Groups(transport)
        self.agent_events = AgentStreams(transport)
        self.uploads = Uploads(transport)
        self.many_tasks = ManyTasks(transport)
        self.overview = Overview(transport)


class AsyncClient(
    Connected,
    _Parts,
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
