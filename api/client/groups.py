"""Calls about groups of agents that stay."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from api.client.asking import Fields, Key, asked, keyed, worded
from api.client.calls import part
from api.client.following import follow
from api.client.queries import Filter, queried
from api.client.sse import ServerEvent
from api.client.transport import ANSWER_TIMEOUT_SECONDS, Params, Transport
from api.wire.group_requests import (
    MAX_GROUP_WAIT_SECONDS,
    GroupChangeRequest,
    GroupMessageRequest,
    GroupRequest,
    MembersRequest,
)
from api.wire.responses.groups import (
    Discussion,
    Group,
    GroupGlance,
    GroupMessage,
    GroupMessagePosted,
)
from api.wire.responses.pages import Page
from workflows.open_values import OPEN

_DATA = TypeAdapter(dict[str, JsonValue])
_MESSAGE = "message"
_GROUP = "group"
_DELETED = "group.deleted"

Part = TypeVar("Part", bound=BaseModel)


class GroupEvent(BaseModel):
    """What ``data`` holds depends on ``type``: it is as the server sent it. ``id`` names the place
    in the stream."""

    model_config = ConfigDict(frozen=True)

    id: str | None
    type: str
    data: dict[str, JsonValue]

    @property
    def message(self) -> GroupMessage | None:
        """What was said, where this is that."""
        return _read(GroupMessage, self.data) if self.type == _MESSAGE else None

    @property
    def group(self) -> GroupGlance | None:
        """How the group is, where this says so."""
        return _read(GroupGlance, self.data) if self.type == _GROUP else None


class Groups:
    """Part of ``Client``, whose errors it raises."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, /, params: Params | None = None, **filters: Filter) -> Page[Group]:
        """A page of groups, the newest first. ``params`` are the query of ``GET /groups``."""
        return await self._transport.call(
            "GET", "/groups", Page[Group], params=queried(params, filters), repeatable=True
        )

    async def get(self, group_id: str) -> Group:
        return await self._transport.call("GET", _path(group_id), Group, repeatable=True)

    async def create(self, request: GroupRequest | Fields) -> Group:
        # Not repeatable: a second one of the name is refused.
        body = _json(asked(GroupRequest, request))
        return await self._transport.call("POST", "/groups", Group, body=body)

    async def change(self, group_id: str, request: GroupChangeRequest | Fields) -> Group:
        body = _json(asked(GroupChangeRequest, request))
        return await self._transport.call(
            "PATCH", _path(group_id), Group, body=body, repeatable=True
        )

    async def delete(self, group_id: str) -> None:
        await self._transport.delete(_path(group_id))

    async def add(self, group_id: str, request: MembersRequest | Fields) -> Group:
        """Let agents in."""
        path, body = f"{_path(group_id)}/members", _json(asked(MembersRequest, request))
        return await self._transport.call("POST", path, Group, body=body, repeatable=True)

    async def remove(self, group_id: str, *members: str) -> Group:
        """Let members go."""
        path = f"{_path(group_id)}/members"
        return await self._transport.call("DELETE", path, Group, params={"member": members})

    async def post(
        self,
        group_id: str,
        request: GroupMessageRequest | Fields | str,
        *,
        idempotency_key: Key = None,
    ) -> GroupMessagePosted:
        """Say something to all members. An answer that is lost on the way makes no second
        message."""
        return await self._post(group_id, request, idempotency_key)

    async def discuss(
        self,
        group_id: str,
        request: GroupMessageRequest | Fields | str,
        *,
        idempotency_key: Key = None,
    ) -> Discussion | None:
        """The same, and wait until the group has fallen silent; None if it goes on after a
        minute."""
        found = await self._post(
            group_id, request, idempotency_key, wait_seconds=MAX_GROUP_WAIT_SECONDS
        )
        said = found.model_dump(mode="json", by_alias=True)
        return Discussion.model_validate(said, context=OPEN) if "messages" in said else None

    async def messages(
        self, /, group_id: str, params: Params | None = None, **filters: Filter
    ) -> Page[GroupMessage]:
        """A page of what was said, the last one first of all; each is in its order."""
        return await self._transport.call(
            "GET",
            f"{_path(group_id)}/messages",
            Page[GroupMessage],
            params=queried(params, filters),
            repeatable=True,
        )

    async def events(
        self,
        group_id: str,
        *,
        after: int | None = None,
        on_lost: Callable[[str], None] = lambda reason: None,
    ) -> AsyncGenerator[GroupEvent, None]:
        """What happens in a group from now on, or after a message, until it is deleted.

        A lost connection is reopened without a gap; ``on_lost`` is called with the reason.
        """
        path = f"{_path(group_id)}/events" + ("" if after is None else f"?after={after}")
        received = follow(
            self._transport, path, is_last=lambda event: event.type == _DELETED, on_lost=on_lost
        )
        async with aclosing(received):
            async for item in received:
                if (event := _event(item)) is not None:
                    yield event

    async def _post(
        self,
        group_id: str,
        request: GroupMessageRequest | Fields | str,
        idempotency_key: Key,
        *,
        wait_seconds: int = 0,
    ) -> GroupMessagePosted:
        return await self._transport.call(
            "POST",
            f"{_path(group_id)}/messages",
            GroupMessagePosted,
            params={"wait": wait_seconds} if wait_seconds else None,
            body=_json(asked(GroupMessageRequest, worded("content", request))),
            headers=keyed(idempotency_key),
            repeatable=True,
            timeout_seconds=ANSWER_TIMEOUT_SECONDS + wait_seconds,
        )


def _event(event: ServerEvent) -> GroupEvent | None:
    """None for what is no event of ours."""
    try:
        return GroupEvent(id=event.id, type=event.type, data=_DATA.validate_json(event.data))
    except ValidationError:
        return None


def _path(group_id: str) -> str:
    return f"/groups/{part(group_id)}"


def _json(request: BaseModel) -> bytes:
    return request.model_dump_json(exclude_unset=True).encode()


def _read(model: type[Part], data: dict[str, JsonValue]) -> Part | None:
    try:
        return model.model_validate(data, context=OPEN)
    except ValidationError:
        return None
