"""The calls of what happened within a task."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

from api.client import task_events, transfer
from api.client.asking import Fields, Key, asked, keyed, mistaken
from api.client.calls import Calls, Id, part
from api.client.following import follow
from api.client.queries import Filter, queried
from api.client.task_events import TaskEvent
from api.client.transport import Params
from api.wire.requests import ApprovalRequest
from api.wire.responses.approvals import AskedCall
from api.wire.responses.comparison import Comparison
from api.wire.responses.files import Artifact
from api.wire.responses.history import Attempt, Message, Span, ToldMessage
from api.wire.responses.pages import Page


class HistoryCalls(Calls):
    """Part of ``Client``."""

    async def attempts(
        self, /, task_id: Id, params: Params | None = None, **filters: Filter
    ) -> Page[Attempt]:
        """A page of the log: every attempt at a step, the oldest first, with what it printed."""
        return await self._get(
            f"/tasks/{part(task_id)}/logs", Page[Attempt], queried(params, filters)
        )

    async def events(
        self,
        task_id: Id,
        *,
        after: int | None = None,
        on_lost: Callable[[str], None] = lambda reason: None,
    ) -> AsyncGenerator[TaskEvent, None]:
        """All that happened to a task and happens, until its end; only what came ``after`` the
        event of that ``seq``, so that a program which was stopped goes on where it was.

        A lost connection is reopened without a gap; ``on_lost`` is called with the reason.
        """
        path = f"/tasks/{part(task_id)}/events" + ("" if after is None else f"?after={after}")
        received = follow(self._transport, path, is_last=task_events.says_it_ended, on_lost=on_lost)
        async with aclosing(received):
            async for item in received:
                if (event := TaskEvent.read(item)) is not None:
                    yield event

    async def trace(self, task_id: Id) -> Span:
        return await self._get(f"/tasks/{part(task_id)}/trace", Span)

    async def messages(
        self, /, task_id: Id, params: Params | None = None, **filters: Filter
    ) -> Page[Message]:
        """A page of an agent's conversation, from its beginning."""
        return await self._get(
            f"/tasks/{part(task_id)}/messages", Page[Message], queried(params, filters)
        )

    async def tell(self, task_id: Id, text: str, *, idempotency_key: Key = None) -> ToldMessage:
        """Tell the agent of a task something, which it reads before its next turn. An answer that
        is lost on the way makes no second message."""
        if not isinstance(text, str):
            raise mistaken("/content", "text", text)
        return await self._transport.call(
            "POST",
            f"/tasks/{part(task_id)}/messages",
            ToldMessage,
            body=json.dumps({"content": text}).encode(),  # What is wrong with it, the API says.
            headers=keyed(idempotency_key),
            repeatable=True,
        )

    async def unread(self, task_id: Id) -> Page[ToldMessage]:
        """What the agent of a task was told and has not read yet."""
        return await self._get(f"/tasks/{part(task_id)}/messages/unread", Page[ToldMessage])

    async def compare(self, task_id: Id, other_id: Id | None = None) -> Comparison:
        """A task beside another, or beside the last one of its name that was completed before."""
        params = {"with": str(other_id)} if other_id else None
        return await self._get(f"/tasks/{part(task_id)}/comparison", Comparison, params)

    async def export(self, task_id: Id, target: Path | str) -> int:
        """Write all that is known of a task to a zip, and give its size. Raises ``FileUnwritable``
        and ``DownloadDamaged`` too."""
        path = f"/tasks/{part(task_id)}/export"
        return await transfer.download_whole(self._transport, path, Path(target))

    async def decide(self, task_id: Id, call: str, request: ApprovalRequest | Fields) -> AskedCall:
        """Decide on a call, given by its id or its name."""
        path = f"/tasks/{part(task_id)}/approvals/{part(call)}"
        return await self._post(path, AskedCall, asked(ApprovalRequest, request))

    async def approve(self, task_id: Id, call: str, note: str | None = None) -> AskedCall:
        """Approve a call, or answer its question with the ``note``. ``call`` is the ``ask_id`` of
        what you were shown, or the call's id, name or number, such as 4.1."""
        return await self.decide(task_id, call, {"decision": "approve", "note": note})

    async def deny(self, task_id: Id, call: str, note: str | None = None) -> AskedCall:
        return await self.decide(task_id, call, {"decision": "deny", "note": note})

    async def artifacts(
        self, /, task_id: Id, params: Params | None = None, **filters: Filter
    ) -> Page[Artifact]:
        path = f"/tasks/{part(task_id)}/artifacts"
        return await self._get(path, Page[Artifact], queried(params, filters))
