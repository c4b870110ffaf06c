"""Collects blobs that nothing names. ``activities/store/condemned.py`` says why that is safe."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from activities.store import condemned
from activities.store.blobs import Blobs
from activities.store.condemned import DoomedBlob
from activities.store.database import Database
from activities.store.housekeeping import progress
from activities.store.housekeeping.base import Step, short_transaction
from activities.store.housekeeping.progress import DueSweep
from workflows.errors import TemporaryFailure

BLOBS = "blobs"
PAGE_BLOBS = 500
# An upload in parts takes as long as the slowest client.
ABANDONED = timedelta(days=1)
MOST_ABORTED = 100

log = structlog.get_logger(__name__)


class Collector:
    """``listed_at`` are the ends of the last rounds through the bucket, by team."""

    def __init__(self, database: Database, blobs: Blobs, round_seconds: float) -> None:
        self._database = database
        self._blobs = blobs
        self._round_seconds = round_seconds
        self._listed_at: dict[UUID, float] = {}

    async def may_remove(self) -> bool:
        """Whether the bucket is this database's."""
        ours = await progress.database_id(self._database)
        owner = await self._blobs.owner(ours)
        if owner != ours:
            log.warning("blobs.bucket_shared", bucket=self._blobs.bucket, owner=str(owner))
        return owner == ours

    async def abort_uploads(self) -> None:
        aborted = await self._blobs.abort_uploads(datetime.now(UTC) - ABANDONED, MOST_ABORTED)
        if aborted:
            log.info("uploads.aborted", count=aborted)

    async def collect(self, due: DueSweep, kept_seconds: float, deadline: float) -> int:
        """Remove what is condemned for long enough, then look at more of the bucket. Gives how many
        blobs were removed. Stops at ``deadline``, a time of the monotonic clock."""
        removed = await self._remove(due.team_id, kept_seconds, deadline)
        await condemned.forget_gone(self._database, due.team_id)
        after = due.after_key
        while time.monotonic() < deadline and self._is_due(due.team_id, after):
            after = await self._look(due.team_id, after, kept_seconds)
        left = await condemned.count_condemned(self._database, due.team_id)
        is_busy = after is not None
        async with short_transaction(self._database) as connection:
            await progress.save(
                connection, BLOBS, due.team_id, Step(0, not is_busy, place_key=after)
            )
            await progress.save_left(connection, BLOBS, due.team_id, max(left, int(is_busy)))
        return removed

    def _is_due(self, team_id: UUID, after: str | None) -> bool:
        listed_at = self._listed_at.get(team_id)
        return (
            after is not None
            or listed_at is None
            or time.monotonic() - listed_at >= self._round_seconds
        )

    async def _look(self, team_id: UUID, after: str | None, kept_seconds: float) -> str | None:
        """Condemn those of a page that nothing names. Gives where the next page begins."""
        found, following = await self._blobs.page(team_id, after, PAGE_BLOBS)
        oldest = datetime.now(UTC) - timedelta(seconds=kept_seconds)
        old = [blob for blob in found if blob.modified_at <= oldest]
        if old:
            await condemned.condemn(self._database, team_id, old)
        if following is None:
            self._listed_at[team_id] = time.monotonic()
        return following

    async def _remove(self, team_id: UUID, kept_seconds: float, deadline: float) -> int:
        removed = 0
        for blob in await condemned.doomed(
            self._database, team_id, grace_seconds=kept_seconds, limit=PAGE_BLOBS
        ):
            if time.monotonic() > deadline:
                break
            removed += await self._remove_one(team_id, blob)
        return removed

    async def _remove_one(self, team_id: UUID, blob: DoomedBlob) -> bool:
        claimed_at = time.monotonic()
        if not await condemned.claim(self._database, team_id, blob.sha256):
            return False
        # Whoever was held up for so long may not remove what another pass has removed meanwhile,
        # and somebody has stored again.
        if time.monotonic() - claimed_at > condemned.CLAIM_SECONDS:
            raise TemporaryFailure(service="Housekeeping", reason="it was held up")
        await self._blobs.remove(team_id, blob.sha256)
        await condemned.gone(self._database, team_id, blob.sha256)
        async with short_transaction(self._database) as connection:
            step = Step(1, is_done=False, freed_bytes=blob.size)
            await progress.add_removed(connection, BLOBS, team_id, step)
        return True
