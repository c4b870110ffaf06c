"""What the calls of all nouns share."""

from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel

from api.client.transport import Answer, Params, Transport
from api.wire.responses.tasks import Changed

Id = UUID | str


class Calls:
    """Every call raises ``ApiProblem`` when the API says no, ``ApiUnreachable`` when no answer
    comes, and ``NotTheApi`` when something else answers."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def _get(self, path: str, answer: type[Answer], params: Params | None = None) -> Answer:
        return await self._transport.call("GET", path, answer, params=params, repeatable=True)

    async def _post(self, path: str, answer: type[Answer], request: BaseModel) -> Answer:
        """A request that may be sent twice."""
        body = json_of(request)
        return await self._transport.call("POST", path, answer, body=body, repeatable=True)

    async def _change(self, task_id: Id, action: str) -> Changed:
        path = f"/tasks/{part(task_id)}/{action}"
        return await self._transport.call("POST", path, Changed, repeatable=True)


def json_of(request: BaseModel) -> bytes:
    return request.model_dump_json(by_alias=True, exclude_defaults=True).encode()


def part(value: object) -> str:
    """A part of a path."""
    return quote(str(value), safe="")
