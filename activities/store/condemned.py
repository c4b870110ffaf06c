"""Blobs that nothing names, and how they go without anybody losing one.

Blobs are kept under their SHA-256, so an upload may find there what it brings, and rely on it, at
the moment in which housekeeping is about to remove it. A blob therefore goes in three steps, each
of them written down here, in ``condemned_blobs``:

1. *condemned*: no row named it when it was looked at, and it was not new. Nothing has happened yet.
2. *deleting*, after a while: in one transaction it is looked at once more, under the lock of its
   bucket (one of 64, by its hash), and if there is still no row that names it, this is written.
   Only then is it removed from the store.
3. *deleted*, once it is gone. This row stays for a day.

Rows that name blobs are guarded by a trigger, whoever writes them. It takes the same lock, shared,
until its transaction ends, and refuses the row (SQLSTATE AG001, ``BlobGone``) while the blob is in
step 2 or 3. So:

- A row that is committed before step 2 is seen by step 2, which waits for no one: where somebody
  holds the lock, the blob has to wait for the next pass. A row that comes later is refused.
  Therefore no row ever names a blob that step 2 removes.
- An upload first asks here (``Ledger.ask``). If its blob is condemned, it is pardoned; if it is
  being deleted, the upload waits until it is gone. Then it looks whether the store has it, and
  sends the bytes if not. Nobody removes them meanwhile: a blob in step 3 is not condemned again.
- Afterwards it takes back the step 3 that it has seen (``Ledger.restored``), by its time: one of a
  later removal, that it has not seen, stays, and refuses the upload's row. Then the upload is made
  again.

Times are for peace, not for safety: as long as a blob is new (a day), it is not condemned, and for
as long again it stays condemned. So an attempt that has stored its files an hour ago and then
writes its rows meets no refusal, which would cost it another attempt. After a day a step 3 is
forgotten: only an upload that pauses for longer between bytes and row could then miss it.

Where one pass died in step 2, a later one goes on. It does so after ``STUCK_SECONDS``, and no pass
sends a removal later than ``CLAIM_SECONDS`` after it wrote step 2, so the two never overlap.

Results that are kept name blobs too, but need no guard: whoever takes one looks whether its files
are there (``activities/results/cache.py``), and the rows that come of it are guarded.

A table that gets a column with the SHA-256 of a blob needs the trigger, and its place in
``_IS_NAMED``.
"""

import asyncio
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Text, bindparam, text
from sqlalchemy.types import Uuid

from activities.store.database import Database
from activities.store.housekeeping.base import short_transaction
from workflows.errors import TemporaryFailure

CLAIM_SECONDS = 30.0
STUCK_SECONDS = 600.0
GONE_SECONDS = 86_400.0
_WAIT_SECONDS = 90.0
_PAUSE_SECONDS = 0.05

# Those of the trigger, which migration 0014 makes.
_LOCK_CLASS = 1_701_999_465
_BUCKETS = 64


@dataclass(frozen=True, slots=True)
class FoundBlob:
    """A blob as the store lists it; ``size`` is in bytes."""

    sha256: str
    size: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class DoomedBlob:
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Of many blobs: those that rows of the team name, and when those were deleted that were."""

    named: Set[str]
    deleted: Mapping[str, datetime]


class Ledger:
    """What uploads ask, and tell."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, team_id: UUID, sha256: str) -> datetime | None:
        """Pardon a blob. When it was deleted, if it was; the store may have it again.

        Raises:
            TemporaryFailure: it is being deleted, and that does not end.
        """
        values = {"team_id": team_id, "sha256": sha256}
        deadline = asyncio.get_running_loop().time() + _WAIT_SECONDS
        while True:
            # Twice where somebody is just about to delete it: a statement sees what was before.
            rows = await self._database.execute(_PARDON, values)
            if not rows:
                return None
            if rows[0].state == "deleted":
                since: datetime = rows[0].since
                return since
            if asyncio.get_running_loop().time() > deadline:
                reason = f"blob {sha256} is being deleted"
                raise TemporaryFailure(service="The S3 store", reason=reason)
            if rows[0].state == "deleting":
                await asyncio.sleep(_PAUSE_SECONDS)

    async def ask_all(self, team_id: UUID, digests: Sequence[str]) -> Asked:
        """``ask`` for many blobs at once, and which of them somebody has stored before.

        Raises:
            TemporaryFailure: one is being deleted, and that does not end.
        """
        # In one order: two that pardon the same ones in different orders would lock each other out.
        values = {"team_id": team_id, "digests": sorted(set(digests))}
        rows = await self._database.execute(_PARDON_ALL, values)
        deleted: dict[str, datetime] = {}
        for row in rows:
            if row.state == "deleted":
                deleted[row.sha256] = row.since
            elif row.state is not None:  # One that is hardly ever met: somebody is at it.
                since = await self.ask(team_id, row.sha256)
                deleted |= {} if since is None else {row.sha256: since}
        return Asked({row.sha256 for row in rows if row.is_named}, deleted)

    async def restored(self, team_id: UUID, sha256: str, deleted_at: datetime) -> None:
        """The store has a blob again that was deleted then."""
        values = {"team_id": team_id, "sha256": sha256, "since": deleted_at}
        await self._database.execute(_RESTORE, values)


async def condemn(database: Database, team_id: UUID, found: Sequence[FoundBlob]) -> int:
    """Condemn those that no row names. Gives how many."""
    values = {
        "team_id": team_id,
        "digests": [blob.sha256 for blob in found],
        "sizes": [blob.size for blob in found],
    }
    async with short_transaction(database) as connection:
        return (await connection.execute(_CONDEMN, values)).rowcount


async def doomed(
    database: Database, team_id: UUID, *, grace_seconds: float, limit: int
) -> Sequence[DoomedBlob]:
    """Blobs that were condemned long enough ago, and those that a pass has left in step 2."""
    values = {
        "team_id": team_id,
        "grace": grace_seconds,
        "stuck": STUCK_SECONDS,
        "limit": limit,
    }
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(_DOOMED, values)
        return [DoomedBlob(*row) for row in rows]


async def claim(database: Database, team_id: UUID, sha256: str) -> bool:
    """Go on to step 2. False, and a pardon, where a row names the blob; False as well where
    somebody may be writing one."""
    values = {"team_id": team_id, "sha256": sha256}
    async with short_transaction(database) as connection:
        if not await connection.scalar(_LOCK, values):
            return False
        # Another statement, which sees all that was committed before the lock was got.
        if await connection.scalar(_FIND_NAMED, values):
            await connection.execute(_FORGET, values)
            return False
        return (await connection.execute(_CLAIM, values | {"stuck": STUCK_SECONDS})).rowcount > 0


async def gone(database: Database, team_id: UUID, sha256: str) -> None:
    """Step 3: the store has it no longer."""
    await database.execute(_GONE, {"team_id": team_id, "sha256": sha256})


async def forget_gone(database: Database, team_id: UUID) -> int:
    """Forget those that have been gone for a day."""
    values = {"team_id": team_id, "seconds": GONE_SECONDS}
    async with short_transaction(database) as connection:
        return (await connection.execute(_FORGET_GONE, values)).rowcount


async def count_condemned(database: Database, team_id: UUID) -> int:
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(_COUNT, {"team_id": team_id}) or 0


_TEAM = bindparam("team_id", type_=Uuid())

_PARDON = text(
    """
    WITH pardoned AS (
        DELETE FROM condemned_blobs
        WHERE team_id = :team_id AND sha256 = :sha256 AND state = 'condemned'
        RETURNING sha256
    )
    SELECT state, since FROM condemned_blobs
    WHERE team_id = :team_id AND sha256 = :sha256 AND NOT EXISTS (SELECT FROM pardoned)
    """
)
# How many are asked for the planner is not to see: a plan for so many looked cheaper to it than one
# for any number, so that it made one anew for each step, which took longer than all else here. Each
# is looked up by itself (`LIMIT 1`), however few rows there were when the plan was made.
_PARDON_ALL = text(
    """
    WITH asked AS MATERIALIZED (
        SELECT CAST(:digests AS text[]) AS digests
    ), given AS MATERIALIZED (
        SELECT unnest(digests) AS sha256 FROM asked
    ), pardoned AS (
        DELETE FROM condemned_blobs USING given
        WHERE team_id = :team_id AND condemned_blobs.sha256 = given.sha256 AND state = 'condemned'
        RETURNING condemned_blobs.sha256
    )
    SELECT given.sha256, gone.state, gone.since,
           (SELECT true FROM task_artifacts
            WHERE task_artifacts.sha256 = given.sha256 AND task_artifacts.team_id = :team_id
            LIMIT 1) IS NOT NULL
           OR (SELECT true FROM files
               WHERE files.sha256 = given.sha256 AND files.team_id = :team_id
               LIMIT 1) IS NOT NULL AS is_named
    FROM given LEFT JOIN LATERAL (
        SELECT state, since FROM condemned_blobs
        WHERE team_id = :team_id AND condemned_blobs.sha256 = given.sha256
          AND NOT EXISTS (SELECT FROM pardoned WHERE pardoned.sha256 = given.sha256)
        LIMIT 1
    ) AS gone ON true
    """
)
_RESTORE = text(
    """
    DELETE FROM condemned_blobs
    WHERE team_id = :team_id AND sha256 = :sha256 AND state = 'deleted' AND since = :since
    """
)
_IS_NAMED = """(
    EXISTS (SELECT FROM files WHERE files.sha256 = {sha256} AND files.team_id = {team_id})
    OR EXISTS (SELECT FROM task_artifacts
               WHERE task_artifacts.sha256 = {sha256} AND task_artifacts.team_id = {team_id})
    OR EXISTS (SELECT FROM result_cache
               WHERE files @> jsonb_build_array(jsonb_build_object('sha256', {sha256}))
                 AND result_cache.team_id = {team_id} AND expires_at > now()))"""
_CONDEMN = text(
    f"""
    INSERT INTO condemned_blobs (team_id, sha256, size, state, since)
    SELECT :team_id, found.sha256, found.size, 'condemned', now()
    FROM unnest(:digests, :sizes) AS found(sha256, size)
    WHERE NOT {_IS_NAMED.format(sha256="found.sha256", team_id=":team_id")}
    ON CONFLICT DO NOTHING
    """
).bindparams(
    _TEAM,
    bindparam("digests", type_=ARRAY(Text())),
    bindparam("sizes", type_=ARRAY(BigInteger())),
)
_DOOMED = text(
    """
    SELECT sha256, size FROM condemned_blobs
    WHERE team_id = :team_id
      AND ((state = 'condemned' AND since <= now() - make_interval(secs => :grace))
           OR (state = 'deleting' AND since <= now() - make_interval(secs => :stuck)))
    ORDER BY since LIMIT :limit
    """
).bindparams(_TEAM)
_LOCK = text(f"SELECT pg_try_advisory_xact_lock({_LOCK_CLASS}, hashtext(:sha256) & {_BUCKETS - 1})")
_FIND_NAMED = text(f"SELECT {_IS_NAMED.format(sha256=':sha256', team_id=':team_id')}").bindparams(
    _TEAM
)
_FORGET = text(
    """
    DELETE FROM condemned_blobs
    WHERE team_id = :team_id AND sha256 = :sha256 AND state = 'condemned'
    """
).bindparams(_TEAM)
_CLAIM = text(
    """
    UPDATE condemned_blobs SET state = 'deleting', since = now()
    WHERE team_id = :team_id AND sha256 = :sha256
      AND (state = 'condemned'
           OR (state = 'deleting' AND since <= now() - make_interval(secs => :stuck)))
    """
).bindparams(_TEAM)
_GONE = text(
    """
    UPDATE condemned_blobs SET state = 'deleted', since = now()
    WHERE team_id = :team_id AND sha256 = :sha256 AND state = 'deleting'
    """
)
_FORGET_GONE = text(
    """
    DELETE FROM condemned_blobs
    WHERE team_id = :team_id AND state = 'deleted'
      AND since < now() - make_interval(secs => :seconds)
    """
).bindparams(_TEAM)
_COUNT = text(
    "SELECT count(*) FROM condemned_blobs WHERE team_id = :team_id AND state <> 'deleted'"
).bindparams(_TEAM)
