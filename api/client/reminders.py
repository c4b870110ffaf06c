"""The calls of reminders of agents that stay."""

from api.client.calls import part
from api.client.transport import Params, Transport, key_header
from api.wire.responses.pages import Page
from api.wire.responses.reminders import Reminder
from workflows.definitions.reminder import ReminderRequest


class Reminders:
    """``client.reminders``. Agents go by their ids; calls raise as those of ``Client`` do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(self, agent_id: str, request: ReminderRequest) -> Reminder:
        """Set a reminder. An answer that is lost on the way makes no second one."""
        return await self._transport.call(
            "POST",
            _path(agent_id),
            Reminder,
            body=request.model_dump_json(exclude_unset=True).encode(),
            headers=key_header(None),
            repeatable=True,
        )

    async def list(self, agent_id: str, params: Params | None = None) -> Page[Reminder]:
        """A page of those that are still to come, the oldest first."""
        return await self._transport.call(
            "GET", _path(agent_id), Page[Reminder], params=params, repeatable=True
        )

    async def cancel(self, agent_id: str, reminder_id: str) -> None:
        await self._transport.delete(f"{_path(agent_id)}/{part(reminder_id)}")


def _path(agent_id: str) -> str:
    return f"/agents/{part(agent_id)}/reminders"
