"""The calls of dead letters."""

from api.client.asking import Fields, asked, only_tried
from api.client.calls import Calls, Id, part
from api.client.queries import Filter, queried
from api.client.transport import Params
from api.wire.requests import DiscardRequest, RequeueRequest
from api.wire.responses.dead_letters import DeadLetter, DeadLetterGroup, Foresight
from api.wire.responses.pages import Page
from api.wire.responses.tasks import Changed


class DeadLetterCalls(Calls):
    """Part of ``Client``."""

    async def dead_letters(
        self, /, params: Params | None = None, **filters: Filter
    ) -> Page[DeadLetter]:
        """A page of dead letters, the newest first. ``params`` are the query."""
        return await self._get("/dead-letters", Page[DeadLetter], queried(params, filters))

    async def dead_letter_groups(
        self, /, params: Params | None = None, **filters: Filter
    ) -> Page[DeadLetterGroup]:
        """A page of groups of dead letters that are alike, those first that were seen last."""
        return await self._get(
            "/dead-letters/groups", Page[DeadLetterGroup], queried(params, filters)
        )

    async def dead_letter(self, letter_id: Id) -> DeadLetter:
        return await self._get(f"/dead-letters/{part(letter_id)}", DeadLetter)

    async def requeue(self, letter_id: Id, request: RequeueRequest | Fields) -> Changed:
        """Run the task of a dead letter again, once however often this is sent."""
        path = f"/dead-letters/{part(letter_id)}/requeue"
        return await self._post(path, Changed, asked(RequeueRequest, request))

    async def foresee_requeue(self, letter_id: Id, request: RequeueRequest | Fields) -> Foresight:
        """What a requeue would do."""
        path = f"/dead-letters/{part(letter_id)}/requeue"
        return await self._post(path, Foresight, only_tried(RequeueRequest, request))

    async def discard(self, letter_id: Id, request: DiscardRequest | Fields) -> DeadLetter:
        path = f"/dead-letters/{part(letter_id)}/discard"
        return await self._post(path, DeadLetter, asked(DiscardRequest, request))
