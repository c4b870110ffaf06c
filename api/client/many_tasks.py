"""The same done about many tasks."""

from collections.abc import Mapping

from api.client.asking import Fields, asked, mistaken
from api.client.calls import json_of
from api.client.transport import Transport
from api.wire.bulk_tasks import (
    BulkCancelRequest,
    BulkDeleteRequest,
    BulkRetryRequest,
    BulkTasksRequest,
)
from api.wire.responses.bulk import BulkForesight, BulkRun


class ManyTasks:
    """``client.many_tasks``: cancels, retries or deletes those of a filter, as the request says. In
    a mapping ``action`` says it: ``cancel``, ``retry`` or ``delete``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def start(self, request: BulkTasksRequest | Fields) -> BulkRun:
        """Start a bulk run. One that is started twice finds the tasks dealt with."""
        wanted = _of_action(request)
        return await self._transport.call("POST", _path(wanted), BulkRun, body=json_of(wanted))

    async def foresee(self, request: BulkTasksRequest | Fields) -> BulkForesight:
        """What a bulk run would do."""
        wanted = _of_action(request).model_copy(update={"dry_run": True})
        return await self._transport.call(
            "POST", _path(wanted), BulkForesight, body=json_of(wanted), repeatable=True
        )


def _path(request: BulkTasksRequest) -> str:
    return f"/tasks/{request.action.value}"


def _of_action(given: BulkTasksRequest | Fields) -> BulkTasksRequest:
    if isinstance(given, BulkTasksRequest):
        return given
    if not isinstance(given, Mapping):
        raise mistaken("", "a mapping or a request about many tasks", given)
    action = given.get("action")
    for kind in (BulkCancelRequest, BulkRetryRequest, BulkDeleteRequest):
        if kind.action == action:
            fields = {name: value for name, value in given.items() if name != "action"}
            return asked(kind, fields)
    raise mistaken("/action", "'cancel', 'retry' or 'delete'", action)
