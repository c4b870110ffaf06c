"""Waiting for the end of a task within one request: a long poll."""

import asyncio
from typing import Annotated
from uuid import UUID

import structlog
from anyio import CancelScope, move_on_after
from fastapi import Depends, Query, Request

from activities.store.reading.events import find_end
from api.errors import KeyRefused, NotFound
from api.http.key_watch import KeyWatch
from api.http.notifications import EndBell, Notifications
from api.http.viewers import Viewers
from api.services import Services
from api.wire.requests import MAX_WAIT_SECONDS
from workflows.errors import TemporaryFailure

RETRY_SECONDS = 1.0  # while the database cannot be reached

log = structlog.get_logger(__name__)


class Ends:
    """What a request can wait with. It listens for the end alone, and takes the place of a viewer.

    After ``heartbeat_seconds`` of silence it looks for itself: a lost notification costs this long.
    So does an end that a worker of an older version has written down, which does not announce it.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        given = request.app.state
        self._services: Services = given.services
        self._notifications: Notifications = given.notifications
        self._viewers: Viewers = given.viewers
        self._keys: KeyWatch = given.key_watch
        self._team_id: UUID = request.state.actor.team_id
        self._key_digest: str | None = request.state.key_digest

    async def wait(self, task_id: UUID, seconds: float) -> None:
        """Until the task has ended, or so many seconds have passed, or the server stops, or the
        client has gone.

        Raises:
            NotFound, TooManyViewers
            KeyRefused: the key was revoked meanwhile.
        """
        with (
            self._viewers.admitted(self._team_id),
            # Before the look: of an end in between it is told.
            self._notifications.listening_for_end(task_id) as bell,
        ):
            if await self._has_ended(task_id):
                return
            with self._keys.using(self._key_digest) as use:
                await self._follow(task_id, bell, seconds)
            if use.cancelled_caught:
                raise KeyRefused(reason="This API key was revoked.")

    async def _follow(self, task_id: UUID, bell: EndBell, seconds: float) -> None:
        with move_on_after(seconds) as scope:
            leaving = asyncio.create_task(_leave(self._request, scope))
            try:
                await self._until_end(task_id, bell)
            finally:
                leaving.cancel()

    async def _until_end(self, task_id: UUID, bell: EndBell) -> None:
        pause_seconds = heartbeat_seconds = self._services.options.heartbeat_seconds
        while not self._notifications.closing:
            await bell.wait(pause_seconds)
            if bell.has_ended or self._notifications.closing:
                return
            try:
                if await self._has_ended(task_id):
                    return
                pause_seconds = heartbeat_seconds
            except TemporaryFailure as failure:
                log.warning("ends.interrupted", reason=str(failure), task_id=str(task_id))
                pause_seconds = RETRY_SECONDS

    async def _has_ended(self, task_id: UUID) -> bool:
        """Of all that look, a few at a time: others need the database, too.

        Raises:
            NotFound
        """
        async with self._viewers.entrance:
            end = await find_end(self._services.database, self._team_id, task_id)
        if end is None:
            raise NotFound(kind="task", id=task_id)
        return end.is_final


async def _leave(request: Request, scope: CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _ends(request: Request) -> Ends:
    # Not the class itself, which FastAPI would make in a thread.
    return Ends(request)


EndsDep = Annotated[Ends, Depends(_ends)]
Wait = Annotated[
    int | None,
    Query(ge=0, le=MAX_WAIT_SECONDS, description="how many seconds to wait for the task's end"),
]
