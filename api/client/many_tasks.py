"""The same done about many tasks."""

from api.client.calls import json_of
from api.client.transport import Transport
from api.wire.bulk_tasks import BulkTasksRequest
from api.wire.responses.bulk import BulkForesight, BulkRun


class ManyTasks:
    """``client.many_tasks``: cancels, retries or deletes those of a filter, as the request says."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def start(self, request: BulkTasksRequest) -> BulkRun:
        """Start a bulk run. One that is started twice finds the tasks dealt with."""
        return await self._transport.call("POST", _path(request), BulkRun, body=json_of(request))

    async def foresee(self, request: BulkTasksRequest) -> BulkForesight:
        """What a bulk run would do."""
        body = json_of(request.model_copy(update={"dry_run": True}))
        return await self._transport.call(
            "POST", _path(request), BulkForesight, body=body, repeatable=True
        )


def _path(request: BulkTasksRequest) -> str:
    return f"/tasks/{request.action.value}"
