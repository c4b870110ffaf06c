"""The calls of bulk runs over dead letters."""

from collections.abc import Mapping

from api.client.asking import Fields, asked, mistaken
from api.client.calls import Calls, Id, json_of, part
from api.client.queries import Filter, queried
from api.client.transport import Params
from api.wire.bulk import AbortRequest, BulkDiscardRequest, BulkRequeueRequest
from api.wire.responses.bulk import BulkForesight, BulkRun
from api.wire.responses.pages import Page


class BulkCalls(Calls):
    """Part of ``Client``."""

    async def requeue_many(self, request: BulkRequeueRequest | Fields) -> BulkRun:
        """Start a bulk run. One that is started twice finds the letters dealt with."""
        body = json_of(asked(BulkRequeueRequest, request))
        return await self._transport.call("POST", "/dead-letters/requeue", BulkRun, body=body)

    async def discard_many(self, request: BulkDiscardRequest | Fields) -> BulkRun:
        body = json_of(asked(BulkDiscardRequest, request))
        return await self._transport.call("POST", "/dead-letters/discard", BulkRun, body=body)

    async def foresee_many(
        self, request: BulkRequeueRequest | BulkDiscardRequest | Fields
    ) -> BulkForesight:
        """What a bulk run would do. A mapping is that of one which requeues, unless its ``action``
        is ``discard``."""
        wanted = _of_action(request)
        action = "requeue" if isinstance(wanted, BulkRequeueRequest) else "discard"
        body = json_of(wanted.model_copy(update={"dry_run": True}))
        path = f"/dead-letters/{action}"
        return await self._transport.call("POST", path, BulkForesight, body=body, repeatable=True)

    async def bulk_runs(self, /, params: Params | None = None, **filters: Filter) -> Page[BulkRun]:
        """A page of bulk runs, the newest first."""
        return await self._get("/bulk", Page[BulkRun], queried(params, filters))

    async def bulk_run(self, bulk_id: Id) -> BulkRun:
        return await self._get(f"/bulk/{part(bulk_id)}", BulkRun)

    async def abort_bulk(self, bulk_id: Id, request: AbortRequest | Fields) -> BulkRun:
        path = f"/bulk/{part(bulk_id)}/abort"
        return await self._post(path, BulkRun, asked(AbortRequest, request))


def _of_action(
    given: BulkRequeueRequest | BulkDiscardRequest | Fields,
) -> BulkRequeueRequest | BulkDiscardRequest:
    if not isinstance(given, Mapping):
        return given
    fields = {name: value for name, value in given.items() if name != "action"}
    match given.get("action", "requeue"):
        case "requeue":
            return asked(BulkRequeueRequest, fields)
        case "discard":
            return asked(BulkDiscardRequest, fields)
        case other:
            raise mistaken("/action", "'requeue' or 'discard'", other)
