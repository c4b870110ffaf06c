"""The calls of reminders of agents that stay."""

from api.client.agent_ids import find_agent_id
from api.client.asking import Fields, asked, keyed
from api.client.calls import Id, part
from api.client.queries import Filter, queried
from api.client.transport import Params, Transport
from api.wire.responses.pages import Page
from api.wire.responses.reminders import Reminder
from workflows.definitions.reminder import ReminderRequest


class Reminders:
    """``client.reminders``. Agents are named as in
    ``client.agents``; calls raise as those of ``Client`` do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(self, agent_id: Id, request: ReminderRequest | Fields) -> Reminder:
        """Set a reminder. An answer that is lost on the way makes no second one."""
        wanted = asked(ReminderRequest, request)
        return await self._transport.call(
            "POST",
            await self._path(agent_id),
            Reminder,
            body=wanted.model_dump_json(exclude_unset=True).encode(),
            headers=keyed(None),
            repeatable=True,
        )

    async def list(
        self, /, agent_id: Id, params: Params | None = None, **filters: Filter
    ) -> Page[Reminder]:
        """A page of those that are still to come, the oldest first."""
        return await self._transport.call(
            "GET",
            await self._path(agent_id),
            Page[Reminder],
            params=queried(params, filters),
            repeatable=True,
        )

    async def cancel(self, agent_id: Id, reminder_id: str) -> None:
        await self._transport.delete(f"{await self._path(agent_id)}/{part(reminder_id)}")

    async def _path(self, agent_id: Id) -> str:
        found = await find_agent_id(self._transport, agent_id)
        return "/agents/" + "/".join(map(part, (found, "reminders")))
