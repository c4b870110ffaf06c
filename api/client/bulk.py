"""The calls of bulk runs over dead letters."""

from api.client.calls import Calls, Id, json_of, part
from api.client.transport import Params
from api.wire.bulk import AbortRequest, BulkDiscardRequest, BulkRequeueRequest
from api.wire.responses.bulk import BulkForesight, BulkRun
from api.wire.responses.pages import Page


class BulkCalls(Calls):
    """Part of ``Client``."""

    async def requeue_many(self, request: BulkRequeueRequest) -> BulkRun:
        """Start a bulk run. One that is started twice finds the letters dealt with."""
        return await self._transport.call(
            "POST", "/dead-letters/requeue", BulkRun, body=json_of(request)
        )

    async def discard_many(self, request: BulkDiscardRequest) -> BulkRun:
        return await self._transport.call(
            "POST", "/dead-letters/discard", BulkRun, body=json_of(request)
        )

    async def foresee_many(self, request: BulkRequeueRequest | BulkDiscardRequest) -> BulkForesight:
        """What a bulk run would do."""
        action = "requeue" if isinstance(request, BulkRequeueRequest) else "discard"
        body = json_of(request.model_copy(update={"dry_run": True}))
        path = f"/dead-letters/{action}"
        return await self._transport.call("POST", path, BulkForesight, body=body, repeatable=True)

    async def bulk_runs(self, params: Params | None = None) -> Page[BulkRun]:
        """A page of bulk runs, the newest first."""
        return await self._get("/bulk", Page[BulkRun], params)

    async def bulk_run(self, bulk_id: Id) -> BulkRun:
        return await self._get(f"/bulk/{part(bulk_id)}", BulkRun)

    async def abort_bulk(self, bulk_id: Id, request: AbortRequest) -> BulkRun:
        path = f"/bulk/{part(bulk_id)}/abort"
        return await self._post(path, BulkRun, request)
