"""Bytes in an S3 store, under the team's id and their SHA-256: the same bytes are kept once."""

import asyncio
import io
import re
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import BinaryIO
from uuid import UUID

import urllib3
from minio import Minio
from minio.datatypes import Object
from minio.error import S3Error

from activities.disk import Disk
from activities.store.blob_errors import blob_errors
from activities.store.condemned import Asked, FoundBlob, Ledger
from activities.store.options import S3Options
from activities.store.s3_address import region_of
from activities.store.small_objects import small_objects
from activities.store.stoppable import UploadStopped, stoppable, stopped_at_end

CONNECT_TIMEOUT_SECONDS = 3.0
READ_TIMEOUT_SECONDS = 60.0
PART_BYTES = 5 * 1024 * 1024  # S3's least; the parts on their way are held in memory.
PARALLEL_PARTS = 3
CHUNK_BYTES = 1024 * 1024
MAX_CONNECTIONS = 32
# Beside the folders of the teams.
OWNER_KEY = "agentos-database"
_MISSING = ("NoSuchKey", "NoSuchObject")
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SmallBlob:
    """Bytes to store, which fit into memory; ``open`` gives them from the first on."""

    sha256: str
    size: int
    mime_type: str
    open: Callable[[], BinaryIO]


# By SHA-256, what the store has, and when it was last deleted before that, if it ever was.
Stored = dict[str, datetime | None]


class Blobs:
    """Every call raises ``TemporaryFailure`` when the store cannot be reached.

    ``ledger`` knows which blobs are being removed. Without it, nobody may remove any.
    """

    def __init__(self, options: S3Options, ledger: Ledger | None = None) -> None:
        self._ledger = ledger
        url = urllib3.util.parse_url(options.endpoint)
        self.bucket = options.bucket
        self._disk = None if options.folder is None else Disk(options.folder, "the S3 store")
        manager = urllib3.PoolManager(
            maxsize=MAX_CONNECTIONS,
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS),
            retries=urllib3.Retry(0, redirect=0),  # Who calls knows better when to try again.
        )
        self._client = Minio(
            url.netloc or options.endpoint,
            access_key=options.access_key,
            secret_key=options.secret_key,
            secure=url.scheme == "https",
            # Spares a look-up of the bucket's region before the first call. AWS is asked there.
            region=options.region or region_of(options.endpoint),
            http_client=manager,
        )
        self._small = small_objects(options, manager)

    async def put(
        self, team_id: UUID, sha256: str, size: int, mime_type: str, source: BinaryIO
    ) -> None:
        """Store ``size`` bytes read from ``source``, unless they are there already.

        Whoever then writes a row that names them may meet ``BlobGone``: see ``condemned``.

        Raises:
            DiskFull: the store would keep us waiting instead of saying so.
        """
        deleted_at = await self._ledger.ask(team_id, sha256) if self._ledger else None
        if await self.size_of(team_id, sha256) != size:
            await self._send(blob_key(team_id, sha256), size, mime_type, source)
        if self._ledger and deleted_at is not None:
            await self._ledger.restored(team_id, sha256, deleted_at)

    async def put_small(self, team_id: UUID, wanted: Sequence[SmallBlob], stored: Stored) -> None:
        """``put`` of many, with one question to the ledger and one thread for all of them.

        Those that no row of the team names are most likely new: they are sent without a look
        whether the store has them, which would cost as much again. To send one that is there
        replaces it by the same bytes. What the store has at last is noted in ``stored``: whoever
        tries again after a failure hands it on, and goes on behind what is in it. Else many files
        would never be through where one request in thirty fails.

        Raises:
            DiskFull: the store would keep us waiting instead of saying so.
        """
        digests = [blob.sha256 for blob in wanted]
        asked = await self._ledger.ask_all(team_id, digests) if self._ledger else None
        asked = asked or Asked(named=set(digests), deleted={})
        async with blob_errors(), stopped_at_end() as stopped:
            await asyncio.to_thread(self._put_all, team_id, wanted, asked, stored, stopped)
        if self._ledger:
            for digest, deleted_at in asked.deleted.items():
                await self._ledger.restored(team_id, digest, deleted_at)

    def _put_all(
        self,
        team_id: UUID,
        wanted: Sequence[SmallBlob],
        asked: Asked,
        stored: Stored,
        stopped: threading.Event,
    ) -> None:
        for blob in wanted:
            if stopped.is_set():
                raise UploadStopped
            deleted_at = asked.deleted.get(blob.sha256)
            # One that was deleted since has to be sent once more.
            if blob.sha256 in stored and deleted_at in (None, stored[blob.sha256]):
                continue
            key = blob_key(team_id, blob.sha256)
            if blob.sha256 not in asked.named or self._small_size_of(key) != blob.size:
                self._send_small(key, blob)
            stored[blob.sha256] = deleted_at

    def _small_size_of(self, key: str) -> int | None:
        found = self._small.size_of(key) if self._small is not None else None
        return self._size_of(key) if found is None else found

    def _send_small(self, key: str, blob: SmallBlob) -> None:
        if self._disk is not None and (shortage := self._disk.shortage) is not None:
            raise shortage
        with blob.open() as source:
            if self._small is not None:
                body = source.read(blob.size)
                if len(body) != blob.size:  # It was cut short since it was looked at.
                    raise OSError(f"{key} has {len(body)} of {blob.size} bytes")
                self._small.put(key, body, blob.sha256, blob.mime_type)
            else:
                self._client.put_object(
                    self.bucket, key, source, blob.size, content_type=blob.mime_type
                )

    async def _send(self, key: str, size: int, mime_type: str, source: BinaryIO) -> None:
        if self._disk is not None:
            await self._disk.check()
        async with blob_errors(), stoppable(source, PART_BYTES) as reader:
            await asyncio.to_thread(
                self._client.put_object,
                self.bucket,
                key,
                reader,
                size,
                content_type=mime_type,
                part_size=PART_BYTES,
                num_parallel_uploads=PARALLEL_PARTS,
            )

    async def size_of(self, team_id: UUID, sha256: str) -> int | None:
        """The size of a blob in bytes; None when there is none."""
        async with blob_errors():
            return await asyncio.to_thread(self._size_of, blob_key(team_id, sha256))

    def _size_of(self, key: str) -> int | None:
        try:
            return self._client.stat_object(self.bucket, key).size
        except S3Error as error:
            if error.code in _MISSING:
                return None
            raise

    async def stream(
        self, team_id: UUID, sha256: str, *, offset: int = 0, length: int = 0
    ) -> AsyncGenerator[bytes]:
        """The bytes of a blob from ``offset`` on, all of them when ``length`` is 0."""
        key = blob_key(team_id, sha256)
        # Closed at once when the reader goes away: its connection is wanted by others.
        async with aclosing(
            self.stream_object(self.bucket, key, offset=offset, length=length)
        ) as chunks:
            async for chunk in chunks:
                yield chunk

    async def stream_object(
        self, bucket: str, key: str, *, offset: int = 0, length: int = 0
    ) -> AsyncGenerator[bytes]:
        """The bytes of any object these credentials may read. Who calls checks the bucket."""
        async with blob_errors():
            response = await asyncio.to_thread(
                self._client.get_object, bucket, key, offset=offset, length=length
            )
            try:
                while chunk := await asyncio.to_thread(response.read, CHUNK_BYTES):
                    yield chunk
            finally:
                # A thread may be reading still: to close would wait for it, and stop the loop.
                with suppress(ValueError, RuntimeError):  # Read to its end, and given back.
                    response.shutdown()
                response.close()
                response.release_conn()

    async def page(
        self, team_id: UUID, after: str | None, limit: int
    ) -> tuple[Sequence[FoundBlob], str | None]:
        """Up to ``limit`` blobs of a team behind the key ``after``, and the key of the last one;
        None when there are no more."""
        prefix = f"{team_id}/"
        async with blob_errors():
            listed = await asyncio.to_thread(self._list, prefix, after, limit)
        last = listed[-1].object_name if len(listed) == limit else None
        return [blob for item in listed if (blob := _found(item))], last

    def _list(self, prefix: str, after: str | None, limit: int) -> list[Object]:
        listing = self._client.list_objects(
            self.bucket, prefix=prefix, recursive=True, start_after=after
        )
        return list(islice(listing, limit))

    async def remove(self, team_id: UUID, sha256: str) -> None:
        """Remove a blob, if it is there. Only for housekeeping, which has claimed it."""
        async with blob_errors():
            await asyncio.to_thread(
                self._client.remove_object, self.bucket, blob_key(team_id, sha256)
            )

    async def abort_uploads(self, before: datetime, limit: int) -> int:
        """Give up uploads in parts that nobody has completed since; gives how many. Their parts
        take room, and no list of the bucket shows them."""
        async with blob_errors():
            return await asyncio.to_thread(self._abort_uploads, before, limit)

    def _abort_uploads(self, before: datetime, limit: int) -> int:
        # There is no public call for either, in minio 7.
        listed = self._client._list_multipart_uploads(self.bucket, max_uploads=limit)
        old = [
            upload
            for upload in listed.uploads
            if upload.initiated_time is not None
            and upload.upload_id is not None
            and upload.initiated_time < before
        ]
        for upload in old:
            self._client._abort_multipart_upload(
                self.bucket, upload.object_name, str(upload.upload_id)
            )
        return len(old)

    async def owner(self, database_id: UUID) -> UUID:
        """Which database may remove blobs from the bucket: the first that has asked. Others may
        share it, by mistake, or as a copy; what they do not name is not theirs to remove."""
        async with blob_errors():
            return await asyncio.to_thread(self._owner, database_id)

    def _owner(self, database_id: UUID) -> UUID:
        try:
            return self._read_owner()
        except S3Error as error:
            if error.code not in _MISSING:
                raise
        mark = str(database_id).encode()
        self._client.put_object(self.bucket, OWNER_KEY, io.BytesIO(mark), len(mark))
        return self._read_owner()  # Of two that have come at once, the later one is it.

    def _read_owner(self) -> UUID:
        response = self._client.get_object(self.bucket, OWNER_KEY)
        try:
            return UUID(response.read().decode())
        finally:
            response.close()
            response.release_conn()

    async def check(self) -> bool:
        """Whether the bucket is there."""
        async with blob_errors():
            return await asyncio.to_thread(self._client.bucket_exists, self.bucket)


def blob_key(team_id: UUID, sha256: str) -> str:
    return f"{team_id}/{sha256[:2]}/{sha256}"


def _found(item: Object) -> FoundBlob | None:
    """None for what is no blob."""
    digest = (item.object_name or "").rpartition("/")[2]
    if item.last_modified is None or not _DIGEST.fullmatch(digest):
        return None
    return FoundBlob(digest, item.size or 0, item.last_modified)
