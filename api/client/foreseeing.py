"""What a request would do, asked for without doing it."""

from api.client.asking import Fields, Request, asked
from api.client.calls import Calls
from api.wire.responses.dead_letters import Foresight


class ForeseeingCalls(Calls):
    """Calls, some of which can be tried without consequences."""

    async def _foresee(
        self, path: str, kind: type[Request], request: Request | Fields
    ) -> Foresight:
        wanted = asked(kind, request).model_copy(update={"dry_run": True})
        return await self._post(path, Foresight, wanted)
