"""Waiting for the end of a task within one request: a long poll."""

import asyncio
from typing import Annotated
from uuid import UUID

from anyio import CancelScope, move_on_after
from fastapi import Depends, Query, Request

from api.errors import KeyRefused
from api.http import task_stream
from api.http.dependencies import (
    FeedsDep,
    KeyDigestDep,
    KeyWatchDep,
    ServicesDep,
    TeamDep,
    ViewersDep,
)
from api.http.feed import Feed
from api.wire.requests import MAX_WAIT_SECONDS

_ANY_SEQ = 2**62  # Of a task that has ended all events were seen.


class Ends:
    """What a request can wait with. Nothing is asked for it: who waits hears of the end from the
    reader of the task's events, which all share who follow it, and takes the place of a viewer."""

    def __init__(  # noqa: PLR0917  (what FastAPI gives)
        self,
        request: Request,
        services: ServicesDep,
        feeds: FeedsDep,
        viewers: ViewersDep,
        team_id: TeamDep,
        keys: KeyWatchDep,
        key_digest: KeyDigestDep,
    ) -> None:
        self._request = request
        self._database = services.database
        self._feeds = feeds
        self._viewers = viewers
        self._team_id = team_id
        self._keys = keys
        self._key_digest = key_digest

    async def wait(self, task_id: UUID, seconds: float) -> None:
        """Until the task has ended, or so many seconds have passed, or the server stops, or the
        client has gone.

        Raises:
            NotFound, TooManyViewers
            KeyRefused: the key was revoked meanwhile.
        """
        with self._viewers.admitted(self._team_id):
            try:
                async with self._viewers.entrance:
                    position = await task_stream.find_position(
                        self._database, self._team_id, task_id, _ANY_SEQ
                    )
            except task_stream.NothingMore:
                return
            last = position.last_seq
            with (
                self._keys.using(self._key_digest) as use,
                self._feeds.joined(task_id, last, last) as feed,
            ):
                await self._follow(feed, seconds)
            if use.cancelled_caught:
                raise KeyRefused(reason="This API key was revoked.")

    async def _follow(self, feed: Feed, seconds: float) -> None:
        with move_on_after(seconds) as scope:
            leaving = asyncio.create_task(_leave(self._request, scope))
            try:
                while not (feed.has_ended or feed.is_closed):
                    await feed.news()
            finally:
                leaving.cancel()


async def _leave(request: Request, scope: CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


EndsDep = Annotated[Ends, Depends()]
Wait = Annotated[
    int | None,
    Query(ge=0, le=MAX_WAIT_SECONDS, description="how many seconds to wait for the task's end"),
]
