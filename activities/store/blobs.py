"""Bytes in an S3 store, under the team's id and their SHA-256: the same bytes are kept once."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import BinaryIO, cast
from uuid import UUID

import urllib3
from minio import Minio
from minio.error import S3Error

from activities.disk import Disk
from activities.store.errors import blob_errors
from activities.store.options import S3Options

CONNECT_TIMEOUT_SECONDS = 3.0
READ_TIMEOUT_SECONDS = 60.0
PART_BYTES = 5 * 1024 * 1024  # S3's least; the parts on their way are held in memory.
PARALLEL_PARTS = 3
CHUNK_BYTES = 1024 * 1024
MAX_CONNECTIONS = 32


class Blobs:
    """Every call raises ``TemporaryFailure`` when the store cannot be reached."""

    def __init__(self, options: S3Options) -> None:
        url = urllib3.util.parse_url(options.endpoint)
        self.bucket = options.bucket
        self._disk = None if options.folder is None else Disk(options.folder, "the S3 store")
        self._client = Minio(
            url.netloc or options.endpoint,
            access_key=options.access_key,
            secret_key=options.secret_key,
            secure=url.scheme == "https",
            region="us-east-1",  # Spares a look-up of the bucket's region before the first call.
            http_client=urllib3.PoolManager(
                maxsize=MAX_CONNECTIONS,
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS),
                retries=urllib3.Retry(0, redirect=0),  # Who calls knows better when to try again.
            ),
        )

    async def put(
        self, team_id: UUID, sha256: str, size: int, mime_type: str, source: BinaryIO
    ) -> None:
        """Store ``size`` bytes read from ``source``, unless they are there already.

        Raises:
            DiskFull: the store would keep us waiting instead of saying so.
        """
        key = blob_key(team_id, sha256)
        if await self.size_of(team_id, sha256) == size:
            return
        if self._disk is not None:
            await self._disk.check()
        async with blob_errors(), _stoppable(source) as reader:
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
            try:
                found = await asyncio.to_thread(
                    self._client.stat_object, self.bucket, blob_key(team_id, sha256)
                )
            except S3Error as error:
                if error.code in ("NoSuchKey", "NoSuchObject"):
                    return None
                raise
        return found.size

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

    async def check(self) -> bool:
        """Whether the bucket is there."""
        async with blob_errors():
            return await asyncio.to_thread(self._client.bucket_exists, self.bucket)


def blob_key(team_id: UUID, sha256: str) -> str:
    return f"{team_id}/{sha256[:2]}/{sha256}"


class _UploadStopped(Exception):
    """The upload was cancelled; nothing is stored under its key."""


class _Reader:
    """A file whose reading can be stopped from outside: a thread cannot be cancelled."""

    def __init__(self, source: BinaryIO, stopped: threading.Event) -> None:
        self._source = source
        self._stopped = stopped

    def read(self, size: int) -> bytes:
        if self._stopped.is_set():
            raise _UploadStopped
        return self._source.read(min(size, CHUNK_BYTES))


@asynccontextmanager
async def _stoppable(source: BinaryIO) -> AsyncIterator[BinaryIO]:
    stopped = threading.Event()
    try:
        yield cast(BinaryIO, _Reader(source, stopped))
    finally:
        stopped.set()
