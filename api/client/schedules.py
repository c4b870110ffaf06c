"""The calls of schedules."""

from api.client.calls import Calls, Id, json_of, part
from api.client.transport import Params
from api.wire.responses.pages import Page
from api.wire.responses.schedules import RunAsked, Schedule, ScheduleSummary
from api.wire.schedule_requests import ScheduleChange, ScheduleRequest


class ScheduleCalls(Calls):
    """Part of ``Client``."""

    async def schedules(self, params: Params | None = None) -> Page[ScheduleSummary]:
        """A page of schedules, the newest first. ``params`` are the query of ``GET /schedules``."""
        return await self._get("/schedules", Page[ScheduleSummary], params)

    async def schedule(self, schedule_id: Id) -> Schedule:
        return await self._get(f"/schedules/{part(schedule_id)}", Schedule)

    async def create_schedule(self, request: ScheduleRequest) -> Schedule:
        # Not repeatable: a second one of the name is refused.
        return await self._transport.call("POST", "/schedules", Schedule, body=json_of(request))

    async def change_schedule(self, schedule_id: Id, change: ScheduleChange) -> Schedule:
        path = f"/schedules/{part(schedule_id)}"
        return await self._transport.call(
            "PATCH", path, Schedule, body=json_of(change), repeatable=True
        )

    async def run_schedule(self, schedule_id: Id) -> RunAsked:
        # Not repeatable: each is another run.
        return await self._transport.call("POST", f"/schedules/{part(schedule_id)}/run", RunAsked)

    async def delete_schedule(self, schedule_id: Id) -> None:
        await self._transport.delete(f"/schedules/{part(schedule_id)}")
