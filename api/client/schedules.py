"""The calls of schedules."""

from api.client.asking import Fields, asked
from api.client.calls import Calls, Id, json_of, part
from api.client.queries import Filter, queried
from api.client.transport import Params
from api.wire.responses.pages import Page
from api.wire.responses.schedules import RunAsked, Schedule, ScheduleSummary
from api.wire.schedule_requests import ScheduleChange, ScheduleRequest


class ScheduleCalls(Calls):
    """Part of ``Client``."""

    async def schedules(
        self, /, params: Params | None = None, **filters: Filter
    ) -> Page[ScheduleSummary]:
        """A page of schedules, the newest first. ``params`` are the query of ``GET /schedules``."""
        return await self._get("/schedules", Page[ScheduleSummary], queried(params, filters))

    async def schedule(self, schedule_id: Id) -> Schedule:
        return await self._get(f"/schedules/{part(schedule_id)}", Schedule)

    async def create_schedule(self, request: ScheduleRequest | Fields) -> Schedule:
        # Not repeatable: a second one of the name is refused.
        body = json_of(asked(ScheduleRequest, request))
        return await self._transport.call("POST", "/schedules", Schedule, body=body)

    async def change_schedule(self, schedule_id: Id, change: ScheduleChange | Fields) -> Schedule:
        path, body = f"/schedules/{part(schedule_id)}", json_of(asked(ScheduleChange, change))
        return await self._transport.call("PATCH", path, Schedule, body=body, repeatable=True)

    async def run_schedule(self, schedule_id: Id) -> RunAsked:
        # Not repeatable: each is another run.
        return await self._transport.call("POST", f"/schedules/{part(schedule_id)}/run", RunAsked)

    async def delete_schedule(self, schedule_id: Id) -> None:
        await self._transport.delete(f"/schedules/{part(schedule_id)}")
