"""Slots for what a worker runs: taken before it begins, kept while it runs, then given back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from functools import partial
from uuid import UUID, uuid4, uuid5

import structlog
from temporalio import activity
from temporalio.service import RPCError

from activities.attempts.heartbeat import FAREWELL_SECONDS
from activities.attempts.holding import Held
from activities.limits.base import Limit
from activities.limits.book import LimitBook
from activities.patience import patiently
from activities.store import attempts, slots
from activities.store.attempts import Attempt
from activities.store.database import Database
from activities.store.slots import Piece
from workflows.errors import TemporaryFailure
from workflows.lifecycle import TRY_AGAIN

# What a worker that died has taken is free after so long. A living one renews it in time.
SLOT_SECONDS = 20.0
RENEWALS = 4

log = structlog.get_logger(__name__)

Tell = Callable[[str], Awaitable[None]]


async def tell_workflow(workflow: str) -> None:
    """Tell the workflow of a task that what it holds may be tried again. For want of word it asks
    by itself."""
    handle = activity.client().get_workflow_handle(workflow)
    with suppress(RPCError):
        await handle.signal(TRY_AGAIN)


class Slots:
    """Those of one worker."""

    def __init__(
        self,
        database: Database,
        book: LimitBook,
        worker_id: str,
        *,
        tell: Tell = tell_workflow,
        slot_seconds: float = SLOT_SECONDS,
    ) -> None:
        self._database = database
        self._book = book
        self._worker_id = worker_id
        self._tell = tell
        self._slot_seconds = slot_seconds
        self._tokens: set[UUID] = set()
        self._renewing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def for_attempt(self, attempt: Attempt) -> AsyncIterator[None]:
        """For a step or a call that is about to begin, while the block runs.

        Raises:
            Held: there is none for it now.
        """
        wanted = await self._wanted_of(attempt)
        async with self._taken(attempt.sub_task_id, attempt.task_id, attempt.run, wanted):
            yield

    @asynccontextmanager
    async def for_turn(
        self, task_id: UUID, run: int, team_id: UUID, model: str, *, stays: bool = False
    ) -> AsyncIterator[None]:
        """For the answer of a model, to an agent that ``stays`` or another; as ``for_attempt``."""
        wanted = (await patiently(self._book.limits)).of_turn(team_id, model, stays=stays)
        async with self._taken(uuid5(task_id, "turn"), task_id, run, wanted):
            yield

    @asynccontextmanager
    async def beside(
        self, holder: UUID, task_id: UUID, team_id: UUID, model: str
    ) -> AsyncIterator[None]:
        """For an answer of a model that nobody waits for: it comes after all who do.

        Raises:
            Held: there is no place that nobody wants.
        """
        wanted = (await patiently(self._book.limits)).of_turn(team_id, model)
        if not wanted:
            yield
            return
        piece = Piece(holder, uuid4(), task_id, 1, self._worker_id)
        limits = await self._book.limits()
        has_place = await patiently(
            lambda: slots.take_if_free(self._database, piece, wanted, limits, self._slot_seconds)
        )
        if not has_place:
            raise Held(what=f"a place with {model} that nobody else wants", seconds=0.0)
        async with self._kept(piece.token):
            yield

    async def close(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewing

    async def _wanted_of(self, attempt: Attempt) -> Sequence[Limit]:
        limits = await patiently(self._book.limits)
        if not limits.by_key:
            return ()
        outline = await patiently(lambda: attempts.outline(self._database, attempt.sub_task_id))
        if outline is None or outline.is_completed:
            return ()  # There is nothing to run.
        return limits.of_call(outline.team_id, outline.tool)

    @asynccontextmanager
    async def _taken(
        self, holder: UUID, task_id: UUID, run: int, wanted: Sequence[Limit]
    ) -> AsyncIterator[None]:
        if not wanted:
            if (await self._book.limits()).by_key:
                await patiently(lambda: slots.leave(self._database, holder))
            yield
            return
        piece = Piece(holder, uuid4(), task_id, run, self._worker_id)
        await self._take(piece, wanted)
        async with self._kept(piece.token):
            yield

    @asynccontextmanager
    async def _kept(self, token: UUID) -> AsyncIterator[None]:
        self._tokens.add(token)
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            self._tokens.discard(token)
            await self._give_back(token)

    async def _take(self, piece: Piece, wanted: Sequence[Limit]) -> None:
        limits = await self._book.limits()
        shortage = await patiently(
            lambda: slots.take(self._database, piece, wanted, limits, self._slot_seconds)
        )
        if shortage is not None:
            raise Held(what=shortage.what, seconds=shortage.seconds)

    async def _give_back(self, token: UUID) -> None:
        """Best effort: what is not given back expires, and who is not told asks."""
        giving = asyncio.ensure_future(self._give_back_and_tell(token))
        try:
            await asyncio.wait_for(asyncio.shield(giving), FAREWELL_SECONDS)
        except (TemporaryFailure, TimeoutError):
            log.warning("slot.not_given_back")

    async def _give_back_and_tell(self, token: UUID) -> None:
        limits = await self._book.limits()
        called = await slots.give_back(self._database, token, limits)
        workflows = await slots.workflows_of(self._database, called)
        await asyncio.gather(*map(self._tell, workflows))

    async def _renew(self) -> None:
        """As long as there are any."""
        while True:
            await asyncio.sleep(self._slot_seconds / RENEWALS)
            if not self._tokens:
                return
            with suppress(TemporaryFailure):
                await slots.renew(self._database, tuple(self._tokens), self._slot_seconds)


def admission(
    slots: Slots | None, task_id: UUID, run: int, team_id: UUID, *, stays: bool = False
) -> Callable[[str], AbstractAsyncContextManager[None]]:
    """Within what each model is asked for the turn of a task; ``stays``: as in ``for_turn``."""
    if slots is None:
        return lambda model: nullcontext()
    return partial(slots.for_turn, task_id, run, team_id, stays=stays)
